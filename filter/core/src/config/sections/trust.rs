//! The sections `$.trust` and `$.gateway.trust`: the trust in a received context.

use crate::config::cursor::Cursor;
use crate::propagation::settings::{ContextTrust, Trust};

impl Trust {
    pub(in crate::config) fn read(at: Cursor<'_>) -> Self {
        let mut trust = Self::default();
        at.object(
            &["context", "decision", "debug", "jaegerDebug"],
            |key, at| match key {
                "context" => trust.context = at.choice(&CONTEXT_TRUSTS).unwrap_or(trust.context),
                "decision" => {
                    trust.decision = at.choice(&DECISION_TRUSTS).unwrap_or(trust.decision);
                }
                "debug" => trust.debug = at.boolean().unwrap_or(trust.debug),
                _ => trust.jaeger_debug = at.boolean().unwrap_or(trust.jaeger_debug),
            },
        );
        trust
    }
}

/// The words of `context`.
pub const CONTEXT_TRUSTS: [(&str, ContextTrust); 3] = [
    ("accept", ContextTrust::Accept),
    ("restart", ContextTrust::Restart),
    ("ignore", ContextTrust::Ignore),
];
/// The words of `decision`.
pub const DECISION_TRUSTS: [(&str, bool); 2] = [("accept", true), ("ignore", false)];
