//! What came of a run, and what follows from it: added cost, ratios, and spans that are nowhere.

use serde_json::{Map, Value, json};

use super::candidate::{BASELINE, Candidate, PEERS};
use super::h2load::Latency;
use super::machine::Surroundings;
use super::runner::Spans;
use super::statistics::{gap, greatest, least, median};

/// A whole run.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) surroundings: Surroundings,
    pub(super) rounds: u32,
    /// For each candidate in each round.
    pub(super) requests: u64,
    pub(super) connections: u32,
    /// At which rate latency was measured, in requests a second.
    pub(super) rate: Option<f64>,
    pub(super) measured: Vec<Measured>,
}

/// What was measured of one candidate; a value a round.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) candidate: Candidate,
    /// CPU time of Envoy a request, in microseconds.
    pub(super) cost: Vec<f64>,
    pub(super) requests_per_second: Vec<f64>,
    pub(super) latency: Vec<Latency>,
    /// Memory that it held before the first request and after the last.
    pub(super) resident_bytes: (u64, u64),
    pub(super) spans: Option<Spans>,
}

impl Report {
    /// Returns what a candidate costs more than no tracing, in microseconds a request.
    pub(super) fn added(&self, measured: &Measured) -> Option<f64> {
        let baseline = self.find(BASELINE)?;
        let is_other = measured.candidate.name != BASELINE;
        is_other.then(|| least(&measured.cost) - least(&baseline.cost))
    }

    /// Returns how many times what another adds a candidate adds; none where the other took no part or added nothing.
    pub(super) fn ratio(&self, measured: &Measured, other: &str) -> Option<f64> {
        let own = self.added(measured)?;
        let others = self.added(self.find(other)?)?;
        (others > 0.0).then_some(own / others)
    }

    /// As [`Report::ratio`], to the floor that makes the same calls.
    pub(super) fn ratio_to_floor(&self, measured: &Measured) -> Option<f64> {
        self.ratio(measured, measured.candidate.floor?)
    }

    /// Returns what must not be, one sentence each.
    pub(super) fn problems(&self) -> Vec<String> {
        let ours = self.measured.iter().filter(|it| it.candidate.is_ours());
        let problem = |measured: &Measured| {
            let spans = measured.spans.as_ref()?;
            let (missing, name) = (spans.missing(), &measured.candidate.name);
            let due = spans.due.unwrap_or(0);
            (missing > 0).then(|| {
                format!(
                    "`{name}`: {missing} of {due} spans are missing ({} received, {} queued); the filter counted {}",
                    spans.received,
                    spans.queued,
                    json!(spans.counters)
                )
            })
        };
        ours.filter_map(problem).collect()
    }

    /// Returns the object of `--json`.
    pub(super) fn to_json(&self) -> Value {
        let Surroundings {
            cpu,
            cores,
            kernel,
            date,
            h2load,
            command,
        } = &self.surroundings;
        let candidates: Vec<Value> = self.measured.iter().map(|it| self.one(it)).collect();
        json!({
            "date": date,
            "command": command,
            "machine": {"cpu": cpu, "cores": cores, "kernel": kernel},
            "versions": {
                "sidespan": env!("CARGO_PKG_VERSION"),
                "envoy": sidespan_envoy::VERSION,
                "h2load": h2load,
            },
            "rounds": self.rounds,
            "requests": self.requests,
            "connections": self.connections,
            "latency_requests_per_second": self.rate,
            "problems": self.problems(),
            "candidates": candidates,
        })
    }

    fn one(&self, measured: &Measured) -> Value {
        let (before, after) = measured.resident_bytes;
        let peers = PEERS.iter().map(|(name, _)| *name);
        let ratios: Map<String, Value> = peers
            .chain(measured.candidate.floor)
            .filter(|name| self.find(name).is_some())
            .map(|name| (name.to_owned(), json!(self.ratio(measured, name))))
            .collect();
        let latency = (!measured.latency.is_empty()).then(|| {
            let [p50, p90, p99] = measured.latency_medians();
            let rounds = measured.latency.iter();
            let rounds = rounds.map(|it| json!({"p50": it.p50, "p90": it.p90, "p99": it.p99}));
            json!({"p50": p50, "p90": p90, "p99": p99, "rounds": rounds.collect::<Vec<_>>()})
        });
        json!({
            "name": measured.candidate.name,
            "title": measured.candidate.title,
            "group": measured.candidate.group.name(),
            "floor": measured.candidate.floor,
            "cpu_us": {
                "least": least(&measured.cost),
                "gap_to_next": gap(&measured.cost),
                "rounds": measured.cost,
            },
            "added_us": self.added(measured),
            "ratios": ratios,
            "requests_per_second": {
                "best": greatest(&measured.requests_per_second),
                "rounds": measured.requests_per_second,
            },
            "latency_us": latency,
            "resident_bytes": {"before": before, "after": after},
            "spans": measured.spans.as_ref().map(Spans::to_json),
        })
    }

    fn find(&self, name: &str) -> Option<&Measured> {
        self.measured.iter().find(|it| it.candidate.name == name)
    }
}

impl Measured {
    /// Returns the medians over the rounds of the three percentiles.
    pub(super) fn latency_medians(&self) -> [Option<f64>; 3] {
        let of = |part: fn(&Latency) -> u64| {
            let values = self.latency.iter().map(|it| part(it) as f64);
            median(&values.collect::<Vec<_>>())
        };
        [of(|it| it.p50), of(|it| it.p90), of(|it| it.p99)]
    }
}

impl Spans {
    fn to_json(&self) -> Value {
        json!({
            "due": self.due,
            "received": self.received,
            "queued": self.queued,
            "missing": self.missing(),
            "counters": self.counters,
        })
    }
}
