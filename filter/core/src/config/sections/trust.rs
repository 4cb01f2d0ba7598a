//! `$.trust`, and `$.gateway.trust` in its place: what is believed of a context that comes in.

use crate::config::cursor::At;

/// `$.trust`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    /// What becomes of the ids.
    pub context: ContextTrust,
    /// Whether a received decision is followed.
    pub decision: bool,
    /// Whether debug is more than sampled.
    pub debug: bool,
    /// Whether Jaeger's debug bit is believed, which some senders set on every sampled span.
    pub jaeger_debug: bool,
}

/// `$.trust.context`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextTrust {
    /// The trace continues.
    Accept,
    /// A new trace begins, linked to the old one.
    Restart,
    /// A new trace begins.
    Ignore,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            context: ContextTrust::Accept,
            decision: true,
            debug: true,
            jaeger_debug: false,
        }
    }
}

impl Trust {
    pub(in crate::config) fn read(at: At<'_>) -> Self {
        let mut trust = Self::default();
        at.object(
            &["context", "decision", "debug", "jaegerDebug"],
            |key, at| match key {
                "context" => trust.context = at.choice(&CONTEXT_TRUSTS).unwrap_or(trust.context),
                "decision" => {
                    trust.decision = at
                        .choice(&[("accept", true), ("ignore", false)])
                        .unwrap_or(trust.decision);
                }
                "debug" => trust.debug = at.boolean().unwrap_or(trust.debug),
                _ => trust.jaeger_debug = at.boolean().unwrap_or(trust.jaeger_debug),
            },
        );
        trust
    }
}

const CONTEXT_TRUSTS: [(&str, ContextTrust); 3] = [
    ("accept", ContextTrust::Accept),
    ("restart", ContextTrust::Restart),
    ("ignore", ContextTrust::Ignore),
];
