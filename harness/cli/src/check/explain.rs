//! The effect of a configuration on a request, in plain sentences, in the order in which the filter decides.
//!
//! ```text
//! exclude > received decision > debug > rules > namespaces > percentage > rate limit;   keep, after the response
//! ```
//!
//! Every sentence names the key behind it, because people have to change the key.

use serde::Serialize;
use sidespan_core::config::{Config, Role};
use sidespan_core::pattern;
use sidespan_core::propagation::settings::{ContextTrust, Trust};
use sidespan_core::sampling::request_match::Match;
use sidespan_core::sampling::settings::Sampling;

pub mod other_rules;
mod step;
pub mod wording;

use other_rules::OtherRules;
pub use step::Step;
use step::{share, step};
use wording::condition;

/// The explanation of a whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// The steps of a decision; the first that holds decides.
    pub steps: Vec<Step>,
}

impl Explanation {
    /// Explains a configuration that is valid.
    pub fn of(config: &Config) -> Self {
        Self::with(config, &OtherRules::of(config))
    }

    fn with(config: &Config, other_rules: &OtherRules) -> Self {
        let mut steps = Vec::new();
        if config.role == Role::Attempt {
            steps.push(step(
                "role",
                "every try of a request: the decision that it carries is followed (role: attempt decides nothing)",
            ));
        } else if let Some(sampling) = &config.sampling {
            excludes(&sampling.exclude, &mut steps);
            if let Some(list) = &config.gateway_exclude {
                at_edges(list, &mut steps);
            }
            received(config, &mut steps);
            percentages(sampling, other_rules, &mut steps);
            steps.extend(other_rules.afterwards());
        } else {
            steps.push(step(
                "sampling",
                "every request: its context is translated and nothing is decided, recorded or excluded, \
                 for neither sampling nor export.otlp is set",
            ));
        }
        Self { steps }
    }
}

/// Returns the key of a namespace's percentage.
pub(super) fn namespace_key(pattern: &str) -> String {
    format!("sampling.namespaces[{pattern:?}]")
}

fn excludes(list: &[Match], steps: &mut Vec<Step>) {
    if list == Sampling::default().exclude {
        // A sentence for each default entry would hide the sentence on an entry that a user wrote.
        let sentence = "a probe of Kubernetes, of Envoy or of a cloud's load balancer, a gRPC health check, a scrape of metrics, \
             an export of OTLP or to Zipkin, Jaeger or Datadog's agent: not traced, by the default of sampling.exclude";
        return steps.push(step("sampling.exclude", sentence));
    }
    for (index, entry) in list.iter().enumerate() {
        let key = format!("sampling.exclude[{index}]");
        let sentence = format!("a request {}: not traced, by {key}", condition(entry));
        steps.push(step(&key, sentence));
    }
}

fn at_edges(list: &[Match], steps: &mut Vec<Step>) {
    if list.is_empty() {
        steps.push(step(
            "gateway.exclude",
            "at an edge: nothing is excluded, by gateway.exclude in place of sampling.exclude",
        ));
    }
    for (index, entry) in list.iter().enumerate() {
        let key = format!("gateway.exclude[{index}]");
        let sentence = format!(
            "at an edge, a request {}: not traced, by {key} in place of sampling.exclude",
            condition(entry)
        );
        steps.push(step(&key, sentence));
    }
}

/// Adds the steps on a decision that comes with a request.
fn received(config: &Config, steps: &mut Vec<Step>) {
    believed("trust", "", config.trust, steps);
    if let Some(trust) = config.gateway_trust {
        believed("gateway.trust", "at an edge, ", trust, steps);
    }
}

fn believed(key: &str, place: &str, trust: Trust, steps: &mut Vec<Step>) {
    let context = format!("{key}.context");
    match trust.context {
        ContextTrust::Accept => {}
        ContextTrust::Restart => {
            return steps.push(step(
                &context,
                format!("{place}a request with a context: a new trace begins, linked to the old one, by {context}: restart"),
            ));
        }
        ContextTrust::Ignore => {
            return steps.push(step(
                &context,
                format!(
                    "{place}a request with a context: a new trace begins, by {context}: ignore"
                ),
            ));
        }
    }
    let (decision, debug) = (format!("{key}.decision"), format!("{key}.debug"));
    if !trust.decision {
        return steps.push(step(
            &decision,
            format!(
                "{place}a request with a decision: decided here all the same, by {decision}: ignore"
            ),
        ));
    }
    steps.push(step(
        &decision,
        format!(
            "{place}a request with a decision: followed, whatever the percentages, by {decision}: accept"
        ),
    ));
    steps.push(step(
        &debug,
        if trust.debug {
            format!("{place}a request that asks for debugging: recorded, by {debug}")
        } else {
            format!(
                "{place}a request that asks for debugging: no more than sampled, by {debug}: false"
            )
        },
    ));
}

fn percentages(sampling: &Sampling, other_rules: &OtherRules, steps: &mut Vec<Step>) {
    steps.extend(other_rules.rules());
    if let Some(step) = other_rules.remote() {
        steps.push(step);
    }
    let mut namespaces: Vec<_> = sampling.namespaces.iter().collect();
    // The order is the filter's: exact names, then the most literal characters, then the alphabet.
    namespaces.sort_by_key(|(pattern, _)| {
        (
            pattern.contains('*'),
            std::cmp::Reverse(pattern::literal_characters(pattern)),
            pattern.as_str(),
        )
    });
    for (pattern, percentage) in namespaces {
        let what = match pattern.as_str() {
            "*" => "a new trace in any other namespace, or in none".into(),
            pattern if pattern.contains('*') => {
                format!("a new trace in a namespace like {pattern}")
            }
            pattern => format!("a new trace in namespace {pattern}"),
        };
        steps.push(share(namespace_key(pattern), &what, *percentage));
    }
    let others = match sampling.namespaces.is_empty() {
        true => "a new trace",
        false => "any other new trace",
    };
    let is_reached = sampling
        .namespaces
        .iter()
        .all(|(pattern, _)| pattern != "*");
    if is_reached {
        steps.push(share(
            "sampling.percentage".into(),
            others,
            sampling.percentage,
        ));
    }
}

#[cfg(test)]
mod tests;
