//! The names that the guest has asked Envoy's resolver for (`envoy_resolve_dns`).

use std::collections::BTreeMap;

/// A name that the guest has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsQuery {
    /// The guest's number for the query, for the answer.
    pub token: u32,
    /// The name.
    pub name: String,
}

/// All queries of one VM.
#[derive(Debug, Default)]
pub(crate) struct DnsQueries {
    given: u32,
    roots: BTreeMap<u32, u32>,
    fresh: Vec<DnsQuery>,
}

impl DnsQueries {
    /// Adds a query of a root context and returns its token: 2, 3, … as Envoy counts.
    pub(crate) fn begin(&mut self, root: u32, name: String) -> u32 {
        const FIRST: u32 = 2;
        let token = FIRST.wrapping_add(self.given);
        self.given = self.given.wrapping_add(1);
        self.roots.insert(token, root);
        self.fresh.push(DnsQuery { token, name });
        token
    }

    pub(crate) fn take_fresh(&mut self) -> Vec<DnsQuery> {
        std::mem::take(&mut self.fresh)
    }

    /// Ends a query and returns the root context that it belongs to.
    pub(crate) fn end(&mut self, token: u32) -> Option<u32> {
        self.fresh.retain(|query| query.token != token);
        self.roots.remove(&token)
    }
}
