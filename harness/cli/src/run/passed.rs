//! Messages as they have passed the filters, whatever proxy the filters run in.

use std::collections::BTreeMap;

use super::pattern::Known;
use super::scenario::{Connection, Step};
use super::span::Span;

/// Header fields as bytes, in order.
pub(super) type Fields = Vec<(String, Vec<u8>)>;

/// A request or a response at one end of the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) headers: Fields,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Fields,
}

/// One exchange, at each end.
#[derive(Clone, Debug, Default)]
pub(super) struct Passed {
    /// The request's headers as they came to the first filter.
    pub(super) request: Fields,
    /// The request as it reached the upstream.
    pub(super) upstream: Option<Message>,
    /// True if the request had no body when its headers left.
    pub(super) is_upstream_headers_only: bool,
    /// True if the response had no body when its headers left.
    pub(super) is_downstream_headers_only: bool,
    /// The number of times that the request came to the upstream.
    pub(super) upstream_requests: usize,
    /// The response as it reached the client.
    pub(super) downstream: Option<Message>,
    /// True if the client's stream was reset.
    pub(super) is_reset: bool,
    /// Response code details.
    pub(super) details: Option<String>,
    /// Response flags in Envoy's letters.
    pub(super) flags: String,
}

/// One TCP connection, at each end.
#[derive(Clone, Debug, Default)]
pub(super) struct Tcp {
    /// The bytes that came to the upstream; `None` if no connection did.
    pub(super) upstream: Option<Vec<u8>>,
    /// The bytes that came to the client.
    pub(super) downstream: Vec<u8>,
    /// True if the upstream has seen the end of the client's bytes.
    pub(super) upstream_ends: bool,
    /// True if the client has seen the end of the upstream's bytes.
    pub(super) downstream_ends: bool,
}

/// A call of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) cluster: String,
    pub(super) message: Message,
}

impl Call {
    /// Returns a call as it is compared: without what Envoy writes itself behind the filter, whatever the filter has written.
    pub(super) fn new(cluster: &str, mut message: Message) -> Self {
        let is_of_filter = |name: &str| !OF_ENVOY.contains(&name);
        message.headers.retain(|(name, _)| is_of_filter(name));
        Self {
            cluster: cluster.into(),
            message,
        }
    }
}

/// Headers that Envoy writes into a filter's call.
const OF_ENVOY: [&str; 5] = [
    "x-envoy-internal",
    "x-envoy-expected-rq-timeout-ms",
    "x-forwarded-for",
    "x-forwarded-proto",
    ":scheme",
];

/// The rest of a run, once all requests are over.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Lines that the filters have logged on the workers, each with its level in front.
    pub(super) logs: Vec<String>,
    /// The callbacks and host calls of the filters on the worker, VM by VM, if they are wanted.
    pub(super) transcript: Vec<String>,
    /// Lines that the filters have logged on the main thread, at first in a canary.
    pub(super) main_logs: Vec<String>,
    /// Lines of the proxy about the filters, in the proxy's own words.
    pub(super) proxy_logs: Vec<String>,
    /// All counters and gauges that the filters have defined.
    pub(super) counters: BTreeMap<String, u64>,
    /// The calls that the filters have made.
    pub(super) calls: Vec<Call>,
    /// The spans in those calls that were exports.
    pub(super) spans: Vec<Span>,
}

/// A proxy with the filters of a scenario.
pub(super) trait Proxy {
    /// Sends requests through the filters and their responses back, all of them at once but for their waits.
    ///
    /// # Errors
    /// When a request uses an unknown name, or the proxy fails.
    fn exchanges(&mut self, steps: &[Step], known: &Known) -> anyhow::Result<Vec<Passed>>;

    /// Takes one TCP connection through its steps.
    ///
    /// # Errors
    /// When the proxy fails.
    fn connection(&mut self, connection: &Connection) -> anyhow::Result<Tcp>;

    /// Lets the time after the last request pass, and returns everything that is left.
    ///
    /// # Errors
    /// When the proxy fails.
    fn finish(self: Box<Self>) -> anyhow::Result<Outcome>;
}
