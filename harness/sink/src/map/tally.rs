//! The numbers of the map: requests, errors and durations of services, and of the calls between them.

use std::collections::{BTreeMap, BTreeSet};

use super::alias::Aliases;
use super::call::{Call, Sender};
use super::fact::Facts;
use super::peer::PeerKind;
use super::place::{Place, Places, text};
use super::visit::Visits;

/// The requests of a service, or of the calls between two.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    durations: Vec<u64>,
    /// The requests that failed.
    pub(super) errors: u64,
    /// The times that the requests were sent.
    pub(super) tries: u64,
    /// The requests that the sampled ones stand for.
    pub(super) weighted: f64,
}

impl Requests {
    fn add(&mut self, duration: u64, is_error: bool, tries: u64, weight: f64) {
        self.durations.push(duration);
        self.errors += u64::from(is_error);
        self.tries = self.tries.saturating_add(tries);
        self.weighted += weight;
    }

    /// Returns the number of requests.
    pub(super) fn count(&self) -> usize {
        self.durations.len()
    }

    /// Returns a percentile of the durations by the nearest rank: the least duration that at least `percent` of a hundred
    /// requests do not exceed. `None` without requests.
    pub(super) fn percentile(&self, percent: usize) -> Option<u64> {
        let rank = (self.count() * percent).div_ceil(100);
        self.durations.get(rank.saturating_sub(1)).copied()
    }

    fn sort(&mut self) {
        self.durations.sort_unstable();
    }
}

/// A node of the map.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) requests: Requests,
    /// What it is, if it has no spans.
    pub(super) kind: Option<PeerKind>,
    /// The other names that its sidecars have for it.
    pub(super) names: BTreeSet<String>,
    /// The requests whose caller's span is missing.
    pub(super) without_caller: u64,
}

/// The numbers of the map.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) nodes: BTreeMap<String, Node>,
    pub(super) edges: BTreeMap<(String, String), Requests>,
}

/// Returns the numbers of the map.
pub(super) fn tally(
    traces: &[Visits],
    calls: &[Vec<Call>],
    aliases: &Aliases,
    places: &Places,
    facts: &Facts,
) -> Tally {
    let mut tally = Tally::default();
    for trace in traces {
        for visit in &trace.visits {
            let service = visit.service(|name| aliases.of(name));
            let node = tally.service(facts.text(service));
            let Some(top) = trace.spans.get(visit.top).filter(|_| visit.is_request) else {
                continue;
            };
            let duration = top.end.saturating_sub(top.start);
            node.requests.add(duration, top.is_error, 1, top.weight);
            node.without_caller += u64::from(visit.is_orphan);
        }
    }
    for (name, of) in aliases.pairs() {
        if let Some(node) = tally.nodes.get_mut(facts.text(of)) {
            node.names.insert(facts.text(name).to_owned());
        }
    }
    for call in calls.iter().flatten() {
        tally.add(call, places.of(call, aliases), facts);
    }
    for node in tally.nodes.values_mut() {
        node.requests.sort();
    }
    for edge in tally.edges.values_mut() {
        edge.sort();
    }
    tally
}

impl Tally {
    fn service(&mut self, name: &str) -> &mut Node {
        self.nodes.entry(name.to_owned()).or_default()
    }

    /// Returns the node of something without spans, unless a service has its name.
    fn place(&mut self, name: &str, kind: PeerKind) -> &mut Node {
        let node = self.nodes.entry(name.to_owned());
        node.or_insert_with(|| Node {
            kind: Some(kind),
            ..Node::default()
        })
    }

    fn add(&mut self, call: &Call, to: Place, facts: &Facts) {
        let from = match call.from {
            Sender::Service(name) => facts.text(name),
            Sender::Queue(name) => {
                self.place(facts.text(name), PeerKind::Queue);
                facts.text(name)
            }
        };
        let add = |requests: &mut Requests| {
            requests.add(call.duration(), call.is_error, call.tries, call.weight);
        };
        let to = match to {
            Place::Service(name) => facts.text(name),
            Place::Virtual(kind, name) => {
                let name = text(facts, name);
                let node = self.place(name, kind);
                // A service's own spans tell what it received.
                if node.kind.is_some() {
                    add(&mut node.requests);
                }
                name
            }
        };
        add(self
            .edges
            .entry((from.to_owned(), to.to_owned()))
            .or_default());
    }
}
