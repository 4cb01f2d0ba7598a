//! A worker of a sidecar on the built-in host, with its inbound and its outbound side.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use sidespan_host::{
    Action, Clock, EndOfStream, Ending, Entropy, Headers, Host, Shared, StreamId, StreamProperties,
};
use sidespan_tests::worlds::module;

/// A side of a sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Inbound,
    Outbound,
}

pub(super) struct Pod {
    pub(super) host: Host,
}

impl Pod {
    /// Starts a worker whose clock runs ahead by this much, with ids of its own.
    pub(super) fn start(configuration: &str, shared: &Shared, ahead: Duration, seed: u64) -> Self {
        let start = Duration::from_secs(1_800_000_000) + ahead;
        let host = Host::builder(module())
            .plugin_name("sidespan")
            .plugin_configuration(configuration)
            .clock(Clock::Virtual { start })
            .entropy(Entropy::Seeded(seed))
            .shared(shared)
            .cluster("collector")
            .start();
        Self {
            host: host.unwrap_or_else(|error| panic!("{error}")),
        }
    }

    /// Sends a request with this context in; returns the context with which it goes on.
    pub(super) fn request(&mut self, side: Side, traceparent: &str) -> (StreamId, String) {
        let direction = match side {
            Side::Inbound => 1,
            Side::Outbound => 2,
        };
        let stream = self
            .host
            .open_stream(StreamProperties::new().listener_direction(direction));
        let headers = [
            (":method", "GET"),
            (":path", "/"),
            (":authority", "shop"),
            (":scheme", "http"),
            ("traceparent", traceparent),
        ];
        let action = self.host.request_headers(stream, headers, EndOfStream::Yes);
        assert_eq!(action, Action::Continue);
        let headers = self
            .host
            .stream(stream)
            .and_then(|it| it.request().headers());
        let onward = headers.and_then(|headers| headers.text("traceparent"));
        (stream, onward.expect("a context"))
    }

    /// Sends the response in, with this `server-timing`; returns the `server-timing` with which it goes on.
    pub(super) fn answer(
        &mut self,
        stream: StreamId,
        status: &str,
        timing: Option<&str>,
    ) -> Option<String> {
        let status = [(":status", status)].into_iter();
        let headers: Headers = status
            .chain(timing.map(|value| ("server-timing", value)))
            .collect();
        let action = self
            .host
            .response_headers(stream, headers, EndOfStream::Yes);
        assert_eq!(action, Action::Continue);
        let ended = self.host.end(stream, Ending::Complete).expect("one end");
        assert_eq!(self.host.trap(), None);
        ended.response().headers()?.text("server-timing")
    }

    /// Takes the spans that are due, and answers as a collector does.
    pub(super) fn exported(&mut self) -> Vec<Span> {
        let mut spans = Vec::new();
        for call in self.host.calls() {
            let request = ExportTraceServiceRequest::decode(&call.body[..]).expect("OTLP");
            let scopes = request
                .resource_spans
                .into_iter()
                .flat_map(|it| it.scope_spans);
            spans.extend(scopes.flat_map(|scope| scope.spans));
            let reply = self
                .host
                .reply(call.token, [(":status", "200")], b"", Headers::new());
            reply.expect("a call under way");
        }
        spans
    }
}

/// Returns a configuration with these settings of `keep`.
pub(super) fn keeping(keep: &str) -> String {
    format!(
        r#"{{"sampling": {{"percentage": 0, "keep": {keep}}},
            "export": {{"otlp": {{"cluster": "collector", "protocol": "http/protobuf"}}, "batch": {{"maxDelay": "100ms"}}}}}}"#
    )
}

/// Returns a `traceparent` that is not sampled.
pub(super) fn traceparent(trace_id: &str) -> String {
    format!("00-{trace_id}-00f067aa0ba902b7-00")
}
