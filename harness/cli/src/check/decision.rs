//! What the filter would decide on one request: asked of the filter itself, with the key that decided.
//!
//! The filter decides, with a proxy in memory, on the headers, the direction and the workload of the question, and its
//! counters say for which reason; which entry of a list it was is found by asking the filter about each entry alone. So an
//! answer can not differ from what the proxy does.

use serde::Serialize;
use sidespan_core::config::{Config, Role};
use sidespan_core::direction::Direction;
use sidespan_core::filter::{Filter, StreamState};
use sidespan_core::id_generator::SequentialBytes;
use sidespan_core::in_memory::header_list::HeaderList;
use sidespan_core::in_memory::proxy::InMemoryProxy;
use sidespan_core::node::Node;
use sidespan_core::sampling::request_match::Match;
use sidespan_core::sampling::settings::Sampling;
use sidespan_core::span::Span;
use sidespan_core::stats::Counter;

use super::explain::namespace_key;
use super::explain::other_rules::{OtherRules, rule_key};
use super::explain::wording::{condition, percent};

mod request;

pub use request::Question;

/// The decision on a request, and the key that takes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// `sampled`, `dropped`, `excluded`, `percentage` where a share is kept, `untouched` where nothing is decided, or
    /// `elsewhere` where the plugin is not at work.
    pub decision: &'static str,
    /// The percentage of new traces, where a percentage decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<f64>,
    /// The filter's own word for it, as on spans and in counters.
    pub reason: String,
    /// The key that decided.
    pub key: String,
    /// All of it in a sentence.
    pub sentence: String,
}

impl Question {
    /// The answer of a plugin that is not at work there.
    pub(super) fn elsewhere(&self, why: String) -> Answer {
        Answer {
            sentence: format!("{self}: {why}"),
            decision: "elsewhere",
            percentage: None,
            reason: "none".into(),
            key: String::new(),
        }
    }

    /// Asks the filter with this configuration.
    pub fn answer(&self, config: &Config) -> Answer {
        self.answer_with(config, &OtherRules::of(config))
    }

    pub(super) fn answer_with(&self, config: &Config, other_rules: &OtherRules) -> Answer {
        let Some(sampling) = config
            .sampling
            .as_ref()
            .filter(|_| config.role == Role::Request)
        else {
            return self.undecided(config);
        };
        let decided = self.reason(config);
        match decided {
            Some(Counter::DroppedExclude) => {
                let (key, default) = self.excluded_by(config, sampling);
                let what = match default {
                    Some(entry) => format!("not traced, as one {entry}, by the default of"),
                    None => "not traced, by".into(),
                };
                self.say("excluded", "exclude", key, &what)
            }
            Some(Counter::SampledReceived) => {
                let key = self.trust_key(config, "decision");
                self.say(
                    "sampled",
                    "received",
                    key,
                    "recorded as the caller decided, by",
                )
            }
            Some(Counter::DroppedReceived) => {
                let key = self.trust_key(config, "decision");
                self.say(
                    "dropped",
                    "received",
                    key,
                    "not recorded as the caller decided, by",
                )
            }
            Some(Counter::SampledDebug) => {
                let key = self.trust_key(config, "debug");
                self.say(
                    "sampled",
                    "debug",
                    key,
                    "recorded as the caller asks for debugging, by",
                )
            }
            _ => self.share(sampling, other_rules),
        }
    }

    /// The order of section 6.8 behind the received decision: rules, namespaces, percentage, rate limit; keep.
    fn share(&self, sampling: &Sampling, other_rules: &OtherRules) -> Answer {
        let rule = other_rules
            .rules
            .iter()
            .position(|(asked, _)| self.fits(asked));
        let (reason, key, percentage) = match rule
            .and_then(|at| Some((at, other_rules.rules.get(at)?)))
        {
            Some((at, (_, percentage))) => ("rule", rule_key(at), *percentage),
            None => match sampling.entry_for(self.namespace.as_deref()) {
                Some((pattern, percentage)) => ("namespace", namespace_key(pattern), *percentage),
                None => ("default", "sampling.percentage".into(), sampling.percentage),
            },
        };
        let is_remote = other_rules.remote.is_some() && rule.is_none();
        let until = is_remote.then(|| "until sampling.remote has present".to_owned());
        let more = until
            .into_iter()
            .chain(other_rules.limited())
            .chain(other_rules.kept(self.direction));
        let mut sentence = format!("{self}: {} by {key}", percent(percentage));
        for part in more {
            sentence += "; ";
            sentence += &part;
        }
        Answer {
            decision: "percentage",
            percentage: Some(percentage),
            reason: reason.into(),
            key,
            sentence,
        }
    }

    fn undecided(&self, config: &Config) -> Answer {
        let (reason, key, what) = match config.role {
            Role::Attempt => (
                "attempt",
                "role",
                "each try follows the decision that the request carries",
            ),
            Role::Request => (
                "none",
                "sampling",
                "translated and not decided, for neither sampling nor export.otlp is set",
            ),
        };
        Answer {
            sentence: format!("{self}: {what}"),
            decision: "untouched",
            percentage: None,
            reason: reason.into(),
            key: key.into(),
        }
    }

    fn say(&self, decision: &'static str, reason: &str, key: String, what: &str) -> Answer {
        Answer {
            sentence: format!("{self}: {what} {key}"),
            decision,
            percentage: None,
            reason: reason.into(),
            key,
        }
    }

    /// The counter that moves when the filter decides on this request.
    fn reason(&self, config: &Config) -> Option<Counter> {
        let node = Node {
            namespace: self.namespace.clone(),
            labels: self.labels.clone(),
            ..Node::default()
        };
        let config = Config {
            direction: Some(self.direction),
            ..config.clone()
        };
        let proxy = InMemoryProxy::default();
        proxy.open(HeaderList::new(self.headers.iter().cloned()));
        // Ids do not matter here: what is asked for is the reason, and a percentage is told as such.
        let ids = SequentialBytes(1);
        let no_exporter = None::<Vec<Span>>;
        let mut filter = Filter::new(&config, &node, "", proxy, ids, no_exporter, None);
        filter.on_request_headers(&mut StreamState::default());
        filter
            .state
            .stats
            .take()
            .map(|(counter, _)| counter)
            .find(|counter| {
                ["sampled.", "dropped."]
                    .iter()
                    .any(|family| counter.name().starts_with(family))
            })
    }

    /// Returns true if a match describes this request at this workload, as the filter sees it.
    fn fits(&self, asked: &Match) -> bool {
        let alone = Config {
            sampling: Some(Sampling {
                exclude: vec![asked.clone()],
                ..Sampling::default()
            }),
            ..Config::default()
        };
        self.reason(&alone) == Some(Counter::DroppedExclude)
    }

    /// The key of the entry, and the entry in words if nobody wrote it.
    fn excluded_by(&self, config: &Config, sampling: &Sampling) -> (String, Option<String>) {
        let at_edge = config
            .gateway_exclude
            .as_ref()
            .filter(|_| self.direction == Direction::Edge);
        let (list, key) = match at_edge {
            Some(list) => (list, "gateway.exclude"),
            None => (&sampling.exclude, "sampling.exclude"),
        };
        let is_default = *list == Sampling::default().exclude;
        let found = list.iter().position(|asked| self.fits(asked));
        match found {
            Some(index) if !is_default => (format!("{key}[{index}]"), None),
            found => {
                let entry = found.and_then(|index| list.get(index));
                (key.into(), entry.map(condition))
            }
        }
    }

    fn trust_key(&self, config: &Config, what: &str) -> String {
        match config.gateway_trust {
            Some(_) if self.direction == Direction::Edge => format!("gateway.trust.{what}"),
            _ => format!("trust.{what}"),
        }
    }
}

#[cfg(test)]
mod tests;
