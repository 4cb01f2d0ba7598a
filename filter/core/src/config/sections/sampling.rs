//! `$.sampling`: whether and how roots are decided here; and the kinds of it that `$.gateway` has as well.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;

use super::request_match::{Match, exclude, matching};
use crate::config::address::{PORTS, authority_of, cluster_of};
use crate::config::cursor::At;
use crate::config::scalars::ANY_DURATION;
use crate::pattern;

/// `$.sampling`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// For roots and undecided contexts, 0 to 100.
    pub percentage: f64,
    /// By the workload's own namespace.
    pub namespaces: Vec<(String, f64)>,
    /// Before namespaces, the first that matches.
    pub rules: Vec<Rule>,
    /// Requests that are not traced at all.
    pub exclude: Vec<Match>,
    /// New roots a second, at most.
    pub traces_per_second: Option<f64>,
    /// Which spans are kept though they were not sampled.
    pub keep: Keep,
    /// Whether the probability is told to others.
    pub consistent: bool,
    /// Where percentages are fetched.
    pub remote: Option<Remote>,
}

/// An entry of `$.sampling.rules`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What the request must be like.
    pub condition: Match,
    /// 0 to 100.
    pub percentage: f64,
}

/// `$.sampling.keep`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keep {
    /// Spans of exchanges that failed.
    pub errors: bool,
    /// Spans of exchanges that took longer.
    pub slower_than: Option<Duration>,
    /// Spans a second, at most.
    pub spans_per_second: f64,
    /// Whether the caller is told.
    pub tell: bool,
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

/// `$.sampling.remote`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Envoy's name of the cluster.
    pub cluster: String,
    /// `:authority` of the request.
    pub authority: String,
    /// `:path` of the request, without its query.
    pub path: String,
    /// How often it is asked.
    pub interval: Duration,
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

    pub(in crate::config) fn read(at: At<'_>) -> Self {
        let mut sampling = Self::default();
        let known = [
            "percentage",
            "namespaces",
            "rules",
            "exclude",
            "rateLimit",
            "keep",
            "remote",
            "consistent",
        ];
        at.object(&known, |key, at| match key {
            "percentage" => sampling.percentage = at.percentage().unwrap_or(sampling.percentage),
            "namespaces" => {
                at.names(MAX_NAMESPACES, |pattern, at| {
                    if pattern.is_empty() {
                        at.error(
                            "expected the name of a namespace or a pattern, found an empty key",
                        );
                    }
                    if let Some(percentage) = at.percentage() {
                        sampling.namespaces.push((pattern.into(), percentage));
                    }
                });
            }
            "rules" => {
                at.list("rules", MAX_RULES, |at| {
                    sampling.rules.extend(Rule::read(at));
                });
            }
            "exclude" => sampling.exclude = exclude(at),
            "rateLimit" => {
                at.object(&["tracesPerSecond"], |_, at| {
                    sampling.traces_per_second = at.rate();
                });
            }
            "keep" => sampling.keep = Keep::read(at),
            "remote" => sampling.remote = Remote::read(at),
            _ => sampling.consistent = at.boolean().unwrap_or(sampling.consistent),
        });
        sampling
    }
}

impl Rule {
    fn read(at: At<'_>) -> Option<Self> {
        let (mut condition, mut percentage) = (None, None);
        let is_object = at.object(&["match", "percentage"], |key, at| match key {
            "match" => condition = Some(matching(at)),
            _ => percentage = at.percentage(),
        });
        if is_object {
            at.required("match");
            at.required("percentage");
        }
        Some(Self {
            condition: condition?,
            percentage: percentage?,
        })
    }
}

impl Keep {
    pub(in crate::config) fn read(at: At<'_>) -> Self {
        let mut keep = Self::default();
        let known = ["errors", "slowerThan", "spansPerSecond", "tell"];
        at.object(&known, |key, at| match key {
            "errors" => keep.errors = at.boolean().unwrap_or(keep.errors),
            "slowerThan" => keep.slower_than = at.duration(ANY_DURATION),
            "spansPerSecond" => {
                keep.spans_per_second = at.rate().unwrap_or(keep.spans_per_second);
            }
            _ => keep.tell = at.boolean().unwrap_or(keep.tell),
        });
        keep
    }
}

impl Remote {
    fn read(at: At<'_>) -> Option<Self> {
        let (mut service, mut cluster, mut port) = (None, None, None);
        let (mut path, mut interval) = (None, None);
        let known = ["service", "port", "cluster", "path", "interval"];
        let is_object = at.object(&known, |key, at| match key {
            "service" => service = at.host().map(ToString::to_string),
            "port" => port = at.integer(PORTS),
            "cluster" => cluster = at.cluster_name().map(ToString::to_string),
            "path" => path = at.request_path().map(ToString::to_string),
            _ => interval = at.duration(ANY_DURATION),
        });
        if !is_object {
            return None;
        }
        at.service_or_cluster();
        let cluster =
            cluster.or_else(|| Some(cluster_of(&service?, port.unwrap_or(REMOTE_PORT))))?;
        Some(Self {
            authority: authority_of(&cluster),
            cluster,
            path: path.unwrap_or_else(|| REMOTE_PATH.into()),
            interval: interval.unwrap_or(REMOTE_INTERVAL),
        })
    }
}

/// Where the sampling server of Jaeger, and of the OpenTelemetry Collector, listens and answers.
const REMOTE_PORT: u64 = 5778;
const REMOTE_PATH: &str = "/sampling";
const REMOTE_INTERVAL: Duration = Duration::from_secs(60);
const MAX_NAMESPACES: usize = 256;
const MAX_RULES: usize = 64;
const SPANS_PER_SECOND: f64 = 50.0;
