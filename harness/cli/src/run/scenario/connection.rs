//! One TCP connection of a scenario.

use std::time::Duration;

use anyhow::ensure;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::run::body::Body;
use crate::run::length::Length;
use crate::run::lines::Lines;

/// One TCP connection, what happens on it in order, and the expectations on it. Each step has its effect before the next
/// begins.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::run) struct Connection {
    /// Name for people.
    #[serde(default)]
    pub(in crate::run) name: String,
    /// Time that passes before the connection.
    #[serde(default)]
    pub(in crate::run) wait: Option<Length>,
    /// The actions of client and upstream.
    #[serde(default)]
    pub(in crate::run) steps: Vec<TcpStep>,
    /// Expectations on the bytes at both ends.
    #[serde(default)]
    pub(in crate::run) expect: TcpExpectation,
}

/// One step of a connection: bytes, the end of what a peer sends, or the end of the connection.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::run) struct TcpStep {
    /// Bytes that the client sends.
    pub(in crate::run) client: Option<Body>,
    /// Bytes that the upstream sends.
    pub(in crate::run) upstream: Option<Body>,
    /// The peer that sends nothing more, but still receives (half close).
    pub(in crate::run) ends: Option<Peer>,
    /// The peer that goes away.
    pub(in crate::run) closes: Option<Peer>,
}

/// A peer of the proxy.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(in crate::run) enum Peer {
    /// The client.
    Client,
    /// The upstream.
    Upstream,
}

/// Expectations on a connection.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(in crate::run) struct TcpExpectation {
    /// False if no connection may reach the upstream, true if one must.
    pub(in crate::run) reaches_upstream: Option<bool>,
    /// All bytes that the upstream receives; text is a pattern.
    pub(in crate::run) upstream: Option<Lines>,
    /// All bytes that the client receives; text is a pattern.
    pub(in crate::run) downstream: Option<Lines>,
    /// True if the upstream must see the end of the client's bytes, false if it must not.
    pub(in crate::run) upstream_ends: Option<bool>,
    /// True if the client must see the end of the upstream's bytes, false if it must not.
    pub(in crate::run) downstream_ends: Option<bool>,
}

impl Connection {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for (at, step) in self.steps.iter().enumerate() {
            let parts = [
                step.client.is_some(),
                step.upstream.is_some(),
                step.ends.is_some(),
                step.closes.is_some(),
            ];
            let count = parts.iter().filter(|is_there| **is_there).count();
            ensure!(
                count == 1,
                "`steps[{at}]` is {count} things; write one of `client`, `upstream`, `ends` and `closes` in each step"
            );
        }
        Ok(())
    }

    /// Returns the time that passes within the connection.
    pub(in crate::run) fn length(&self) -> Duration {
        let bodies = self.steps.iter();
        let bodies = bodies.flat_map(|step| step.client.iter().chain(&step.upstream));
        bodies.map(|body| body.after).sum()
    }
}
