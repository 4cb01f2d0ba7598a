//! The section `$.sampling`: decisions on roots, and the limits of kept spans that `$.gateway` has as well.

use alloc::string::ToString;
use core::time::Duration;

use super::request_match::{exclude, matching};
use crate::config::address::{PORTS, authority_of, cluster_of};
use crate::config::cursor::Cursor;
use crate::config::scalars::ANY_DURATION;
use crate::sampling::settings::{Keep, Remote, Rule, Sampling};

impl Sampling {
    pub(in crate::config) fn read(at: Cursor<'_>) -> Self {
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
                at.map(MAX_NAMESPACES, |pattern, at| {
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
    fn read(at: Cursor<'_>) -> Option<Self> {
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
    pub(in crate::config) fn read(at: Cursor<'_>) -> Self {
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
    fn read(at: Cursor<'_>) -> Option<Self> {
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

/// Port of the sampling server of Jaeger and of the OpenTelemetry Collector.
pub const REMOTE_PORT: u64 = 5778;
/// Path of the same servers.
pub const REMOTE_PATH: &str = "/sampling";
/// Time between two requests for percentages.
pub const REMOTE_INTERVAL: Duration = Duration::from_secs(60);
/// Entries of `$.sampling.namespaces`, at most.
pub const MAX_NAMESPACES: usize = 256;
/// Entries of `$.sampling.rules`, at most.
pub const MAX_RULES: usize = 64;
