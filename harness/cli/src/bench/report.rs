//! The figures of a run, and their consequences: added cost, ratios, and missing spans.

use serde_json::{Map, Value, json};

use super::candidate::{BASELINE, Candidate, PEERS};
use super::environment::Environment;
use super::h2load::Latency;
use super::runner::{Memory, Spans};
use super::statistics::{Figures, by_process, gap, greatest, median};

/// The figures of a whole run.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) surroundings: Environment,
    pub(super) rounds: u32,
    pub(super) processes: u32,
    /// Rounds that a process lives for.
    pub(super) rounds_of_a_process: usize,
    /// Rounds in which latency was measured.
    pub(super) latency_rounds: u32,
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
    pub(super) memory: (Memory, Memory),
    pub(super) spans: Option<Spans>,
}

impl Report {
    /// Returns the cost of a request, in microseconds.
    pub(super) fn figures(&self, measured: &Measured) -> Figures {
        Figures::of(&measured.cost, self.rounds_of_a_process)
    }

    /// Returns the cost that a candidate adds to the baseline's, in microseconds a request.
    pub(super) fn added(&self, measured: &Measured) -> Option<Figures> {
        let baseline = self.find(BASELINE)?;
        let is_other = measured.candidate.name != BASELINE;
        is_other.then(|| self.figures(measured).minus(self.figures(baseline)))
    }

    /// Returns a candidate's added cost as a multiple of another's, by one of the figures; `None` where the other took no
    /// part or added nothing.
    pub(super) fn ratio(
        &self,
        measured: &Measured,
        other: &str,
        by: fn(Figures) -> f64,
    ) -> Option<f64> {
        let own = by(self.added(measured)?);
        let others = by(self.added(self.find(other)?)?);
        (others > 0.0).then_some(own / others)
    }

    /// Returns [`Report::ratio`] to the least filter that does the same work.
    pub(super) fn ratio_to_floor(
        &self,
        measured: &Measured,
        by: fn(Figures) -> f64,
    ) -> Option<f64> {
        self.ratio(measured, measured.candidate.floor?, by)
    }

    /// Returns [`Report::ratio`] to this program's filter, of another build in the same configuration.
    pub(super) fn ratio_to_own(&self, measured: &Measured, by: fn(Figures) -> f64) -> Option<f64> {
        self.ratio(measured, measured.candidate.own.as_deref()?, by)
    }

    /// Returns the problems of the run, one sentence each.
    pub(super) fn problems(&self) -> Vec<String> {
        let ours = self
            .measured
            .iter()
            .filter(|it| it.candidate.must_export_all());
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
            family_and_model,
            cores,
            kernel,
            date,
            h2load,
            command,
        } = &self.surroundings;
        let (family, model) = family_and_model.unzip();
        let candidates: Vec<Value> = self.measured.iter().map(|it| self.one(it)).collect();
        json!({
            "date": date,
            "command": command,
            "machine": {
                "cpu": cpu,
                "cpu_family": family,
                "cpu_model": model,
                "cores": cores,
                "kernel": kernel,
            },
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
        let (before, after) = measured.memory;
        let ratios = |by: fn(Figures) -> f64| -> Map<String, Value> {
            let peers = PEERS.iter().map(|(name, _)| *name);
            peers
                .chain(measured.candidate.floor)
                .chain(measured.candidate.own.as_deref())
                .filter(|name| self.find(name).is_some())
                .map(|name| (name.to_owned(), json!(self.ratio(measured, name, by))))
                .collect()
        };
        let (figures, added) = (self.figures(measured), self.added(measured));
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
            "own": measured.candidate.own,
            "cpu_us": {
                "least": figures.least,
                "low": figures.low,
                "median": figures.median,
                "gap_to_next": gap(&measured.cost),
                "rounds": measured.cost,
                "processes": by_process(&measured.cost, self.rounds_of_a_process),
                "idle_in_a_second": measured.idle_us_per_second,
            },
            "added_us": added.map(|it| it.least),
            "added_low_us": added.map(|it| it.low),
            "added_median_us": added.map(|it| it.median),
            "ratios": ratios(|it| it.least),
            "ratios_low": ratios(|it| it.low),
            "ratios_median": ratios(|it| it.median),
            "requests_per_second": {
                "best": greatest(&measured.requests_per_second),
                "rounds": measured.requests_per_second,
            },
            "latency_us": latency,
            "resident_bytes": {"before": before.resident_bytes, "after": after.resident_bytes},
            "anonymous_bytes": {"before": before.anonymous_bytes, "after": after.anonymous_bytes},
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
        let memory = |mib: u64| Memory {
            resident_bytes: mib << 20,
            anonymous_bytes: (mib - 50) << 20,
        };
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
            memory: (memory(64), memory(65)),
            spans: None,
        };
        Report {
            surroundings: Environment {
                cpu: "A processor".into(),
                family_and_model: Some((25, 17)),
                cores: 2,
                kernel: "linux 6".into(),
                date: "Fri, 20 Nov 2026 13:20:10 GMT".into(),
                h2load: "nghttp2/1.52.0".into(),
                command: "sidespan bench --envoy".into(),
            },
            rounds: 2,
            processes: 2,
            rounds_of_a_process: 1,
            latency_rounds: 2,
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
            ("least-unsampled", &[30.0, 31.0]),
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
        let by = |it: Figures| it.least;
        assert_eq!(report.added(baseline), None);
        assert_eq!(report.added(native).map(by), Some(20.0));
        assert_eq!(report.ratio(sampled, "native-otel", by), Some(0.5));
        let by_median = report.ratio(sampled, "native-otel", |it| it.median);
        assert_eq!(by_median, Some(9.5 / 21.0));
        assert_eq!(
            report.ratio(sampled, "native-zipkin", by),
            None,
            "it took no part"
        );
        assert_eq!(
            report.ratio(sampled, "least-unsampled", by),
            None,
            "it added nothing"
        );
        assert_eq!(
            report.ratio_to_floor(unsampled, by),
            None,
            "it added nothing"
        );
        assert_eq!(report.ratio_to_floor(floor, by), None);
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
        let [of_least, of_unsampled, of_sampled] = &problems[..] else {
            panic!("{problems:?}")
        };
        assert!(of_least.contains("least-unsampled"), "{of_least}");
        assert!(
            of_unsampled.contains("sidespan-0-w3c-no-keep"),
            "{of_unsampled}"
        );
        assert!(of_sampled.contains("1 of 100 spans"), "{of_sampled}");
        let json = report.to_json();
        assert_eq!(json["problems"].as_array().unwrap().len(), 3);
        assert_eq!(json["candidates"][1]["spans"]["missing"], 1);
    }

    #[test]
    fn json_has_what_was_measured_and_what_follows() {
        let json = three().to_json();
        let sampled = &json["candidates"][4];
        assert_eq!(sampled["cpu_us"]["rounds"], json!([41.0, 40.0]));
        assert_eq!(sampled["cpu_us"]["gap_to_next"], 1.0);
        assert_eq!(sampled["cpu_us"]["low"], 40.0);
        assert_eq!(sampled["cpu_us"]["median"], 40.5);
        assert_eq!(sampled["cpu_us"]["processes"], json!([41.0, 40.0]));
        assert_eq!(sampled["added_us"], 10.0);
        assert_eq!(sampled["added_median_us"], 9.5);
        assert_eq!(sampled["ratios"], json!({"native-otel": 0.5}));
        assert_eq!(json["machine"]["cpu_model"], 17);
        assert_eq!(sampled["requests_per_second"]["best"], 10_000.0);
        assert_eq!(
            json["candidates"][3]["ratios"]["least-unsampled"],
            Value::Null
        );
        assert_eq!(json["candidates"][0]["added_us"], Value::Null);
    }
}
