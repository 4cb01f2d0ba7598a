//! Exemplars: the histogram of durations names the trace of a request that was counted, in the form that Prometheus asks for.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use sidespan_envoy::wait_for;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::http::{Request, send};
use sidespan_tests::{collector, otlp};

use super::scene::gateway;

const BUCKET: &str = "traces_span_metrics_duration_seconds_bucket{";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn a_bucket_names_the_trace_of_a_request_in_it() {
    let sink = collector::Collector::start();
    let gateway = gateway("filter-decides", sink.sink().grpc_addr(), |whole| {
        // As in the file, longer than from one look to the next.
        whole["connectors"]["span_metrics"]["metrics_flush_interval"] = "2s".into();
    });
    otlp::export(gateway.grpc_addr(), request());
    let scrape =
        Request::get("/metrics").header("accept", "application/openmetrics-text; version=1.0.0");
    let wanted = format!("# {{trace_id=\"{TRACE}\"");
    let line = wait_for(LIMIT, || {
        let page = send(gateway.address("rates"), &scrape);
        let page = String::from_utf8_lossy(&page.body).into_owned();
        let is_it = |line: &&str| line.starts_with(BUCKET) && line.contains(&wanted);
        page.lines().find(is_it).map(str::to_owned)
    });
    let line = line.expect("an exemplar");
    assert!(
        line.contains("le=\"0.025\""),
        "the request took 20 ms: {line}"
    );
}

fn request() -> ExportTraceServiceRequest {
    let span = Span {
        trace_id: hex::decode(TRACE).expect("hexadecimal"),
        span_id: vec![7; 8],
        name: "GET".into(),
        kind: 2,
        start_time_unix_nano: 1_790_000_000_000_000_000,
        end_time_unix_nano: 1_790_000_000_020_000_000,
        ..Span::default()
    };
    let scope = InstrumentationScope {
        name: "sidespan".into(),
        ..InstrumentationScope::default()
    };
    // Spans of nobody are not counted.
    let service = KeyValue {
        key: "service.name".into(),
        value: Some(AnyValue {
            value: Some(Any::StringValue("cart".into())),
        }),
        ..KeyValue::default()
    };
    let resource = Resource {
        attributes: vec![service],
        ..Resource::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}
