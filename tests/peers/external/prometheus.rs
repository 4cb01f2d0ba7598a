//! A real Prometheus scrapes the sink with the settings of the README: its numbers are those of all requests, although one in
//! a hundred was sampled and failures were kept beside.

use std::fs;
use std::path::Path;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde_json::Value;
use sidespan_envoy::wait_for;
use sidespan_sink::{Limits, SinkConfig};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::otlp;
use sidespan_tests::peers::Prometheus;

/// The requests of the world, of which the sink sees the sampled and the failed ones.
const REQUESTS: u64 = 200_000;

/// Of so many requests one fails.
const ONE_FAILS_OF: u64 = 50;

/// The threshold and the probability of the filter's 1 %, which it rounds to four digits (`filter/RULES.md`, TH-5).
const THRESHOLD: u64 = 0xfd_70a0_0000_0000;
const STATE: &str = "ot=th:fd70a";
const SIGMAS: f64 = 5.0;

#[test]
fn prometheus_has_the_rates_of_all_requests_at_one_percent_with_kept_spans_among_them() {
    let sink = Collector::start_with(SinkConfig {
        limits: Limits {
            // Less than is sent, because what is evicted stays counted.
            max_spans: 3_000,
            ..Limits::default()
        },
        ..SinkConfig::default()
    });
    let target = sink.sink().http_addr();
    let prometheus = Prometheus::start(documented(&target.to_string()), "not asked for here");
    let world = World::new();
    for part in world.spans.chunks(world.spans.len().div_ceil(4)) {
        let before = sink.sink().counts().accepted;
        let request = request(part.to_vec());
        otlp::export(sink.sink().grpc_addr(), request.clone());
        // The answer was lost, so the sender repeats itself.
        otlp::export(sink.sink().grpc_addr(), request);
        let accepted = before + u64::try_from(part.len()).expect("a small number");
        let expression = "sidespan_sink_spans_total{outcome=\"accepted\"}";
        let scraped = wait_for(LIMIT, || {
            let found = prometheus.number(expression)?;
            (found == accepted as f64).then_some(())
        });
        assert_eq!(scraped, Some(()), "{expression} never was {accepted}");
    }

    let weight = (1_u64 << 56) as f64 / ((1_u64 << 56) - THRESHOLD) as f64;
    let number = |expression: &str| prometheus.number(expression).unwrap_or_default();
    for (expression, sampled, truth) in [
        ("sum(sidespan_spans_total)", world.sampled, REQUESTS),
        (
            "sum(sidespan_spans_total{status_code=\"error\"})",
            world.sampled_failures,
            REQUESTS / ONE_FAILS_OF,
        ),
        (
            "sum(sidespan_span_duration_seconds_count)",
            world.sampled,
            REQUESTS,
        ),
    ] {
        let found = number(expression);
        // Rounded in each of the two sets of labels.
        let exact = sampled as f64 * weight;
        assert!(
            (found - exact).abs() <= 1.0,
            "{expression}: {found}, sent {exact}"
        );
        let deviation = (truth as f64 * weight).sqrt();
        let is_right = (found - truth as f64).abs() <= SIGMAS * deviation;
        assert!(
            is_right,
            "{expression}: {found}, of {truth} ± {SIGMAS} × {deviation}"
        );
    }
    assert_eq!(number("sidespan_sink_kept_spans_total"), world.kept as f64);
    assert!(number("sidespan_sink_removed_spans_total{reason=\"evicted\"}") > 0.0);
    let copies = number("sidespan_sink_spans_total{outcome=\"duplicate\"}");
    assert_eq!(copies, world.spans.len() as f64);
    let slow = "histogram_quantile(0.5, sum by (le) (sidespan_span_duration_seconds_bucket))";
    let median = number(slow);
    assert!(
        (0.01..=0.025).contains(&median),
        "all spans take 20 ms: {median}"
    );
    assert_eq!(number("sidespan_sink_build_info"), 1.0);
    assert_eq!(number("up"), 1.0);
    has_exemplars(&prometheus, &world);
}

/// Prometheus keeps exemplars, and each leads to a span that was sent and counted.
fn has_exemplars(prometheus: &Prometheus, world: &World) {
    let parameters = [
        (
            "query",
            "sidespan_span_duration_seconds_bucket{service_name=\"shop\"}",
        ),
        ("start", "0"),
        ("end", "9999999999"),
    ];
    let data = prometheus.get("/api/v1/query_exemplars", &parameters);
    let all = data.as_array().expect("a list of series").iter();
    let exemplars: Vec<&Value> = all
        .flat_map(|it| it["exemplars"].as_array().expect("a list"))
        .collect();
    assert!(!exemplars.is_empty(), "{data}");
    for exemplar in exemplars {
        let id = hex::decode(exemplar["labels"]["trace_id"].as_str().expect("an id")).expect("hex");
        let span = world
            .spans
            .iter()
            .find(|it| it.trace_id == id)
            .expect("a sent span");
        assert_eq!(span.trace_state, STATE, "a kept span is no example");
        assert_eq!(exemplar["value"], "0.02");
    }
}

struct World {
    /// What the filter exports: sampled spans with their probability, and failed ones that were kept without any.
    spans: Vec<Span>,
    sampled: u64,
    sampled_failures: u64,
    kept: u64,
}

impl World {
    /// Returns a world that is the same every time.
    fn new() -> Self {
        let mut world = Self {
            spans: Vec::new(),
            sampled: 0,
            sampled_failures: 0,
            kept: 0,
        };
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        for number in 1..=REQUESTS {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let is_sampled = seed & ((1 << 56) - 1) >= THRESHOLD;
            let is_failed = number % ONE_FAILS_OF == 0;
            world.sampled += u64::from(is_sampled);
            world.sampled_failures += u64::from(is_sampled && is_failed);
            world.kept += u64::from(!is_sampled && is_failed);
            if is_sampled || is_failed {
                world.spans.push(span(number, is_sampled, is_failed));
            }
        }
        world
    }
}

fn span(number: u64, is_sampled: bool, is_failed: bool) -> Span {
    let mut attributes = vec![text("http.route", "/cart/{id}")];
    if !is_sampled {
        attributes.push(text("sidespan.kept", "error"));
    }
    let start = 1_700_000_000_000_000_000 + number;
    Span {
        trace_id: [[0xA5; 8], number.to_be_bytes()].concat(),
        span_id: number.to_be_bytes().to_vec(),
        trace_state: if is_sampled {
            STATE.into()
        } else {
            String::new()
        },
        flags: 0x100 | u32::from(is_sampled),
        name: format!("GET /cart/{number}"),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 20_000_000,
        attributes,
        status: is_failed.then(|| Status {
            code: 2,
            ..Status::default()
        }),
        ..Span::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue {
            value: Some(Any::StringValue(value.into())),
        }),
        ..KeyValue::default()
    }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![text("service.name", "shop")],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// Returns the scrape configuration of the README, for this target.
fn documented(target: &str) -> Value {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/README.md");
    let readme = fs::read_to_string(readme).expect("the harness's README");
    let mut blocks = readme.split("```yaml\n").skip(1);
    let block = blocks
        .find(|block| block.starts_with("scrape_configs:"))
        .expect("a block");
    let yaml = block.split("```").next().expect("its end");
    let yaml = yaml
        .replace("/etc/prometheus/sidespan-token", "{folder}/token")
        .replace("sidespan-sink:4318", target);
    assert!(yaml.contains("{folder}") && yaml.contains(target), "{yaml}");
    serde_saphyr::from_str(&yaml).expect("YAML")
}
