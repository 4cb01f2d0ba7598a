//! The names of services: a sidecar and its application may have two for one service.

use std::collections::{HashMap, HashSet};

use super::fact::Name;
use super::visit::Visits;

/// The names of sidecars that stand for an application's.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    of: HashMap<Name, Option<Name>>,
    pub(super) services: HashSet<Name>,
}

impl Aliases {
    /// Returns the application's name for a sidecar's, or the name itself.
    pub(super) fn of(&self, name: Name) -> Name {
        self.of.get(&name).copied().flatten().unwrap_or(name)
    }

    /// Returns each sidecar's name that stands for another name, with the other name.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (Name, Name)> {
        let pairs = self.of.iter();
        pairs.filter_map(|(name, of)| Some((*name, (*of)?)).filter(|(name, of)| name != of))
    }
}

/// Learns names from the visits that have spans of a sidecar and of an application. A sidecar's name that stands beside
/// several applications, as a name that all sidecars share, stands for none.
pub(super) fn aliases(traces: &[Visits]) -> Aliases {
    let mut of: HashMap<Name, Option<Name>> = HashMap::new();
    let visits = || traces.iter().flat_map(|trace| &trace.visits);
    for (proxy, application) in visits().filter_map(|visit| visit.names()) {
        learn(&mut of, proxy, application);
    }
    let mut aliases = Aliases {
        of,
        services: HashSet::new(),
    };
    aliases.services = visits()
        .map(|visit| visit.service(|name| aliases.of(name)))
        .collect();
    aliases
}

/// Adds what a name was seen to stand for; a name that stood for two things stands for none.
pub(super) fn learn(known: &mut HashMap<Name, Option<Name>>, name: Name, of: Name) {
    known
        .entry(name)
        .and_modify(|known| *known = known.filter(|known| *known == of))
        .or_insert(Some(of));
}
