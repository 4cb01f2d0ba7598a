//! Rates from spans: one percent sampled, two percent failing, 20,000 requests through two sidecars on real Envoys: every
//! failure arrives, and one in a hundred of the rest. `SIDESPAN_LOAD=2000` sends fewer.
//!
//! ```text
//! load ── front (SERVER) ── front (CLIENT) ── stock (SERVER)
//! ```
//!
//! A kept span stands for itself alone, and a sampled span for as many as its `th` says: counting the second and leaving
//! out the first gives the true rates, and counting all spans makes most of them failures.

mod mesh;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value as Json;
use sidespan_core::tracer::keep::pending::Cause;
use sidespan_sink::{SpanKind, StoredSpan, Value};
use sidespan_tests::readme;

use mesh::{Run, SPANS_PER_SECOND};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_failure_arrives_whole_and_one_in_a_hundred_of_the_rest() {
    let run = run();
    let (mut failed, mut well) = (0, 0);
    for (trace, spans) in run.traces() {
        assert!(is_chain(&spans), "{trace}: {spans:#?}");
        let is_failure = spans[0].is_error();
        assert!(spans.iter().all(|span| span.is_error() == is_failure));
        match is_failure {
            true => failed += 1,
            false => well += 1,
        }
        if !is_failure {
            assert!(spans.iter().all(|span| !is_kept(span)), "{trace}");
        }
    }
    let spans = run.spans.len() as u64;
    let bytes_each = run.bytes / spans;
    let all = run.requests * HOPS as u64;
    let rate = run.requests as f64 / run.seconds;
    println!(
        "{} requests at {rate:.0} a second, {} of them failed ({:.1} a second; {SPANS_PER_SECOND} spans a second may be kept)",
        run.requests,
        run.failures,
        run.failures as f64 / run.seconds,
    );
    println!(
        "1 % and what failed: {spans} spans, {} bytes; everything: {all} spans, {} bytes, of which a tail sampler holds {:.0} at a time (30 s)",
        run.bytes,
        all * bytes_each,
        rate * 30.0 * (HOPS as u64 * bytes_each) as f64,
    );
    assert_eq!(failed, run.failures, "every failure is there");
    let healthy = run.requests - run.failures;
    assert_within(well as f64, healthy as f64 * P, deviation(healthy));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn late_keeping_does_not_falsify_rates() {
    let run = run();
    let of_front = |span: &&&StoredSpan| span.service() == "front" && span.kind == SpanKind::Server;
    let spans: Vec<&StoredSpan> = run.spans.iter().map(|span| &**span).collect();
    let spans: Vec<&StoredSpan> = spans.iter().filter(of_front).copied().collect();
    let sampled: Vec<&StoredSpan> = spans.iter().filter(|it| !is_kept(it)).copied().collect();
    let weight = |spans: &[&StoredSpan]| spans.iter().map(|it| adjusted_count(it)).sum::<f64>();
    let errors = |spans: &[&StoredSpan]| -> Vec<StoredSpan> {
        let errors = spans.iter().filter(|span| span.is_error());
        errors.map(|span| StoredSpan::clone(span)).collect()
    };
    let failed = errors(&sampled);
    let failed: Vec<&StoredSpan> = failed.iter().collect();
    let (requests, failures) = (weight(&sampled), weight(&failed));
    let ratio = failures / requests;
    let naively = errors(&spans).len() as f64 / spans.len() as f64;
    let truth = run.failures as f64 / run.requests as f64;
    println!(
        "requests by their weight: {requests:.0} of {}; errors: {:.1} % of true {:.1} %; by counting spans: {:.0} %",
        run.requests,
        ratio * 100.0,
        truth * 100.0,
        naively * 100.0,
    );
    assert_within(requests, run.requests as f64, deviation(run.requests) / P);
    assert_within(failures, run.failures as f64, deviation(run.failures) / P);
    let of_sampled = (truth * (1.0 - truth) / sampled.len() as f64).sqrt();
    assert_within(ratio, truth, of_sampled);
    // All failures, and as many of the rest as chance allows.
    let healthy = run.requests - run.failures;
    let most = healthy as f64 * P + SIGMAS * deviation(healthy);
    let least = run.failures as f64 / (run.failures as f64 + most);
    assert!(naively >= least && naively > 10.0 * truth, "{naively}");
}

/// Reads the settings that the README gives, which must leave out kept spans by the attribute that the filter sets.
#[test]
fn the_documented_settings_name_the_mark_and_its_values() {
    let readme = readme::text();
    let (_, section) = readme.split_once("## Rates from spans").expect("a section");
    let (section, _) = section.split_once("\n## ").expect("a section behind it");
    let blocks: Vec<Json> = section
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().expect("the end of a block"))
        .map(|yaml| serde_saphyr::from_str(yaml).expect("YAML"))
        .collect();
    let [collector, tempo] = &blocks[..] else {
        panic!("two blocks: {blocks:?}");
    };
    let dropped = &collector["processors"]["filter"]["traces"]["span"][0];
    assert_eq!(*dropped, "attributes[\"sidespan.kept\"] != nil");
    let causes = [Cause::Error, Cause::Slow, Cause::Callee].map(Cause::name);
    for processor in ["span_metrics", "service_graphs"] {
        let policy = &tempo["metrics_generator"]["processor"][processor]["filter_policies"][0];
        let mark = &policy["exclude"]["attributes"][0];
        assert_eq!(mark["key"], "span.sidespan.kept", "{processor}");
        assert_eq!(mark["value"], causes.join("|"), "{processor}");
    }
}

/// The probability of 1 %, rounded to four digits (TH-5).
const P: f64 = 0.010_000_228_881_835_938;
const SIGMAS: f64 = 5.0;
const HOPS: usize = 3;

fn run() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(Run::load)
}

impl Run {
    /// Returns the spans of each trace, from the root down.
    fn traces(&self) -> BTreeMap<&str, Vec<&StoredSpan>> {
        let mut traces: BTreeMap<&str, Vec<&StoredSpan>> = BTreeMap::new();
        for span in &self.spans {
            traces.entry(&span.trace_id).or_default().push(span);
        }
        for spans in traces.values_mut() {
            spans.sort_by_key(|span| (span.service() != "front", span.kind != SpanKind::Server));
        }
        traces
    }
}

/// Returns true if the first span is a root and each other one is the child of the span before.
fn is_chain(spans: &[&StoredSpan]) -> bool {
    let above = [None]
        .into_iter()
        .chain(spans.iter().map(|span| Some(&span.span_id)));
    spans.len() == HOPS
        && spans
            .iter()
            .zip(above)
            .all(|(span, above)| span.parent_span_id.as_ref() == above)
}

fn is_kept(span: &StoredSpan) -> bool {
    span.attribute("sidespan.kept")
        .and_then(Value::as_str)
        .is_some()
}

/// Returns the number of spans for which one stands: 2^56 / (2^56 - T), as OpenTelemetry defines it.
fn adjusted_count(span: &StoredSpan) -> f64 {
    const RANGE: f64 = (1_u64 << 56) as f64;
    let th = span
        .trace_state
        .strip_prefix("ot=th:")
        .expect("a probability");
    let threshold = u64::from_str_radix(&format!("{th:0<14}"), 16).expect("hexadecimal digits");
    RANGE / (RANGE - threshold as f64)
}

/// Returns the standard deviation of the number of sampled requests among `count`.
fn deviation(count: u64) -> f64 {
    (count as f64 * P * (1.0 - P)).sqrt()
}

fn assert_within(found: f64, expected: f64, deviation: f64) {
    let is_within = (found - expected).abs() <= SIGMAS * deviation;
    assert!(
        is_within,
        "{found}, expected {expected} ± {SIGMAS} × {deviation}"
    );
}
