//! Settings of sampling: percentages, rules, exclusions, limits, and spans that are kept after the response.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;

use super::request_match::Match;
use crate::pattern;

/// The settings of `$.sampling`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// The general percentage for roots and undecided contexts, 0 to 100.
    pub percentage: f64,
    /// Percentages by patterns of the workload's own namespace.
    pub namespaces: Vec<(String, f64)>,
    /// Rules, which go before namespaces; the first rule that matches decides.
    pub rules: Vec<Rule>,
    /// Requests that are not traced at all.
    pub exclude: Vec<Match>,
    /// The limit of new roots a second.
    pub traces_per_second: Option<f64>,
    /// The rules by which spans are kept.
    pub keep: Keep,
    /// True if `th` is written into `tracestate`.
    pub consistent: bool,
    /// The server that percentages are fetched from.
    pub remote: Option<Remote>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            percentage: 1.0,
            namespaces: [].into(),
            rules: Vec::new(),
            exclude: Match::default_excludes(),
            traces_per_second: None,
            keep: Keep::default(),
            consistent: true,
            remote: None,
        }
    }
}

impl Sampling {
    /// Returns true if any trace may be sampled with a probability below 1.
    pub(crate) fn is_below_all(&self) -> bool {
        let namespaces = self.namespaces.iter().map(|(_, percentage)| *percentage);
        let rules = self.rules.iter().map(|rule| rule.percentage);
        let mut all = [self.percentage].into_iter().chain(namespaces).chain(rules);
        all.any(|percentage| percentage < 100.0)
            || self.remote.is_some()
            || self.traces_per_second.is_some()
    }

    /// Returns the percentage for roots of a workload in this namespace.
    pub fn percentage_for(&self, namespace: Option<&str>) -> f64 {
        self.entry_for(namespace)
            .map_or(self.percentage, |(_, percentage)| *percentage)
    }

    /// Returns the entry of `namespaces` that decides: the exact name, then the pattern with the most literal
    /// characters, then the first in the alphabet. A workload without a namespace is matched by `*` alone.
    ///
    /// `None` where none matches and the general percentage holds.
    pub fn entry_for(&self, namespace: Option<&str>) -> Option<&(String, f64)> {
        let Some(namespace) = namespace.filter(|namespace| !namespace.is_empty()) else {
            return self.namespaces.iter().find(|(pattern, _)| pattern == "*");
        };
        self.namespaces
            .iter()
            .filter(|(pattern, _)| pattern::matches(pattern, namespace.as_bytes()))
            .min_by_key(|(pattern, _)| {
                (
                    pattern.contains('*'),
                    Reverse(pattern::literal_characters(pattern)),
                    pattern.as_str(),
                )
            })
    }
}

/// An entry of `$.sampling.rules`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The condition on the request.
    pub condition: Match,
    /// The percentage for roots and undecided contexts, 0 to 100.
    pub percentage: f64,
}

/// The settings of `$.sampling.keep`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keep {
    /// True if spans of failed exchanges are kept.
    pub errors: bool,
    /// The duration beyond which the span of an exchange is kept.
    pub slower_than: Option<Duration>,
    /// The limit of kept spans a second.
    pub spans_per_second: f64,
    /// True if callers read of kept spans in `server-timing`.
    pub tell: bool,
}

impl Keep {
    /// Returns true if these rules can keep any span.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        (self.errors || self.slower_than.is_some()) && self.spans_per_second > 0.0
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            errors: true,
            slower_than: None,
            spans_per_second: SPANS_PER_SECOND,
            tell: true,
        }
    }
}

/// The settings of `$.sampling.remote`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Envoy's name of the server's cluster.
    pub cluster: String,
    /// `:authority` of the request.
    pub authority: String,
    /// `:path` of the request, without its query.
    pub path: String,
    /// The time between two requests.
    pub interval: Duration,
}

const SPANS_PER_SECOND: f64 = 50.0;
