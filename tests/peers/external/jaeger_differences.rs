//! The list of what the sink answers in another way than Jaeger 1.76, and why; `harness/README.md` tells it to users. Each
//! difference is asked for, so that the list is as long as it must be: one that Jaeger no longer has fails here.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Status;
use sidespan_tests::otlp;

use super::jaeger_pair::{Pair, wait_until_found};
use super::jaeger_worlds::{ids, pair, request, span, text};

/// A question and the two answers to it: a status, and a part of the body, or with `!` before it what is not in it.
struct Difference {
    path: &'static str,
    jaeger: (u16, &'static str),
    sink: (u16, &'static str),
    why: &'static str,
}

const DIFFERENCES: [Difference; 22] = [
    Difference {
        path: "/api/traces/b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1",
        jaeger: (500, "json: unsupported value: +Inf"),
        sink: (200, r#"{"key":"load","type":"float64","value":"Infinity"}"#),
        why: "one number hides a trace",
    },
    Difference {
        path: "/api/traces?service=odd&start=1&end=9000000000000000",
        jaeger: (500, "json: unsupported value: +Inf"),
        sink: (200, r#""value":"NaN""#),
        why: "one number hides all traces beside its own",
    },
    Difference {
        path: "/api/traces?service=shop&tag=error:true&start=1&end=9000000000000000",
        jaeger: (200, "!b2b2b2b2"),
        sink: (200, "b2b2b2b2"),
        why: "spans whose status is an error are not found by the tag that shows it",
    },
    Difference {
        path: "/api/traces?service=shop&tag=error:true&start=1&end=9000000000000000",
        jaeger: (200, "b3b3b3b3"),
        sink: (200, "!b3b3b3b3"),
        why: "and spans whose status is good are found in their place",
    },
    Difference {
        path: "/api/traces?service=shop&tag=error:false&operation=unset&start=1&end=9000000000000000",
        jaeger: (200, "!b4b4b4b4"),
        sink: (200, "b4b4b4b4"),
        why: "a status that is not set is no error either",
    },
    Difference {
        path: "/api/traces?service=shop&tag=span.kind:client&start=1&end=9000000000000000",
        jaeger: (200, "!b2b2b2b2"),
        sink: (200, "b2b2b2b2"),
        why: "a tag that an answer shows is found by it: span.kind",
    },
    Difference {
        path: "/api/traces?service=shop&tag=otel.status_code:ERROR&start=1&end=9000000000000000",
        jaeger: (200, "!b2b2b2b2"),
        sink: (200, "b2b2b2b2"),
        why: "the same: otel.status_code",
    },
    Difference {
        path: "/api/traces?service=shop&tag=otel.status_description:upstream+reset&start=1&end=9000000000000000",
        jaeger: (200, "!b2b2b2b2"),
        sink: (200, "b2b2b2b2"),
        why: "the same: otel.status_description",
    },
    Difference {
        path: "/api/traces?service=shop&tag=otel.scope.name:worlds&start=1&end=9000000000000000",
        jaeger: (200, "!b2b2b2b2"),
        sink: (200, "b2b2b2b2"),
        why: "the same: otel.scope.name, otel.scope.version",
    },
    Difference {
        path: "/api/traces?service=shop&tag=w3c.tracestate:ot%3Dth:8&start=1&end=9000000000000000",
        jaeger: (200, "!b2b2b2b2"),
        sink: (200, "b2b2b2b2"),
        why: "the same: w3c.tracestate",
    },
    Difference {
        path: "/api/traces?service=shop&limit=0&start=1&end=9000000000000000",
        jaeger: (
            500,
            "search depth must be greater than 0 and less than max traces",
        ),
        sink: (
            400,
            "search depth must be greater than 0 and less than max traces",
        ),
        why: "a wrong limit is no failure of the server",
    },
    Difference {
        path: "/api/traces?service=shop&limit=100001&start=1&end=9000000000000000",
        jaeger: (
            500,
            "search depth must be greater than 0 and less than max traces",
        ),
        sink: (
            400,
            "search depth must be greater than 0 and less than max traces",
        ),
        why: "a wrong limit is no failure of the server",
    },
    Difference {
        path: "/api/v3/traces?query.service_name=shop&query.start_time_min=2000-01-01T00:00:00Z&query.start_time_max=2200-01-01T00:00:00Z",
        jaeger: (500, "search depth must be greater than 0"),
        sink: (200, "b2b2b2b2"),
        why: "a search without a limit has that of /api/traces, 100",
    },
    Difference {
        path: "/api/v3/traces?query.service_name=shop&query.start_time_min=2000-01-01T00:00:00Z&query.start_time_max=2200-01-01T00:00:00Z&query.search_depth=1",
        jaeger: (500, "search depth must be greater than 0"),
        sink: (200, "resourceSpans"),
        why: "the name that the limit has in later versions is known",
    },
    Difference {
        path: "/api/dependencies?endTs=1000&lookback=-5",
        jaeger: (500, "end time must be greater than start time"),
        sink: (400, "end time must be greater than start time"),
        why: "a wrong time is no failure of the server",
    },
    Difference {
        path: "/api/dependencies?endTs=9000000000000&lookback=9000000000000",
        jaeger: (200, r#""callCount":2"#),
        sink: (200, r#""callCount":1"#),
        why: "a request that a sender repeats is no second call",
    },
    Difference {
        path: "/api/services",
        jaeger: (200, "missing-service-name"),
        sink: (200, "unknown_service"),
        why: "the semantic conventions name a service without a name",
    },
    Difference {
        path: "/api/traces/b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5",
        jaeger: (200, r#""serviceName":"missing-service-name""#),
        sink: (200, r#""serviceName":"unknown_service""#),
        why: "the same in a trace",
    },
    Difference {
        path: "/api/traces?service=shop&tags=%7B",
        jaeger: (
            400,
            "malformed 'tags' parameter, cannot unmarshal JSON: unexpected end of JSON input",
        ),
        sink: (
            400,
            "malformed 'tags' parameter, cannot unmarshal JSON: EOF while parsing an object",
        ),
        why: "the cause is told by another reader of JSON",
    },
    Difference {
        path: "/api/v3/traces/b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2?raw_traces=true",
        jaeger: (200, "!schemaUrl"),
        sink: (
            200,
            r#""schemaUrl":"https://opentelemetry.io/schemas/1.44.0""#,
        ),
        why: "schema URLs are kept",
    },
    Difference {
        path: "/api/v3/traces/b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7",
        jaeger: (200, TOLD_TWICE),
        sink: (200, "!},{\"stringValue\":\"clock"),
        why: "a question does not change the answer to the next",
    },
    Difference {
        path: "/api/traces/b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2?prettyPrint=true",
        jaeger: (200, "    "),
        sink: (200, "!    "),
        why: "answers are always in one line",
    },
];

/// The second of two warnings that are the same.
const TOLD_TWICE: &str =
    r#"},{"stringValue":"clock skew adjustment disabled; not applying calculated delta of 1ms"}"#;

#[test]
fn the_sink_differs_from_jaeger_as_listed() {
    let requests = worlds();
    let both = Pair::start(&requests);
    // A sender that lost the answer.
    let again = &requests[1];
    otlp::export(both.sink.sink().grpc_addr(), again.clone());
    otlp::export(both.jaeger.grpc_addr(), again.clone());
    otlp::export(both.jaeger.grpc_addr(), marker());
    wait_until_found(&both.jaeger, &ids(&[marker()])[0]);
    both.ask("/api/v3/traces/b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7");
    let mut wrong = Vec::new();
    for Difference {
        path,
        jaeger,
        sink,
        why,
    } in &DIFFERENCES
    {
        let answers = both.texts(path);
        for (name, expected, (status, text)) in [
            ("Jaeger", jaeger, &answers[0]),
            ("the sink", sink, &answers[1]),
        ] {
            let holds = match expected.1.strip_prefix('!') {
                Some(absent) => !text.contains(absent),
                None => text.contains(expected.1),
            };
            if *status != expected.0 || !holds {
                wrong.push(format!(
                    "{why}: {name} answers {path} with {status}: {text}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "not as listed:\n{}", wrong.join("\n"));
}

fn worlds() -> Vec<ExportTraceServiceRequest> {
    let time = (1_790_000_000_000_000_000, 1_790_000_000_001_000_000);
    let mut odd = span([0xb1; 16], 1, 0, "odd", 1, time);
    odd.attributes = vec![pair("load", Value::DoubleValue(f64::INFINITY))];
    odd.attributes
        .push(pair("none", Value::DoubleValue(f64::NAN)));
    let mut call = span([0xb2; 16], 1, 0, "call", 3, time);
    call.status = Some(status(2, "upstream reset"));
    call.trace_state = "ot=th:8".into();
    let mut called = span([0xb2; 16], 2, 1, "called", 2, time);
    called.status = Some(status(2, "upstream reset"));
    let mut good = span([0xb3; 16], 1, 0, "good", 1, time);
    good.status = Some(status(1, ""));
    let unset = span([0xb4; 16], 1, 0, "unset", 1, time);
    let nameless = span([0xb5; 16], 1, 0, "nameless", 1, time);
    let root = span([0xb7; 16], 1, 0, "root", 2, time);
    let earlier = (time.0 - 1_000_000, time.1 - 1_000_000);
    let early = span([0xb7; 16], 2, 1, "early", 3, earlier);
    let mut failed = request(vec![
        ("shop", vec![], vec![call]),
        ("cart", vec![], vec![called]),
    ]);
    for resource_spans in &mut failed.resource_spans {
        resource_spans.schema_url = "https://opentelemetry.io/schemas/1.44.0".into();
    }
    vec![
        request(vec![("odd", vec![], vec![odd])]),
        failed,
        request(vec![("shop", vec![], vec![good])]),
        request(vec![("shop", vec![], vec![unset])]),
        request(vec![("", vec![text("k8s.pod.name", "a")], vec![nameless])]),
        request(vec![("skewed", vec![], vec![root, early])]),
    ]
}

/// A trace that comes last.
fn marker() -> ExportTraceServiceRequest {
    let time = (1_790_000_000_000_000_000, 1_790_000_000_001_000_000);
    request(vec![(
        "marker",
        vec![],
        vec![span([0xb6; 16], 1, 0, "last", 1, time)],
    )])
}

fn status(code: i32, message: &str) -> Status {
    Status {
        code,
        message: message.into(),
    }
}
