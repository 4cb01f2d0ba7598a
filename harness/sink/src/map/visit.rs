//! The visits of a trace: the spans that hang together at one service, which are one request that the service received.
//!
//! A child belongs to its parent's visit unless a request lies between them:
//!
//! 1. below a CLIENT or PRODUCER span, a SERVER or CONSUMER span is another visit, at the same service too;
//! 2. else one service is one visit, unless the pods are known and differ;
//! 3. else, the names being different, the pods decide where both are known and one of the spans is a proxy's;
//! 4. else the application's span below its sidecar's SERVER span, and the sidecar's CLIENT span below the application's, are
//!    of one visit: a sidecar and an SDK often have different names for one service;
//! 5. else it is another visit, of a caller whose outgoing span is missing.

use super::fact::{Fact, Name, Side};
use super::family::{Parent, family};

/// A visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    /// The index of the span on top of all others.
    pub(super) top: usize,
    /// The index of the span, of another visit, that is the parent of the top.
    pub(super) caller: Option<usize>,
    /// True if the visit is a request: not if it is the rest of one whose upper spans are missing.
    pub(super) is_request: bool,
    /// True if the parent of the top is missing.
    pub(super) is_orphan: bool,
    /// The service's name by the application's uppermost span.
    application: Option<Name>,
    /// The service's name by the sidecar's uppermost span.
    pub(super) proxy: Option<Name>,
}

impl Visit {
    /// Returns the service's name: the application's, or else what `alias` makes of the sidecar's.
    pub(super) fn service(&self, alias: impl Fn(Name) -> Name) -> Name {
        // Each span gives one of the names, and no visit is without spans.
        self.application
            .or(self.proxy.map(alias))
            .unwrap_or_default()
    }

    /// Returns both names, if both are there.
    pub(super) fn names(&self) -> Option<(Name, Name)> {
        Some((self.proxy?, self.application?))
    }
}

/// The spans of a trace, and their visits.
#[derive(Debug)]
pub(super) struct Visits {
    pub(super) spans: Vec<Fact>,
    pub(super) parents: Vec<Parent>,
    /// The indexes of the spans, parents before children.
    pub(super) order: Vec<usize>,
    /// The index of each span's visit.
    pub(super) of: Vec<usize>,
    pub(super) visits: Vec<Visit>,
}

/// Returns the visits of a trace.
pub(super) fn visits(spans: Vec<Fact>) -> Visits {
    let (parents, order) = family(&spans);
    let mut of = vec![0; spans.len()];
    let mut visits: Vec<Visit> = Vec::new();
    for index in &order {
        let (Some(span), Some(parent)) = (spans.get(*index), parents.get(*index)) else {
            continue;
        };
        let above = match parent {
            Parent::At(parent) => spans.get(*parent).map(|above| (*parent, above)),
            Parent::Root | Parent::Missing => None,
        };
        let own = match above {
            Some((parent, above)) if !is_crossed(above, span) => {
                of.get(parent).copied().unwrap_or_default()
            }
            _ => {
                let is_root = *parent == Parent::Root;
                visits.push(Visit {
                    top: *index,
                    caller: above.map(|(parent, _)| parent),
                    is_request: is_root || above.is_some() || span.side == Side::Incoming,
                    is_orphan: *parent == Parent::Missing,
                    application: None,
                    proxy: None,
                });
                visits.len() - 1
            }
        };
        if let Some(of) = of.get_mut(*index) {
            *of = own;
        }
        if let Some(visit) = visits.get_mut(own) {
            let name = match span.is_proxy {
                true => &mut visit.proxy,
                false => &mut visit.application,
            };
            name.get_or_insert(span.service);
        }
    }
    Visits {
        spans,
        parents,
        order,
        of,
        visits,
    }
}

/// Returns true if a request lies between a parent and its child.
fn is_crossed(parent: &Fact, child: &Fact) -> bool {
    if parent.side == Side::Outgoing && child.side == Side::Incoming {
        return true;
    }
    let is_same_pod = parent.pod.is_same(child.pod);
    if parent.service == child.service {
        return is_same_pod == Some(false);
    }
    if let (Some(is_same), true) = (is_same_pod, parent.is_proxy || child.is_proxy) {
        return !is_same;
    }
    let is_below_sidecar = parent.is_proxy && parent.side == Side::Incoming && !child.is_proxy;
    let is_above_sidecar = child.is_proxy && child.side == Side::Outgoing && !parent.is_proxy;
    !(is_below_sidecar || is_above_sidecar)
}
