//! A Collector reads the sink's answers: it sends again after those that say so, and gives up after the others.

use std::time::Duration;

use serde_json::json;
use sidespan_sink::Reply;
use sidespan_tests::{collector, otlp, peers};
use tonic::Code;

use super::corpus;

/// Returns refusals, each with the exporters that are to send the same request again.
fn refusals() -> Vec<(Reply, &'static [&'static str])> {
    let soon = Some(Duration::from_millis(20));
    vec![
        (Reply::Unavailable, &EXPORTERS),
        (Reply::GrpcStatus(Code::ResourceExhausted, soon), &EXPORTERS),
        (Reply::GrpcStatus(Code::InvalidArgument, None), &[]),
        // To gRPC a stream that is reset is an internal error, which OTLP does not call retryable.
        (Reply::Reset, &["otlp_http"]),
    ]
}

#[test]
fn what_is_to_be_sent_again_is_sent_again_and_nothing_else() {
    for exporter in EXPORTERS {
        for (refusal, retrying) in refusals() {
            let sink = collector::Collector::start();
            let endpoint = match exporter {
                "otlp_grpc" => sink.sink().grpc_addr().to_string(),
                _ => format!("http://{}", sink.sink().http_addr()),
            };
            let through = peers::Collector::start(|_| {
                json!({
                    "exporters": {
                        exporter: {
                            "endpoint": endpoint,
                            "tls": {"insecure": true},
                            // Else the first pause is of five seconds.
                            "retry_on_failure": {"initial_interval": "10ms"},
                        },
                    },
                    "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": [exporter]}}},
                })
            });
            sink.sink().script([refusal.clone()]);
            let request = corpus::request();
            let count = corpus::count(&request);
            otlp::export(through.grpc_addr(), request.clone());
            let what = format!("{exporter}, {refusal:?}");
            if retrying.contains(&exporter) {
                let spans = sink.wait(|now| (now.spans.len() >= count).then_some(now.spans.len()));
                assert_eq!((spans, sink.sink().requests().len()), (count, 2), "{what}");
                continue;
            }
            // A second request shows that the first is not sent again in front of it.
            sink.wait(|now| (now.requests.len() == 1).then_some(()));
            let mut other = request;
            other.resource_spans.truncate(1);
            let fewer = corpus::count(&other);
            otlp::export(through.grpc_addr(), other);
            let spans = sink.wait(|now| (now.spans.len() >= fewer).then_some(now.spans.len()));
            assert_eq!((spans, sink.sink().requests().len()), (fewer, 2), "{what}");
            assert!(
                through.log().contains("dropped_items"),
                "{what}:\n{}",
                through.log()
            );
        }
    }
}

const EXPORTERS: [&str; 2] = ["otlp_grpc", "otlp_http"];
