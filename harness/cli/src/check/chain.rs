//! Several copies of the filter in one chain: which of them works, and which stands aside.
//!
//! Two copies are one too many, because the second only costs a call. A copy for some workloads that comes before the
//! mesh's is the exception: it is how a few workloads get settings of their own, and how a roll-out begins with one
//! namespace.

use std::cmp::Ordering;

use sidespan_core::config::Role;

use super::compatibility::SidespanConfig;
use super::istio::plugin_scope::{Installer, Scope};
use super::istio::resolve::fits;
use super::istio::settings::{Note, Place, Settings, Weight};

/// Returns the notes on all pairs of copies that reach one workload.
pub fn notes(settings: &Settings, root: &str, ours: &[SidespanConfig<'_>]) -> Vec<Note> {
    // Behind the router there is another chain.
    let copies: Vec<_> = ours
        .iter()
        .filter(|ours| ours.config.role == Role::Request)
        .collect();
    let mut notes: Vec<Note> = Vec::new();
    for (index, one) in copies.iter().enumerate() {
        for other in copies.iter().skip(index + 1) {
            let note = match (one.scope, other.scope) {
                (Some(scope), Some(rival)) => meeting(scope, rival, root, settings)
                    .and_then(|namespace| in_istio((one, scope), (other, rival), root, namespace)),
                (None, None) => in_envoy(one, other),
                _ => None,
            };
            // The two patches of an EnvoyFilter meet the same plugin with the same words.
            if let Some(note) = note
                && !notes.iter().any(|known| is_same(known, &note))
            {
                notes.push(note);
            }
        }
    }
    notes
}

/// Returns the namespace of a workload that both plugins reach; `None` where there is none.
fn meeting<'a>(
    one: &'a Scope,
    other: &'a Scope,
    root: &str,
    settings: &'a Settings,
) -> Option<Option<&'a str>> {
    let is_same_resource =
        (one.kind, &one.name, &one.namespace) == (other.kind, &other.name, &other.namespace);
    let is_side_common = one.mode.is_none() || other.mode.is_none() || one.mode == other.mode;
    // A waypoint takes only what names it, and everybody else takes nothing that does; a gateway may take both.
    let is_target_common = match (one.targets.as_slice(), other.targets.as_slice()) {
        ([], []) => true,
        (targets, others) => targets.iter().any(|target| others.contains(target)),
    };
    if is_same_resource && !one.name.is_empty() || !is_side_common || !is_target_common {
        return None;
    }
    let namespace = match (one.namespace.as_deref(), other.namespace.as_deref()) {
        (own, rival) if own == rival => own,
        (Some(own), rival) if own == root => rival,
        (own, Some(rival)) if rival == root => own,
        _ => return None,
    };
    if fits(&other.selector, &one.selector) || fits(&one.selector, &other.selector) {
        return Some(namespace);
    }
    // Of two selectors with different labels, only a workload with all of them can tell that they meet.
    let both = settings.workloads.iter().find(|workload| {
        let is_picked = |scope: &Scope| {
            let own = scope.namespace.as_deref();
            let is_there =
                own == Some(root) || own.is_some() && own == workload.namespace.as_deref();
            is_there && fits(&scope.selector, &workload.labels)
        };
        is_picked(one) && is_picked(other)
    });
    both.map(|workload| workload.namespace.as_deref())
}

fn in_istio<'a>(
    one: (&SidespanConfig<'_>, &'a Scope),
    other: (&SidespanConfig<'_>, &'a Scope),
    root: &str,
    namespace: Option<&str>,
) -> Option<Note> {
    let (order, step) = one.1.order(other.1, namespace);
    let ((_, first), (loser, last)) = match order {
        Ordering::Greater => (other, one),
        _ => (one, other),
    };
    let why = first.precedes(last, namespace);
    if first.kind != last.kind {
        return Some(note(
            Weight::Error,
            loser,
            format!(
                "stands aside wherever {first} is installed, too ({why}); apply one of {}, never both",
                kinds(first.kind, last.kind)
            ),
        ));
    }
    let is_alike = first.selector == last.selector && first.has_ports == last.has_ports;
    let is_for_the_same = is_alike || !first.is_narrowed() && !last.is_narrowed();
    if is_for_the_same && first.namespace == last.namespace {
        return Some(note(
            Weight::Error,
            loser,
            format!(
                "stands aside wherever {first} is installed, too ({why}); remove one of the two, or give the one that \
                 shall win a selector and a higher priority"
            ),
        ));
    }
    if covers(first, last, root) {
        return Some(note(
            Weight::Warning,
            loser,
            format!(
                "never works, for {first} reaches the same workloads and comes first ({why}); give this one the phase of \
                 the other, and a higher priority"
            ),
        ));
    }
    // The narrower one works. That is meant where it says so itself, by a phase or a priority.
    let message = match step {
        "phase" | "priority" => return None,
        "namespace" => format!(
            "stands aside wherever {first} works ({why}), and works elsewhere; remove one of the two when a roll-out is over, \
             or give that one a higher priority if both are to stay"
        ),
        _ => format!(
            "has the phase and the priority of {first}, which works where both are installed ({why}); give that one a \
             higher priority, so that it does not hang on names and ages"
        ),
    };
    Some(note(Weight::Warning, loser, message))
}

/// Returns true if a plugin is installed wherever another one is.
fn covers(one: &Scope, other: &Scope, root: &str) -> bool {
    let has_namespace = one.namespace == other.namespace || one.namespace.as_deref() == Some(root);
    let has_side = one.mode.is_none() || one.mode == other.mode;
    let has_targets = one.targets.is_empty() || one.targets == other.targets;
    let has_all = has_namespace && has_side && has_targets && !one.has_ports;
    has_all && fits(&one.selector, &other.selector)
}

/// Returns the note on two copies in one list of filters of an Envoy configuration.
fn in_envoy(one: &SidespanConfig<'_>, other: &SidespanConfig<'_>) -> Option<Note> {
    let list = |ours: &SidespanConfig<'_>| {
        let at = ["http_filters[", "httpFilters["]
            .iter()
            .find_map(|key| ours.path.rfind(key))?;
        Some((ours.file, ours.document, ours.path[..at].to_owned()))
    };
    (list(one).is_some() && list(one) == list(other)).then(|| {
        note(
            Weight::Error,
            other,
            "a second copy of the filter in one chain: it stands aside, or, where both have one name, makes every span twice; \
             remove one of the two"
                .into(),
        )
    })
}

fn is_same(one: &Note, other: &Note) -> bool {
    let place = |note: &Note| (note.place.file, note.place.document);
    one.message == other.message && place(one) == place(other)
}

fn kinds(one: Installer, other: Installer) -> String {
    let mut names = [one, other].map(Installer::name);
    names.sort_unstable();
    names.reverse();
    names.join(" and ")
}

fn note(weight: Weight, at: &SidespanConfig<'_>, message: String) -> Note {
    Note {
        weight,
        message,
        place: Place {
            file: at.file,
            document: at.document,
            path: at.path.into(),
            name: String::new(),
        },
    }
}
