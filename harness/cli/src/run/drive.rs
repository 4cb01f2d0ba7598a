//! A scenario's run on the host: one VM, virtual time, seeded randomness, so that each run gives the same report.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use sidespan_host::{
    Action, Clock, EndOfStream, Ending as HostEnding, Entropy, Headers, Host, HttpCall, LocalReply,
    Module, StreamId,
};

use super::expect::Headers as Fields;
use super::pattern::Known;
use super::scenario::{Collector, Ending, Response, Scenario, Step};
use super::span::{Export, Span, decode};

mod convert;

use convert::{add, fields, level, properties, property, request_headers};

/// A running scenario.
pub(super) struct Drive {
    host: Host,
    collector: Collector,
    /// Spans that were exported so far.
    pub(super) spans: Vec<Span>,
}

/// The headers of one exchange, at each end.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// The request's headers as they came in.
    pub(super) request: Fields,
    /// The request's headers as they reached the upstream.
    pub(super) upstream: Option<Fields>,
    /// The response's headers as they reached the client.
    pub(super) downstream: Option<Fields>,
}

impl Drive {
    /// Starts a VM with the configuration of the scenario.
    ///
    /// # Errors
    /// When the filter does not start, with its log.
    pub(super) fn start(
        module: &Module,
        scenario: &Scenario,
        configuration: Vec<u8>,
    ) -> anyhow::Result<Self> {
        let node = &scenario.node;
        let mut builder = Host::builder(module)
            .plugin_name("sidespan")
            .root_id("sidespan")
            .plugin_configuration(configuration)
            .any_cluster()
            .clock(Clock::default())
            .entropy(Entropy::Seeded(scenario.seed))
            .log_level(level(scenario.log_level))
            .property("xds.node.id", node.id.as_deref().unwrap_or("sidespan-run"))
            .property(
                "xds.node.cluster",
                node.cluster.as_deref().unwrap_or_default(),
            );
        for (name, value) in &node.metadata {
            if let Some(value) = property(value) {
                builder = builder.property(["xds", "node", "metadata", name.as_str()], value);
            }
        }
        match builder.start() {
            Ok(host) => Ok(Self {
                host,
                collector: scenario.collector,
                spans: Vec::new(),
            }),
            Err(mut error) => {
                let logs: Vec<_> = error
                    .host
                    .take_logs()
                    .into_iter()
                    .map(|line| line.text)
                    .collect();
                let reason = &error.reason;
                anyhow::bail!("the filter did not start: {reason}\n{}", logs.join("\n"))
            }
        }
    }

    /// Sends one request through the filter and its response back.
    ///
    /// # Errors
    /// When the request uses an unknown name, or an export cannot be read.
    pub(super) fn exchange(&mut self, step: &Step, known: &Known) -> anyhow::Result<Passed> {
        let headers = request_headers(&step.request, known)?;
        let mut passed = Passed {
            request: fields(&headers),
            ..Passed::default()
        };
        let id = self.host.open_stream(properties(step));
        let body = step.request.body.as_bytes();
        let end_of_stream = if body.is_empty() {
            EndOfStream::Yes
        } else {
            EndOfStream::No
        };
        let mut action = self.host.request_headers(id, headers, end_of_stream);
        if end_of_stream == EndOfStream::No {
            action = self.host.request_body(id, body, EndOfStream::Yes);
        }
        self.settle(id, action)?;
        let stream = self.host.stream(id);
        let request = stream
            .map(|stream| stream.request())
            .filter(|request| request.has_passed_headers());
        passed.upstream = request.and_then(|request| request.headers()).map(fields);
        if passed.upstream.is_some() {
            self.respond(id, step, known)?;
        }
        let ending = match step.ending {
            Ending::Complete => HostEnding::Complete,
            Ending::ClientAbort => HostEnding::ClientAbort,
            Ending::UpstreamReset => HostEnding::UpstreamReset,
            Ending::ConnectFailure => HostEnding::ConnectFailure,
            Ending::UpstreamTimeout => HostEnding::UpstreamTimeout,
        };
        let stream = self
            .host
            .end(id, ending)
            .context("the stream has ended by itself")?;
        passed.downstream = stream.response().headers().map(fields);
        self.answer_calls()?;
        Ok(passed)
    }

    /// Lets time pass and answers the calls of the filter as they come.
    ///
    /// # Errors
    /// When an export cannot be read.
    pub(super) fn wait(&mut self, length: Duration) -> anyhow::Result<()> {
        let end = self.host.now() + length;
        loop {
            self.answer_calls()?;
            let left = end.saturating_sub(self.host.now());
            if left.is_zero() {
                return Ok(());
            }
            // Steps end at the next tick at most, so that a call is answered when it is made and not when it is late.
            let step = self.host.due_in().map_or(left, |due| due.min(left));
            self.host.advance(step.max(Duration::from_millis(1)));
        }
    }

    /// Takes the lines that the filter has logged.
    pub(super) fn logs(&mut self) -> Vec<String> {
        let lines = self.host.take_logs().into_iter();
        lines
            .map(|line| {
                format!(
                    "{}: {}",
                    format!("{:?}", line.level).to_lowercase(),
                    line.text
                )
            })
            .collect()
    }

    /// Returns the value of a counter or a gauge.
    pub(super) fn counter(&self, name: &str) -> Option<u64> {
        self.host.counter(name).or_else(|| self.host.gauge(name))
    }

    /// Returns all counters and gauges that are not 0.
    pub(super) fn counters(&self) -> BTreeMap<String, u64> {
        let shared = self.host.shared();
        let mut all = shared.counters();
        all.extend(shared.gauges());
        all.retain(|_, value| *value != 0);
        all
    }

    fn respond(&mut self, id: StreamId, step: &Step, known: &Known) -> anyhow::Result<()> {
        self.wait(step.response.after.0)?;
        let reply = match step.ending {
            Ending::ClientAbort => return Ok(()),
            Ending::Complete => None,
            Ending::UpstreamReset => {
                Some((503, "upstream_reset_before_response_started{remote_reset}"))
            }
            Ending::ConnectFailure => Some((
                503,
                "upstream_reset_before_response_started{remote_connection_failure}",
            )),
            Ending::UpstreamTimeout => Some((504, "response_timeout")),
        };
        let action = match reply {
            Some((status, details)) => self.host.local_reply(id, LocalReply::new(status, details)),
            None => self.response(id, &step.response, known)?,
        };
        self.settle(id, action)
    }

    fn response(
        &mut self,
        id: StreamId,
        response: &Response,
        known: &Known,
    ) -> anyhow::Result<Action> {
        let mut headers = Headers::from([(":status", response.status.to_string())]);
        add(&mut headers, &response.headers, known)?;
        let mut trailers = Headers::new();
        add(&mut trailers, &response.trailers, known)?;
        let has_trailers = !trailers.is_empty();
        let more = |is_more| {
            if is_more {
                EndOfStream::No
            } else {
                EndOfStream::Yes
            }
        };
        let has_body = !response.body.is_empty();
        let mut action = self
            .host
            .response_headers(id, headers, more(has_body || has_trailers));
        if has_body {
            action = self
                .host
                .response_body(id, response.body.as_bytes(), more(has_trailers));
        }
        if has_trailers {
            action = self.host.response_trailers(id, trailers);
        }
        Ok(action)
    }

    /// Gives a filter that pauses a message the time to get its answers.
    fn settle(&mut self, id: StreamId, action: Action) -> anyhow::Result<()> {
        if action != Action::Pause {
            return Ok(());
        }
        for _ in 0..PATIENCE {
            self.wait(Duration::from_millis(10))?;
            let is_paused = self.host.stream(id).is_some_and(|stream| {
                stream.request().is_paused() || stream.response().is_paused()
            });
            if !is_paused {
                break;
            }
        }
        Ok(())
    }

    fn answer_calls(&mut self) -> anyhow::Result<()> {
        for call in self.host.calls() {
            self.answer(&call)?;
        }
        Ok(())
    }

    fn answer(&mut self, call: &HttpCall) -> anyhow::Result<()> {
        let export = Export::of(&call.headers);
        // A call that has timed out while another was answered no longer exists.
        let _ = match (self.collector, export) {
            (Collector::Unreachable, _) => self.host.fail_call(call.token),
            (Collector::Unavailable, Some(Export::Grpc)) => self.grpc(call, "14"),
            (Collector::Unavailable, _) => self.http(call, "503", None),
            (Collector::Ok, None) => self.http(call, "200", None),
            (Collector::Ok, Some(export)) => {
                self.spans.extend(decode(export, call)?);
                match export {
                    Export::Grpc => self.grpc(call, "0"),
                    Export::Http => self.http(call, "200", Some("application/x-protobuf")),
                }
            }
        };
        Ok(())
    }

    fn grpc(&mut self, call: &HttpCall, status: &str) -> Result<(), sidespan_host::NoSuchCall> {
        let headers = Headers::from([(":status", "200"), ("content-type", "application/grpc")]);
        // An empty message in its frame, then the trailers.
        self.host
            .reply(call.token, headers, vec![0; 5], [("grpc-status", status)])
    }

    fn http(
        &mut self,
        call: &HttpCall,
        status: &str,
        kind: Option<&str>,
    ) -> Result<(), sidespan_host::NoSuchCall> {
        let mut headers = Headers::from([(":status", status)]);
        if let Some(kind) = kind {
            headers.add("content-type", kind);
        }
        self.host
            .reply(call.token, headers, Vec::new(), Headers::new())
    }
}

/// Number of steps of 10 ms that a paused message is waited for.
const PATIENCE: u32 = 500;
