//! The places that calls go to: services with spans, and what stands behind the names that callers have for the others.

use std::collections::HashMap;

use super::alias::{Aliases, learn};
use super::call::Call;
use super::fact::{Facts, Name};
use super::peer::PeerKind;

/// The place that a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A service with spans.
    Service(Name),
    /// Something without spans; its name, if one is told.
    Virtual(PeerKind, Option<Name>),
}

/// The services behind the names and addresses that callers have for them.
#[derive(Debug, Default)]
pub(super) struct Places {
    behind: HashMap<Name, Option<Name>>,
}

/// Learns names from the calls that arrived: a name that always led to one service stands for it.
pub(super) fn places<'a>(calls: impl Iterator<Item = &'a Call>) -> Places {
    let mut behind = HashMap::new();
    for call in calls {
        if let Some(service) = call.to {
            for (_, name) in call.names.iter().filter(|(kind, _)| is_telling(*kind)) {
                learn(&mut behind, *name, service);
            }
        }
    }
    Places { behind }
}

/// Returns true if a name is of one service alone: a queue has many readers.
fn is_telling(kind: PeerKind) -> bool {
    kind != PeerKind::Queue
}

impl Places {
    /// Returns the place that a call goes to. A call that failed on its way goes where its like arrived.
    pub(super) fn of(&self, call: &Call, aliases: &Aliases) -> Place {
        if let Some(service) = call.to {
            return Place::Service(service);
        }
        let telling = || call.names.iter().filter(|(kind, _)| is_telling(*kind));
        let behind = telling().find_map(|(_, name)| self.behind.get(name).copied().flatten());
        let named = || {
            let names = telling().map(|(_, name)| aliases.of(*name));
            names
                .into_iter()
                .find(|name| aliases.services.contains(name))
        };
        if let Some(service) = behind.or_else(named) {
            return Place::Service(service);
        }
        // A service's name says more than an address, and a database more than both.
        let rank = |kind: PeerKind| match kind {
            PeerKind::Database => 0,
            PeerKind::Queue => 1,
            PeerKind::Service => 2,
            PeerKind::Address => 3,
        };
        match call.names.iter().rev().min_by_key(|(kind, _)| rank(*kind)) {
            Some((kind, name)) => Place::Virtual(*kind, Some(*name)),
            None => Place::Virtual(PeerKind::Address, None),
        }
    }
}

/// Returns the name of something that nothing names.
pub(super) fn text(facts: &Facts, name: Option<Name>) -> &str {
    name.map_or("unknown", |name| facts.text(name))
}
