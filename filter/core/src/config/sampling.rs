//! `$.sampling`: whether and how roots are decided here; and the kinds of it that `$.gateway` has as well.

use alloc::string::String;
use core::cmp::Reverse;

use super::Sampling;
use super::collector::PORTS;
use super::matching::{Match, exclude, matching};
use super::value::ANY_DURATION;
use super::walk::At;
use crate::pattern;

impl Default for Sampling {
    fn default() -> Self {
        Self {
            percentage: 1.0,
            namespaces: [].into(),
            exclude: Match::default_excludes(),
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

    pub(super) fn read(at: At<'_>) -> Self {
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
            "rules" => at.only(0, at.list("rules", MAX_RULES, rule)),
            "exclude" => sampling.exclude = exclude(at),
            "rateLimit" => {
                at.object(&["tracesPerSecond"], |_, at| {
                    at.only(None, at.rate().map(Some))
                });
            }
            "keep" => keep(at, |_| {}),
            "remote" => {
                remote(at);
                at.not_built();
            }
            _ => {
                at.boolean();
            }
        });
        sampling
    }
}

fn rule(at: At<'_>) {
    let is_object = at.object(&["match", "percentage"], |key, at| match key {
        "match" => {
            matching(at);
        }
        _ => {
            at.percentage();
        }
    });
    if is_object {
        at.required("match");
        at.required("percentage");
    }
}

/// `keep`; `unlike` is told of every value that is not the default.
pub(super) fn keep(at: At<'_>, unlike: impl Fn(At<'_>)) {
    at.object(
        &["errors", "slowerThan", "spansPerSecond", "tell"],
        |key, at| {
            let is_default = match key {
                "errors" | "tell" => at.boolean() != Some(false),
                "slowerThan" => at.duration(ANY_DURATION).is_none(),
                _ => at
                    .rate()
                    .is_none_or(|rate| rate.total_cmp(&SPANS_PER_SECOND).is_eq()),
            };
            if !is_default {
                unlike(at);
            }
        },
    );
}

fn remote(at: At<'_>) {
    let is_object = at.object(
        &["service", "port", "cluster", "path", "interval"],
        |key, at| match key {
            "service" => {
                at.host();
            }
            "port" => {
                at.integer(PORTS);
            }
            "cluster" => {
                at.cluster_name();
            }
            "path" => {
                at.request_path();
            }
            _ => {
                at.duration(ANY_DURATION);
            }
        },
    );
    if is_object {
        at.service_or_cluster();
    }
}

const MAX_NAMESPACES: usize = 256;
const MAX_RULES: usize = 64;
const SPANS_PER_SECOND: f64 = 50.0;
