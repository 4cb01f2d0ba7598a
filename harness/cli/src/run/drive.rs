//! A scenario's run on the built-in host: virtual time and seeded randomness, so that each run gives the same report.
//!
//! ```text
//! client -> filter 0 -> filter 1 -> … -> upstream
//! client <- filter 0 <- filter 1 <- … <- upstream
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use sidespan_host::{FilterChain, Host};

use super::passed::{Outcome, Passed, Proxy, Tcp};
use super::pattern::Known;
use super::scenario::{Connection, Step};

mod calls;
mod carry;
mod connection;
mod course;
mod exchange;
mod replies;
mod respond;
mod running;
mod start;

use course::{Course, Flight};
pub(super) use running::Drive;

impl Proxy for Drive {
    fn exchanges(&mut self, steps: &[Step], known: &Known) -> anyhow::Result<Vec<Passed>> {
        self.answer_calls()?;
        let course = Course::new(self);
        let mut start = course.now();
        let flights = steps.iter().map(|step| {
            start += step.wait.map_or(Duration::ZERO, |wait| wait.0);
            Box::pin(exchange::run(&course, start, step, known)) as Flight<'_, Passed>
        });
        course.run(flights.collect())
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
