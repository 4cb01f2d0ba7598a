//! Deciders besides the percentages: rules, a rate limit, a remote source of percentages, and keeping after the
//! response.
//!
//! The sentences and their order are here; one function, [`OtherRules::of`], reads the configuration.

use sidespan_core::config::Config;
use sidespan_core::direction::Direction;
use sidespan_core::sampling::request_match::Match;
use sidespan_core::sampling::settings::Keep;

use super::step::{Step, share, step};
use super::wording::{condition, duration};

/// All settings of decisions besides `percentage`, `namespaces`, `exclude` and `trust`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OtherRules {
    /// `sampling.rules`, in order.
    pub rules: Vec<(Match, f64)>,
    /// `sampling.rateLimit.tracesPerSecond`.
    pub traces_per_second: Option<f64>,
    /// `sampling.keep`; `None` where it keeps nothing.
    pub keep: Option<Keep>,
    /// `gateway.keep`, which replaces `sampling.keep` at an edge; `None` where `sampling.keep` holds there, too.
    pub edge_keep: Option<Keep>,
    /// The authority that `sampling.remote` asks.
    pub remote: Option<String>,
}

impl OtherRules {
    /// Reads the settings of a configuration. Nothing is kept where nothing is exported.
    pub fn of(config: &Config) -> Self {
        let Some(sampling) = &config.sampling else {
            return Self::default();
        };
        let exports = config.export.otlp.as_ref();
        Self {
            rules: sampling
                .rules
                .iter()
                .map(|rule| (rule.condition.clone(), rule.percentage))
                .collect(),
            traces_per_second: sampling.traces_per_second,
            keep: exports.map(|_| sampling.keep),
            edge_keep: exports.and(config.gateway_keep),
            remote: sampling
                .remote
                .as_ref()
                .map(|remote| remote.authority.clone()),
        }
    }

    /// Returns the steps of the rules.
    pub(super) fn rules(&self) -> impl Iterator<Item = Step> {
        self.rules
            .iter()
            .enumerate()
            .map(|(index, (asked, percentage))| {
                let what = format!("a new trace from a request {}", condition(asked));
                share(rule_key(index), &what, *percentage)
            })
    }

    /// Returns the step on percentages from a remote source.
    pub(super) fn remote(&self) -> Option<Step> {
        let asked = self.remote.as_ref()?;
        Some(step(
            "sampling.remote",
            format!(
                "once {asked} has present: its percentages in place of the following, by sampling.remote"
            ),
        ))
    }

    /// Returns the steps after the percentages (the rate limit), and after the response (keep).
    pub(super) fn afterwards(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(rate) = self.traces_per_second {
            steps.push(step(
                "sampling.rateLimit.tracesPerSecond",
                format!("more than {rate} new traces a second and worker: not traced, by sampling.rateLimit.tracesPerSecond"),
            ));
        }
        for (keep, key, place) in [
            (self.keep, "sampling.keep", ""),
            (self.edge_keep, "gateway.keep", "at an edge, "),
        ] {
            let Some(keep) = keep.filter(|keep| !causes(keep).is_empty()) else {
                continue;
            };
            steps.push(step(
                key,
                format!(
                    "{place}of what was not sampled, {} kept after the response, at most {} spans a second and worker, by {key}",
                    causes(&keep).join(" and "),
                    keep.spans_per_second
                ),
            ));
        }
        steps
    }

    /// Returns the end of an answer on one request: `errors kept`.
    pub fn kept(&self, direction: Direction) -> Option<String> {
        let at_edge = self.edge_keep.filter(|_| direction == Direction::Edge);
        let causes = causes(&at_edge.or(self.keep)?);
        (!causes.is_empty()).then(|| format!("{} kept", causes.join(" and ")))
    }

    /// Returns the part of an answer on one request about the rate limit.
    pub fn limited(&self) -> Option<String> {
        let rate = self.traces_per_second?;
        Some(format!("at most {rate} new traces a second and worker"))
    }
}

/// Returns the causes of keeping; none where no span may be kept.
fn causes(keep: &Keep) -> Vec<String> {
    if keep.spans_per_second <= 0.0 {
        return Vec::new();
    }
    let errors = keep.errors.then(|| "errors".to_owned());
    let slow = keep
        .slower_than
        .map(|limit| format!("requests slower than {}", duration(limit)));
    errors.into_iter().chain(slow).collect()
}

/// Returns the key of a rule.
pub(crate) fn rule_key(index: usize) -> String {
    format!("sampling.rules[{index}]")
}
