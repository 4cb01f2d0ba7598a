//! The Collector's parts that tests and guides use, all in one configuration, and the way back after its end.

use serde_json::json;
use sidespan_envoy::wait_for;
use sidespan_sink::Value;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::http::{Request, send};
use sidespan_tests::{collector, otlp, peers};

use super::corpus;

/// Sends spans by OTLP and by Zipkin's JSON through every processor, to every exporter that needs no second program.
#[test]
fn every_part_takes_spans_and_hands_them_on() {
    let sink = collector::Collector::start();
    let through = peers::Collector::start(|places| {
        let receivers = json!({
            "zipkin": {"endpoint": places.address("zipkin")},
            "jaeger": {"protocols": {"grpc": {"endpoint": places.address("jaeger")}}},
        });
        let processors = json!({
            "memory_limiter": {"check_interval": "1s", "limit_mib": 512},
            "attributes": {"actions": [{"key": "attributes", "value": "ran", "action": "insert"}]},
            "transform": {"trace_statements": ["set(span.attributes[\"transform\"], \"ran\")"]},
            "filter": {"traces": {"span": ["name == \"unwanted\""]}},
            // Its default mode drops every span whose `tracestate` has OpenTelemetry's `rv`, also at 100 %.
            "probabilistic_sampler": {"sampling_percentage": 100, "mode": "proportional"},
            "tail_sampling": {
                "decision_wait": "20ms",
                "policies": [{"name": "all", "type": "always_sample"}],
            },
            "batch": {"timeout": "20ms"},
        });
        let order = [
            "memory_limiter",
            "attributes",
            "transform",
            "filter",
            "probabilistic_sampler",
            "tail_sampling",
            "batch",
        ];
        json!({
            "receivers": receivers,
            "processors": processors,
            "connectors": {"span_metrics": {"metrics_flush_interval": "20ms"}, "forward": {}},
            "exporters": {
                "otlp_grpc": {"endpoint": sink.sink().grpc_addr(), "tls": {"insecure": true}},
                "prometheus": {"endpoint": places.address("prometheus")},
                "file": {"path": places.file("traces.json")},
                "debug": {},
                "nop": {},
            },
            "service": {
                "pipelines": {
                    "traces/in": {
                        "receivers": ["otlp", "zipkin", "jaeger"],
                        "processors": order,
                        "exporters": ["forward", "span_metrics"],
                    },
                    "traces/out": {
                        "receivers": ["forward"],
                        "exporters": ["otlp_grpc", "file", "debug", "nop"],
                    },
                    "metrics": {"receivers": ["span_metrics"], "exporters": ["prometheus"]},
                },
            },
        })
    });
    let request = corpus::request();
    otlp::export(through.grpc_addr(), request.clone());
    let span = |id: &str, name: &str| {
        json!({
            "traceId": "463ac35c9f6413ad48485a3953bb6124",
            "id": id,
            "name": name,
            "kind": "SERVER",
            "timestamp": 1_790_000_000_000_000_u64,
            "duration": 1000,
            "localEndpoint": {"serviceName": "from-zipkin"},
        })
    };
    let spans = json!([
        span("a2fb4a1d1a96d312", "wanted"),
        span("a2fb4a1d1a96d313", "unwanted"),
    ]);
    let post = Request::post("/api/v2/spans", spans.to_string())
        .header("content-type", "application/json");
    assert_eq!(send(through.address("zipkin"), &post).status, 202);

    let count = corpus::count(&request) + 1;
    let arrived = sink.wait(|now| (now.spans.len() >= count).then(|| now.spans.clone()));
    assert_eq!(arrived.len(), count);
    for span in &arrived {
        for processor in ["attributes", "transform"] {
            let ran = span.attribute(processor).and_then(Value::as_str);
            assert_eq!(ran, Some("ran"), "{processor}: {span:?}");
        }
    }
    let counted = wait_for(LIMIT, || {
        let page = through.get("prometheus", "/metrics")?;
        let page = String::from_utf8(page.body).ok()?;
        // The counter begins with a line that says 0.
        let is_counted = |line: &str| {
            line.starts_with("traces_span_metrics_calls_total{")
                && line.contains(r#"service_name="from-zipkin""#)
                && line.ends_with(" 1")
        };
        page.lines().any(is_counted).then_some(())
    });
    assert!(counted.is_some(), "{}", through.log());
}

#[test]
fn a_collector_that_ended_comes_back_on_its_addresses() {
    let sink = collector::Collector::start();
    let mut through = peers::Collector::start(|_| {
        json!({
            // Longer than the test, so that only an orderly end sends.
            "processors": {"batch": {"timeout": "1h"}},
            "exporters": {
                "otlp_grpc": {"endpoint": sink.sink().grpc_addr(), "tls": {"insecure": true}},
            },
            "service": {
                "pipelines": {
                    "traces": {
                        "receivers": ["otlp"],
                        "processors": ["batch"],
                        "exporters": ["otlp_grpc"],
                    },
                },
            },
        })
    });
    let request = corpus::request();
    let count = corpus::count(&request);
    otlp::export(through.grpc_addr(), request.clone());
    through.kill();
    through.resume();
    assert_eq!(sink.sink().spans().len(), 0, "a crash sends nothing");
    otlp::export(through.grpc_addr(), request);
    through.quit();
    sink.wait(|now| (now.spans.len() == count).then_some(()));
}
