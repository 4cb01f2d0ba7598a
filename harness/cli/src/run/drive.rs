//! A scenario's run on the built-in host: virtual time and seeded randomness, so that each run gives the same report.
//!
//! ```text
//! client -> filter 0 -> filter 1 -> … -> upstream
//! client <- filter 0 <- filter 1 <- … <- upstream
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use sidespan_host::{Ending as HostEnding, FilterChain, Headers, LocalReply, Shared};

use super::convert::{add, fields, request_headers};
use super::passed::{Outcome, Passed, Proxy};
use super::pattern::Known;
use super::scenario::{Ending, Protocol, Response, Scenario, Step};
use crate::run::modules::Loaded;

mod calls;
mod carry;
mod start;

use calls::Calls;
use carry::{Carriage, Piece};

/// A running scenario.
pub(super) struct Drive {
    chain: FilterChain,
    shared: Shared,
    protocol: Protocol,
    after: Duration,
    calls: Calls,
    logs: Vec<String>,
    proxy_logs: Vec<String>,
}

impl Drive {
    /// Starts a VM for each filter of the scenario.
    ///
    /// # Errors
    /// When a filter does not start, with its log.
    pub(super) fn start(
        modules: &[Loaded],
        scenario: &Scenario,
        file: &Path,
    ) -> anyhow::Result<Self> {
        let shared = Shared::new();
        let mut builder = FilterChain::builder().shared(&shared);
        for (filter, module) in scenario.chain().iter().zip(modules) {
            builder = builder.plugin(start::plugin(filter, module, scenario, file)?);
        }
        let chain = builder.start().map_err(|error| start::failed(&error))?;
        let mut drive = Self {
            chain,
            shared,
            protocol: scenario.protocol,
            after: scenario.after.map_or(FIVE_SECONDS, |after| after.0),
            calls: Calls::new(scenario),
            logs: Vec::new(),
            proxy_logs: Vec::new(),
        };
        drive.take_logs();
        Ok(drive)
    }

    /// Lets time pass and answers the calls of the filters as they come.
    ///
    /// # Errors
    /// When an export cannot be read.
    fn wait(&mut self, length: Duration) -> anyhow::Result<()> {
        let end = self.now() + length;
        loop {
            self.answer_calls()?;
            let now = self.now();
            let left = end.saturating_sub(now);
            if left.is_zero() {
                return Ok(());
            }
            // Steps end at the next tick at most, so that a call is answered when it is made and not when it is late.
            let due = self.chain.due_in().into_iter();
            let step = due
                .chain(self.calls.due_in(now))
                .min()
                .map_or(left, |due| due.min(left));
            let step = step.max(Duration::from_millis(1));
            self.chain.advance(step);
            self.take_logs();
        }
    }

    /// Takes the filters' new calls, and gives the answers that are due.
    ///
    /// # Errors
    /// When an export cannot be read.
    fn answer_calls(&mut self) -> anyhow::Result<()> {
        while self.calls.turn(self.chain.vms_mut())? {
            self.chain.settle();
            self.take_logs();
        }
        Ok(())
    }

    fn now(&self) -> Duration {
        self.chain.now()
    }

    /// Takes the lines that the filters have logged since this was last called.
    fn take_logs(&mut self) {
        for line in self.chain.take_logs() {
            let level = format!("{:?}", line.level).to_lowercase();
            let text = format!("{level}: {}", line.text);
            match line.prefix {
                None => self.proxy_logs.push(text),
                Some(_) => self.logs.push(text),
            }
        }
    }

    /// Sends the pieces of a message, each at its time.
    fn send(&mut self, carriage: &mut Carriage, pieces: Vec<Piece>) -> anyhow::Result<()> {
        for piece in pieces {
            if !piece.after.is_zero() {
                self.pass_time(carriage, piece.after)?;
            }
            if carriage.is_over() {
                return Ok(());
            }
            carriage.give(&mut self.chain, piece);
            self.take_logs();
            self.settle_calls(carriage)?;
        }
        Ok(())
    }

    /// Answers the calls that are due, and takes further what the filters let through by then.
    fn settle_calls(&mut self, carriage: &mut Carriage) -> anyhow::Result<()> {
        self.answer_calls()?;
        carriage.pump(&mut self.chain);
        self.take_logs();
        Ok(())
    }

    fn pass_time(&mut self, carriage: &mut Carriage, length: Duration) -> anyhow::Result<()> {
        let end = self.now() + length;
        while self.now() < end && !carriage.is_over() {
            let left = end.saturating_sub(self.now());
            self.wait(left.min(Duration::from_millis(1)))?;
            self.settle_calls(carriage)?;
        }
        Ok(())
    }

    /// Gives filters that pause a message the time to get their answers.
    fn settle(
        &mut self,
        carriage: &mut Carriage,
        is_done: impl Fn(&Carriage) -> bool,
    ) -> anyhow::Result<()> {
        for _ in 0..PATIENCE {
            if carriage.is_over() || is_done(carriage) {
                break;
            }
            self.wait(Duration::from_millis(10))?;
            self.settle_calls(carriage)?;
        }
        Ok(())
    }

    fn respond(
        &mut self,
        carriage: &mut Carriage,
        step: &Step,
        known: &Known,
    ) -> anyhow::Result<()> {
        self.pass_time(carriage, step.response.after.0)?;
        let reply = match step.ending {
            Ending::ClientAbort => return Ok(()),
            Ending::Complete | Ending::ResponseReset => None,
            Ending::UpstreamReset => Some((
                503,
                "upstream_reset_before_response_started{remote_reset}",
                "upstream connect error or disconnect/reset before headers. reset reason: remote reset",
            )),
            Ending::ConnectFailure => Some((
                503,
                "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}",
                "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
            )),
            Ending::UpstreamTimeout => Some((504, "response_timeout", "upstream request timeout")),
        };
        match reply {
            Some((status, details, body)) => {
                let reply = LocalReply::new(status, details).body(body);
                carriage.reply(&mut self.chain, reply);
                self.take_logs();
            }
            None => {
                let pieces = self.response(&step.response, step.ending, known)?;
                self.send(carriage, pieces)?;
            }
        }
        self.settle(carriage, |carriage| {
            carriage.response.is_complete || step.ending == Ending::ResponseReset
        })
    }

    fn response(
        &self,
        response: &Response,
        ending: Ending,
        known: &Known,
    ) -> anyhow::Result<Vec<Piece>> {
        let mut headers = Headers::from([(":status", response.status.to_string())]);
        add(&mut headers, &response.headers, known)?;
        let mut trailers = Headers::new();
        add(&mut trailers, &response.trailers, known)?;
        let mut pieces = carry::pieces(headers, &response.chunks(), trailers, self.protocol);
        if ending == Ending::ResponseReset {
            pieces.iter_mut().for_each(Piece::leave_open);
        }
        Ok(pieces)
    }
}

impl Proxy for Drive {
    fn exchange(&mut self, step: &Step, known: &Known) -> anyhow::Result<Passed> {
        self.wait(step.wait.map_or(Duration::ZERO, |wait| wait.0))?;
        let headers = request_headers(&step.request, known)?;
        let mut trailers = Headers::new();
        add(&mut trailers, &step.request.trailers, known)?;
        let request = fields(&headers);
        let pieces = carry::pieces(headers, &step.request.chunks(), trailers, self.protocol);
        let mut carriage = Carriage::open(&mut self.chain, step, self.protocol);
        self.send(&mut carriage, pieces)?;
        self.settle(&mut carriage, |carriage| carriage.request.is_complete)?;
        let is_answered = carriage.is_over();
        if carriage.request.is_complete && !is_answered {
            self.respond(&mut carriage, step, known)?;
        }
        // The client waits no longer for what the filters hold back.
        let is_held = !is_answered && !carriage.response.is_complete;
        let ending = match step.ending {
            Ending::Complete if is_held && !carriage.is_over() => HostEnding::ClientAbort,
            Ending::Complete => HostEnding::Complete,
            Ending::ClientAbort => HostEnding::ClientAbort,
            Ending::UpstreamReset | Ending::ResponseReset => HostEnding::UpstreamReset,
            Ending::ConnectFailure => HostEnding::ConnectFailure,
            Ending::UpstreamTimeout => HostEnding::UpstreamTimeout,
        };
        let passed = carriage.end(&mut self.chain, ending, request)?;
        self.take_logs();
        self.answer_calls()?;
        Ok(passed)
    }

    fn finish(mut self: Box<Self>) -> anyhow::Result<Outcome> {
        self.wait(self.after)?;
        self.take_logs();
        let mut counters: BTreeMap<String, u64> = self.shared.counters();
        counters.extend(self.shared.gauges());
        Ok(Outcome {
            logs: self.logs,
            proxy_logs: self.proxy_logs,
            counters,
            calls: self.calls.made,
            spans: self.calls.spans,
        })
    }
}

const FIVE_SECONDS: Duration = Duration::from_secs(5);
/// Number of steps of 10 ms that a paused message is waited for.
const PATIENCE: u32 = 500;
