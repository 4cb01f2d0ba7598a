//! Settings of the filter that do nothing where they are installed, or more than they seem to.

use sidespan_core::direction::Direction;
use sidespan_core::pattern;
use sidespan_core::propagation::settings::ContextTrust;
use sidespan_core::sampling::request_match::Match;
use sidespan_core::sampling::settings::Sampling;

use super::configuration::SidespanConfig;
use super::warning::warn;
use crate::check::explain::wording;
use crate::check::istio::plugin_scope::{Installer, Scope};
use crate::check::istio::settings::{Mode, Note, Place};

/// Adds the warnings on all configurations.
pub(super) fn notes(root: &str, ours: &[SidespanConfig<'_>], notes: &mut Vec<Note>) {
    for ours in ours {
        let mut add = |below: String, message: String| {
            let place = Place {
                file: ours.file,
                document: ours.document,
                path: format!("{}.{below}", ours.path),
                name: String::new(),
            };
            warn(notes, place, message);
        };
        directions(ours, &mut add);
        if let Some(scope) = ours.scope {
            trust(ours, scope, &mut add);
        }
        if let Some(sampling) = &ours.config.sampling {
            namespaces(root, ours, sampling, &mut add);
            matches(ours, sampling, &mut add);
        }
    }
}

fn directions(ours: &SidespanConfig<'_>, add: &mut impl FnMut(String, String)) {
    let config = ours.config;
    let Some(direction) = config.direction else {
        return;
    };
    let gateway = [
        config.gateway_trust.is_some(),
        config.gateway_exclude.is_some(),
        config.gateway_keep.is_some(),
    ];
    if direction != Direction::Edge && gateway.contains(&true) {
        add(
            "gateway".into(),
            format!(
                "never used, for direction {} is set for every request here; leave direction out, and a gateway is told by its \
                 listener",
                word(direction)
            ),
        );
    }
    let side = match direction {
        Direction::Inbound => Mode::Server,
        Direction::Outbound => Mode::Client,
        Direction::Edge => return,
    };
    match ours.scope.map(|scope| scope.mode) {
        Some(None) => add(
            "direction".into(),
            format!(
                "this plugin is for both sides of a workload, and all its spans would be {} ones; leave direction out, or \
                 narrow the plugin by match: [{{mode: {}}}]",
                kind(side),
                side.name()
            ),
        ),
        Some(Some(mode)) if mode != side => add(
            "direction".into(),
            format!(
                "this plugin is for mode {}, whose spans are {} ones, and direction {} makes {} ones of them; leave direction out",
                mode.name(),
                kind(mode),
                word(direction),
                kind(side)
            ),
        ),
        _ => {}
    }
}

fn trust(ours: &SidespanConfig<'_>, scope: &Scope, add: &mut impl FnMut(String, String)) {
    if ours.config.trust.context == ContextTrust::Restart && !scope.is_narrowed() {
        add(
            "trust.context".into(),
            "restart begins a new trace at every sidecar that this plugin is for, so no trace has more than one hop; write it \
             into gateway.trust, or give the plugin a selector"
                .into(),
        );
    }
}

fn namespaces(
    root: &str,
    ours: &SidespanConfig<'_>,
    sampling: &Sampling,
    add: &mut impl FnMut(String, String),
) {
    let own = ours.scope.and_then(|scope| scope.namespace.as_deref());
    let own = own.filter(|own| *own != root);
    let is_for_sidecars = ours
        .scope
        .is_some_and(|scope| scope.kind == Installer::EnvoyFilter && scope.mode.is_some());
    for (name, percentage) in &sampling.namespaces {
        let at = format!("sampling.namespaces[{name:?}]");
        if !name.bytes().all(is_in_namespaces) {
            add(
                at,
                "never used, for no namespace has such a name: they are of small letters, digits and -, and in a pattern * is \
                 any run of them; this is no regular expression and no selector"
                    .into(),
            );
        } else if let Some(own) = own.filter(|own| !pattern::matches(name, own.as_bytes())) {
            add(
                at,
                format!("never used, for this plugin is in namespace {own} and reaches no other"),
            );
        } else if *percentage == 0.0
            && own.is_none()
            && !is_for_sidecars
            // Outside Istio, "*" names no namespace of its.
            && (ours.scope.is_some() || name != "*")
            && decides(sampling, name, root)
        {
            add(
                at,
                format!(
                    "0 % for {root} switches the ingress gateway of Istio's default profile off, which stands there and decides for \
                     the whole path: nothing that comes from outside would be traced; take this entry out"
                ),
            );
        }
    }
    let has_percentage = ours
        .document()
        .is_some_and(|tree| tree.at(&["sampling", "percentage"]).is_some());
    if has_percentage && sampling.namespaces.iter().any(|(name, _)| name == "*") {
        add(
            "sampling.percentage".into(),
            "never used, for the pattern \"*\" of namespaces is for every namespace; leave one of the two out".into(),
        );
    }
}

/// Returns true if this entry is the one that holds for a namespace: the exact name, else the longest pattern.
fn decides(sampling: &Sampling, name: &str, namespace: &str) -> bool {
    let rank = |entry: &str| (!entry.contains('*'), pattern::literal_characters(entry));
    let fits = |entry: &str| pattern::matches(entry, namespace.as_bytes());
    fits(name)
        && sampling
            .namespaces
            .iter()
            .all(|(other, _)| !fits(other) || rank(other) <= rank(name))
}

fn matches(ours: &SidespanConfig<'_>, sampling: &Sampling, add: &mut impl FnMut(String, String)) {
    let rules = sampling.rules.iter().enumerate();
    let mut all: Vec<(String, &Match)> = rules
        .map(|(index, rule)| (format!("sampling.rules[{index}].match"), &rule.condition))
        .collect();
    let listed = |key: &str, list: &[Match]| -> Vec<String> {
        (0..list.len())
            .map(|index| format!("{key}[{index}]"))
            .collect()
    };
    all.extend(
        listed("sampling.exclude", &sampling.exclude)
            .into_iter()
            .zip(&sampling.exclude),
    );
    if let Some(list) = &ours.config.gateway_exclude {
        all.extend(listed("gateway.exclude", list).into_iter().zip(list));
    }
    for (at, condition) in all {
        let path = condition.path.as_ref().map(wording::path);
        let patterns = path
            .map(|path| (format!("{at}.path"), path))
            .into_iter()
            .chain(
                condition
                    .user_agent
                    .as_deref()
                    .map(|agent| (format!("{at}.userAgent"), agent)),
            );
        for (at, text) in patterns {
            if is_regular_expression(text) {
                add(
                    at,
                    "looks like a regular expression, and is none: * is any run of characters, {name} in a path is one segment, \
                     and all else stands for itself; write /api/* for all below /api"
                        .into(),
                );
            }
        }
    }
}

/// Returns true if a text has what only regular expressions have.
fn is_regular_expression(text: &str) -> bool {
    text.starts_with('^')
        || text.ends_with('$')
        || [".*", ".+", "\\", "[^", "]+", "]*", "(?"]
            .iter()
            .any(|part| text.contains(part))
        || text.contains('(') && text.contains('|')
}

fn is_in_namespaces(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'*'
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Edge => "edge",
    }
}

fn kind(side: Mode) -> &'static str {
    match side {
        Mode::Client => "CLIENT",
        Mode::Server => "SERVER",
    }
}
