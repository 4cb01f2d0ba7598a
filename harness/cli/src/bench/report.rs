//! The figures of a run, and their consequences: added cost, ratios, and missing spans.

use serde_json::{Map, Value, json};

use super::candidate::{BASELINE, Candidate, PEERS};
use super::environment::Environment;
use super::h2load::Latency;
use super::runner::Spans;
use super::statistics::{gap, greatest, least, median};

/// The figures of a whole run.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) surroundings: Environment,
    pub(super) rounds: u32,
    pub(super) processes: u32,
    /// Requests to each candidate in each round.
    pub(super) requests: u64,
    pub(super) connections: u32,
    /// Rate at which latency was measured, in requests a second.
    pub(super) rate: Option<f64>,
    pub(super) measured: Vec<Measured>,
}

/// The figures of one candidate, one value a round.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) candidate: Candidate,
    /// CPU time of Envoy per request, in microseconds.
    pub(super) cost: Vec<f64>,
    /// CPU time of Envoy per second without requests, in microseconds.
    pub(super) idle_us_per_second: f64,
    pub(super) requests_per_second: Vec<f64>,
    pub(super) latency: Vec<Latency>,
    /// Envoy's memory before the first request and after the last.
    pub(super) resident_bytes: (u64, u64),
    pub(super) spans: Option<Spans>,
}

impl Report {
    /// Returns the cost that a candidate adds to the baseline's, in microseconds a request.
    pub(super) fn added(&self, measured: &Measured) -> Option<f64> {
        let baseline = self.find(BASELINE)?;
        let is_other = measured.candidate.name != BASELINE;
        is_other.then(|| least(&measured.cost) - least(&baseline.cost))
    }

    /// Returns a candidate's added cost as a multiple of another's; `None` where the other took no part or added
    /// nothing.
    pub(super) fn ratio(&self, measured: &Measured, other: &str) -> Option<f64> {
        let own = self.added(measured)?;
        let others = self.added(self.find(other)?)?;
        (others > 0.0).then_some(own / others)
    }

    /// Returns [`Report::ratio`] to the floor that makes the same calls.
    pub(super) fn ratio_to_floor(&self, measured: &Measured) -> Option<f64> {
        self.ratio(measured, measured.candidate.floor?)
    }

    /// Returns the problems of the run, one sentence each.
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
        let Environment {
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
            "processes": self.processes,
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
                "idle_in_a_second": measured.idle_us_per_second,
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
    /// Returns three percentiles of latency, each the median over the rounds.
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bench::candidate;

    /// Returns a run with these candidates, each with its cost per request in each round.
    pub(in crate::bench) fn report(costs: &[(&str, &[f64])]) -> Report {
        let measured = |(name, cost): &(&str, &[f64])| Measured {
            candidate: candidate::all()
                .into_iter()
                .find(|it| it.name == *name)
                .unwrap(),
            cost: cost.to_vec(),
            idle_us_per_second: 1_200.0,
            requests_per_second: vec![9_000.0, 10_000.0],
            latency: vec![
                Latency {
                    p50: 100,
                    p90: 200,
                    p99: 300,
                },
                Latency {
                    p50: 120,
                    p90: 210,
                    p99: 900,
                },
            ],
            resident_bytes: (64 << 20, 65 << 20),
            spans: None,
        };
        Report {
            surroundings: Environment {
                cpu: "A processor".into(),
                cores: 2,
                kernel: "linux 6".into(),
                date: "Fri, 20 Nov 2026 13:20:10 GMT".into(),
                h2load: "nghttp2/1.52.0".into(),
                command: "sidespan bench --envoy".into(),
            },
            rounds: 2,
            processes: 1,
            requests: 100,
            connections: 10,
            rate: Some(6_000.0),
            measured: costs.iter().map(measured).collect(),
        }
    }

    fn three() -> Report {
        report(&[
            (BASELINE, &[32.0, 30.0]),
            ("native-otel", &[54.0, 50.0]),
            ("floor-w3c", &[30.0, 31.0]),
            ("sidespan-0-w3c-no-keep", &[36.0, 35.0]),
            ("sidespan-100-w3c", &[41.0, 40.0]),
        ])
    }

    #[test]
    fn ratios_are_of_what_is_added_to_the_least_without_tracing() {
        let report = three();
        let [baseline, native, floor, unsampled, sampled] = &report.measured[..] else {
            panic!("five")
        };
        assert_eq!(report.added(baseline), None);
        assert_eq!(report.added(native), Some(20.0));
        assert_eq!(report.ratio(sampled, "native-otel"), Some(0.5));
        assert_eq!(
            report.ratio(sampled, "native-zipkin"),
            None,
            "it took no part"
        );
        assert_eq!(report.ratio(sampled, "floor-w3c"), None, "it added nothing");
        assert_eq!(report.ratio_to_floor(unsampled), None, "it added nothing");
        assert_eq!(report.ratio_to_floor(floor), None);
    }

    #[test]
    fn latency_is_the_median_of_the_rounds() {
        let report = three();
        let medians = report.measured[0].latency_medians();
        assert_eq!(medians, [Some(110.0), Some(205.0), Some(600.0)]);
    }

    #[test]
    fn a_span_of_ours_that_is_nowhere_is_a_problem_and_one_of_a_peer_is_told() {
        let mut report = three();
        for measured in &mut report.measured {
            measured.spans = Some(Spans {
                due: Some(100),
                received: 98,
                queued: 1,
                ..Spans::default()
            });
        }
        let problems = report.problems();
        let [of_unsampled, of_sampled] = &problems[..] else {
            panic!("{problems:?}")
        };
        assert!(
            of_unsampled.contains("sidespan-0-w3c-no-keep"),
            "{of_unsampled}"
        );
        assert!(of_sampled.contains("1 of 100 spans"), "{of_sampled}");
        let json = report.to_json();
        assert_eq!(json["problems"].as_array().unwrap().len(), 2);
        assert_eq!(json["candidates"][1]["spans"]["missing"], 1);
    }

    #[test]
    fn json_has_what_was_measured_and_what_follows() {
        let json = three().to_json();
        let sampled = &json["candidates"][4];
        assert_eq!(sampled["cpu_us"]["rounds"], json!([41.0, 40.0]));
        assert_eq!(sampled["cpu_us"]["gap_to_next"], 1.0);
        assert_eq!(sampled["added_us"], 10.0);
        assert_eq!(sampled["ratios"], json!({"native-otel": 0.5}));
        assert_eq!(sampled["requests_per_second"]["best"], 10_000.0);
        assert_eq!(json["candidates"][3]["ratios"]["floor-w3c"], Value::Null);
        assert_eq!(json["candidates"][0]["added_us"], Value::Null);
    }
}
