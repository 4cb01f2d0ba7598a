//! Why Envoy answers so, what the SDKs make of it, and what it does to traffic: a record apart from the guest's log.
//!
//! Each refused host call has an entry, and each accepted one whose effect is hardly what its author wants. The texts stand
//! in one table, [`Situation::text`], and the statuses that the Rust SDK accepts in another, [`RUST_SDK`].

mod sdk;
mod situation;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

pub use situation::Situation;

use crate::abi_types::Status;

/// One thing that a guest did and that deserves a word: why Envoy answers so, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The host function, or the callback whose outcome this is about.
    pub function: &'static str,
    /// The callback in which the guest called it.
    pub callback: &'static str,
    /// The context that was called; 0 is the VM itself.
    pub context: u32,
    /// The answer; OK for a call that Envoy takes, and whose effect is surprising.
    pub status: Status,
    /// The situation, for a call that Envoy takes.
    pub situation: Option<Situation>,
    /// The reason for the answer, or the effect of the call.
    pub why: Cow<'static, str>,
}

impl Explanation {
    /// Returns what the SDKs make of the answer.
    pub fn sdks(&self) -> &'static str {
        match self.situation {
            Some(situation) => situation.text().sdks,
            None => sdk::reaction(self.function, self.status),
        }
    }

    /// Returns what the answer does to traffic, if the filter is written with an SDK.
    pub fn traffic(&self) -> &'static str {
        match self.situation {
            Some(situation) => situation.text().traffic,
            None if sdk::panics(self.function, self.status) => sdk::FAILED_VM,
            None => sdk::NO_EFFECT,
        }
    }

    /// Returns true if the call ends the Envoy process itself, and so every connection of it.
    pub fn kills_envoy(&self) -> bool {
        self.situation
            .is_some_and(|situation| situation.text().kills_envoy)
    }

    /// Returns true if the Rust SDK panics on the answer, which fails the VM.
    pub fn panics_in_rust_sdk(&self) -> bool {
        self.situation.is_none() && sdk::panics(self.function, self.status)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            function,
            callback,
            status,
            why,
            ..
        } = self;
        write!(
            formatter,
            "{function} in {callback}: {status}: {why}. {}. {}.",
            self.sdks(),
            self.traffic()
        )
    }
}

/// The last explanations, at most `MAX_EXPLANATIONS`.
#[derive(Debug, Default)]
pub(crate) struct Explanations(VecDeque<Explanation>);

impl Explanations {
    pub(crate) fn push(&mut self, explanation: Explanation) {
        if self.0.len() == MAX_EXPLANATIONS {
            self.0.pop_front();
        }
        self.0.push_back(explanation);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Explanation> {
        self.0.iter()
    }

    pub(crate) fn take(&mut self) -> Vec<Explanation> {
        self.0.drain(..).collect()
    }
}

/// A bound that Envoy does not need, because a guest that is refused on every request must not fill the memory.
const MAX_EXPLANATIONS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(function: &'static str, status: Status) -> Explanation {
        Explanation {
            function,
            callback: "proxy_on_tick",
            context: 1,
            status,
            situation: None,
            why: "there is none".into(),
        }
    }

    #[test]
    fn says_what_a_panic_of_the_rust_sdk_does_to_traffic() {
        let get = refused("proxy_get_header_map_value", Status::BadArgument);
        assert!(
            get.panics_in_rust_sdk() && get.traffic().contains("503"),
            "{get}"
        );
        let get = refused("proxy_get_header_map_value", Status::NotFound);
        assert!(
            !get.panics_in_rust_sdk() && !get.traffic().contains("503"),
            "{get}"
        );
    }

    #[test]
    fn names_the_calls_that_end_envoy_itself() {
        let killing = Situation::ALL
            .iter()
            .filter(|situation| situation.text().kills_envoy);
        assert_eq!(
            killing.collect::<Vec<_>>(),
            [
                &Situation::ResumedNoResponse,
                &Situation::ReplyAfterEnd,
                &Situation::ClosedAfterEnd,
                &Situation::ClusterNameIsMessage
            ]
        );
    }

    #[test]
    fn reads_as_one_sentence_after_another() {
        let text = refused("proxy_done", Status::NotFound).to_string();
        assert!(
            text.starts_with("proxy_done in proxy_on_tick: NOT_FOUND: there is none. "),
            "{text}"
        );
    }

    #[test]
    fn keeps_the_last_thousand() {
        let mut explanations = Explanations::default();
        for _ in 0..=MAX_EXPLANATIONS {
            explanations.push(refused("proxy_done", Status::NotFound));
        }
        assert_eq!(explanations.iter().count(), MAX_EXPLANATIONS);
        assert_eq!(explanations.take().len(), MAX_EXPLANATIONS);
    }
}
