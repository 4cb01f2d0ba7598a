//! A scenario's run on the built-in host: virtual time and seeded randomness, so that each run gives the same report.
//!
//! ```text
//! client -> filter 0 -> filter 1 -> … -> upstream
//! client <- filter 0 <- filter 1 <- … <- upstream
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use sidespan_host::{Ending as HostEnding, FilterChain, Headers, Host};

use super::convert::{add, fields, request_headers};
use super::framing::{self, Then};
use super::passed::{Outcome, Passed, Proxy, Tcp};
use super::pattern::Known;
use super::refusal;
use super::scenario::{Connection, Ending, Step};

mod calls;
mod carry;
mod connection;
mod replies;
mod respond;
mod running;
mod start;

use carry::Carriage;
use respond::protocol_error;
pub(super) use running::Drive;

impl Proxy for Drive {
    fn exchange(&mut self, step: &Step, known: &Known) -> anyhow::Result<Passed> {
        self.wait(step.wait.map_or(Duration::ZERO, |wait| wait.0))?;
        let sent = request_headers(&step.request, known)?;
        if let Some(refusal) = refusal::of(self.protocol, &sent) {
            return self.refuse(step, sent, refusal);
        }
        let asks_to_close = sent.joined("connection").is_some_and(|it| it == b"close");
        let headers = framing::arrive(self.protocol, sent);
        let mut trailers = Headers::new();
        add(&mut trailers, &step.request.trailers, known)?;
        let request = fields(&headers);
        let pieces = carry::pieces(headers, &step.request.chunks(), trailers, self.protocol);
        let mut carriage = Carriage::open(&mut self.chain, step, self.protocol);
        carriage.upstream_protocol = self.upstream_protocol;
        self.send(&mut carriage, pieces)?;
        self.settle(&mut carriage, |carriage| carriage.request.is_complete)?;
        let is_broken = carriage.request.is_broken;
        if is_broken && !carriage.is_over() {
            let how = HostEnding::UpstreamProtocolError;
            carriage.fail(&mut self.chain, how, protocol_error());
            self.settle(&mut carriage, |carriage| carriage.response.is_complete)?;
        }
        let is_answered = carriage.is_over();
        if carriage.request.is_complete && !is_answered {
            self.respond(&mut carriage, step, known)?;
        }
        // The client waits no longer for what the filters hold back.
        let is_held = !is_answered && !carriage.response.is_complete;
        let ending = match step.ending {
            _ if is_broken => HostEnding::UpstreamProtocolError,
            Ending::Complete if is_held && !carriage.is_over() => HostEnding::ClientAbort,
            ending => respond::ending(ending, self.upstream_protocol),
        };
        let then = match asks_to_close || carriage.is_answered_early() {
            true => Then::Closed,
            false => Then::Kept,
        };
        let mut passed = carriage.end(&mut self.chain, ending, request, then)?;
        if let Some(message) = &mut passed.upstream {
            framing::leave_for_upstream(
                self.upstream_protocol,
                message,
                passed.is_upstream_headers_only,
            );
        }
        self.leave_for_client(&mut passed, step, then);
        self.take_logs();
        self.answer_calls()?;
        Ok(passed)
    }

    fn connection(&mut self, connection: &Connection) -> anyhow::Result<Tcp> {
        self.wait(connection.wait.map_or(Duration::ZERO, |wait| wait.0))?;
        self.connect(connection)
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<Outcome> {
        self.wait(self.after)?;
        self.take_logs();
        let end = self
            .chains()
            .flat_map(FilterChain::vms)
            .find_map(Host::end_of_envoy);
        if let Some(end) = end {
            anyhow::bail!("Envoy itself would have crashed: {}", end.why());
        }
        let mut counters: BTreeMap<String, u64> = self.shared.counters();
        counters.extend(self.shared.gauges());
        let vms = self.chain.vms().iter();
        let transcript = vms.flat_map(|vm| vm.transcript().lines()).cloned();
        Ok(Outcome {
            transcript: transcript.collect(),
            main_logs: self.main_logs,
            logs: self.logs,
            proxy_logs: self.proxy_logs,
            counters,
            calls: self.calls.made,
            spans: self.calls.spans,
        })
    }
}
