//! The answers of the clusters that filters call.

use std::collections::BTreeMap;

use anyhow::bail;
use schemars::JsonSchema;
use serde::Deserialize;

use super::exchange::check_sent;
use crate::run::body::Body;
use crate::run::length::Length;
use crate::run::lines::Lines;

/// The answer to one call: 200 without a body, unless it says otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(in crate::run) struct Answer {
    /// Time that the cluster needs.
    pub(in crate::run) after: Option<Length>,
    /// `:status`, 200 by default.
    pub(in crate::run) status: Option<u16>,
    /// All other headers, for gRPC the initial metadata.
    pub(in crate::run) headers: BTreeMap<String, Lines>,
    /// The body of an HTTP answer.
    pub(in crate::run) body: Body,
    /// Trailers, for gRPC the trailing metadata.
    pub(in crate::run) trailers: BTreeMap<String, Lines>,
    /// The answer is one of gRPC: these messages, each of which is put into its frame.
    pub(in crate::run) messages: Option<Vec<Body>>,
    /// `grpc-status` of an answer with `messages`, 0 by default.
    pub(in crate::run) grpc_status: Option<u32>,
    /// `grpc-message` of an answer with `messages`.
    pub(in crate::run) grpc_message: Option<String>,
    /// A fault in place of an answer.
    pub(in crate::run) fault: Option<Fault>,
}

impl Answer {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// An answer beside the fault that is in its place, or headers that nobody can send.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let beside = [
            ("status", self.status.is_some()),
            ("headers", !self.headers.is_empty()),
            ("body", !self.body.is_empty()),
            ("trailers", !self.trailers.is_empty()),
            ("messages", self.messages.is_some()),
            ("grpcStatus", self.grpc_status.is_some()),
            ("grpcMessage", self.grpc_message.is_some()),
        ];
        if let (Some(_), Some((name, _))) = (self.fault, beside.iter().find(|(_, is)| *is)) {
            bail!(
                "`{name}` and `fault` are both there, and a fault comes in place of an answer; leave out one"
            );
        }
        check_sent("headers", &self.headers)?;
        check_sent("trailers", &self.trailers)
    }
}

/// A fault in place of an answer.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(in crate::run) enum Fault {
    /// The stream is reset before an answer.
    Reset,
    /// Nothing listens at the cluster's address; then every call to the cluster fails.
    Unreachable,
    /// The cluster has no hosts; then every call to the cluster fails.
    NoHosts,
    /// No answer ever comes.
    Silence,
}
