//! The exclude list: rule MF-13, and rule 1 of section 6.8.

use super::*;
use crate::direction::Direction;
use crate::headers::Name;
use alloc::borrow::ToOwned;

const PROBES: [[(&str, &str); 2]; 21] = [
    [("user-agent", "kube-probe/1.31"), (":path", "/")],
    [("user-agent", "Prometheus/3.0"), (":path", "/stats")],
    [("user-agent", "curl/8"), (":path", "/health")],
    [("user-agent", "curl/8"), (":path", "/healthz?verbose=1")],
    [("user-agent", "curl/8"), (":path", "/readyz")],
    [("user-agent", "curl/8"), (":path", "/livez")],
    [("user-agent", "curl/8"), (":path", "/metrics#x")],
    [("user-agent", "ELB-HealthChecker/2.0"), (":path", "/")],
    [
        (
            "user-agent",
            "Amazon-Route53-Health-Check-Service (ref 1; report http://amzn.to/1vsZADi)",
        ),
        (":path", "/"),
    ],
    [("user-agent", "GoogleHC/1.0"), (":path", "/")],
    [("user-agent", "Edge Health Probe"), (":path", "/")],
    [("user-agent", "Load Balancer Agent"), (":path", "/")],
    [("user-agent", "Envoy/HC"), (":path", "/ready")],
    [
        ("user-agent", "OTel-OTLP-Exporter-Python/1.39.0"),
        (":path", "/otlp/v1/metrics"),
    ],
    [
        (":method", "POST"),
        (":path", "/grpc.health.v1.Health/Check"),
    ],
    [
        (":method", "POST"),
        (":path", "/grpc.health.v1.Health/Watch"),
    ],
    [
        (":method", "POST"),
        (
            ":path",
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        ),
    ],
    [(":method", "POST"), (":path", "/v1/traces")],
    [(":method", "POST"), (":path", "/api/v2/spans")],
    [(":method", "PUT"), (":path", "/v0.4/traces")],
    [(":method", "POST"), (":path", "/v0.6/stats")],
];

/// Exports that are known by their content type as well.
const EXPORTS: [[&str; 3]; 6] = [
    ["POST", "/v1/metrics", "application/x-protobuf"],
    ["POST", "/v1/logs", "application/x-protobuf"],
    [
        "POST",
        "/api/traces?format=jaeger.thrift",
        "application/x-thrift",
    ],
    [
        "POST",
        "/api/traces",
        "application/vnd.apache.thrift.binary",
    ],
    [
        "POST",
        "/jaeger.api_v2.CollectorService/PostSpans",
        "application/grpc",
    ],
    [
        "POST",
        "/telemetry/proxy/api/v2/apmtelemetry",
        "application/json",
    ],
];

#[test]
fn mf_13_an_export_of_telemetry_is_no_traffic_and_what_only_looks_like_one_is() {
    let config = format!(r#"{{"sampling": {{"percentage": 100}}, {EXPORT}}}"#);
    let is_traced = |method: &str, path: &str, content: &str| {
        let request = [
            (":method", method),
            (":path", path),
            ("content-type", content),
        ];
        !exchange(&config, Direction::Outbound, &request)
            .spans
            .is_empty()
    };
    for [method, path, content] in EXPORTS {
        assert!(!is_traced(method, path, content), "{method} {path}");
    }
    for [method, path, content] in [
        ["POST", "/v1/metrics", "application/json"],
        ["POST", "/v1/logs", "application/json"],
        ["GET", "/v1/logs", "application/x-protobuf"],
        ["GET", "/v1/traces", ""],
        ["POST", "/v1/traces/7", ""],
        ["POST", "/api/v1/traces", "application/x-thrift"],
        ["POST", "/api/traces", "application/json"],
        ["GET", "/api/traces", ""],
        ["GET", "/api/v2/spans", ""],
        ["GET", "/v0.4/traces", ""],
        ["PUT", "/v0.4/traces/7", ""],
        ["POST", "/grpc.health.v2.Health/Check", "application/grpc"],
        [
            "POST",
            "/opentelemetry.proto.shop.Cart/Add",
            "application/grpc",
        ],
        [
            "POST",
            "/jaeger.api_v2.QueryService/GetTrace",
            "application/grpc",
        ],
    ] {
        assert!(is_traced(method, path, content), "{method} {path}");
    }
}

/// A context in every format, and what belongs to none.
fn contexts() -> Vec<(&'static str, String)> {
    let own = |(name, value): (&'static str, &str)| (name, value.to_owned());
    let contexts = [
        ("traceparent", format!("00-{T}-{S}-01")),
        ("b3", format!("{T}-{S}-d")),
        ("uber-trace-id", format!("{T}:{S}:0:3")),
    ];
    let others = [
        ("tracestate", "foo=1"),
        ("x-b3-parentspanid", S),
        ("x-b3-sampled", "0"),
        ("x-cloud-trace-context", "garbage"),
        ("ot-tracer-sampled", "true"),
        ("x-datadog-origin", "rum"),
        ("grpc-trace-bin", "AA"),
        ("x-amzn-trace-id", "Root=1-2-3"),
        ("baggage", "a=1"),
        ("x-request-id", "7"),
    ];
    contexts.into_iter().chain(others.map(own)).collect()
}

fn with_contexts<'h>(
    probe: &[(&'h str, &'h str)],
    contexts: &'h [(&'h str, String)],
) -> Vec<(&'h str, &'h str)> {
    let contexts = contexts.iter().map(|(name, value)| (*name, value.as_str()));
    probe.iter().copied().chain(contexts).collect()
}

#[test]
fn mf_13_excluded_requests_pass_untouched_and_unseen() {
    let contexts = contexts();
    for sampling in [r#""sampling": {"percentage": 100}, "#, ""] {
        let config = format!("{{{sampling}{EXPORT}}}");
        for probe in PROBES {
            for headers in [probe.to_vec(), with_contexts(&probe, &contexts)] {
                for direction in [Direction::Inbound, Direction::Outbound, Direction::Edge] {
                    let done = exchange(&config, direction, &headers);
                    let mut counted = Stats::default();
                    counted.add(Counter::DroppedExclude);
                    assert_eq!(done.headers, HeaderList::new(headers.iter().copied()));
                    assert_eq!((done.spans.len(), done.stats), (0, counted), "{probe:?}");
                }
            }
        }
    }
}

#[test]
fn mf_13_one_change_and_a_request_is_traced() {
    let config = format!(r#"{{"sampling": {{"percentage": 100}}, {EXPORT}}}"#);
    for request in [
        [("user-agent", "my-kube-probe/1"), (":path", "/")],
        [("user-agent", "kube-probe"), (":path", "/")],
        [("user-agent", "prometheus/3.0"), (":path", "/")],
        [("user-agent", "curl/8"), (":path", "/health/")],
        [("user-agent", "curl/8"), (":path", "/healthcheck")],
        [("user-agent", "curl/8"), (":path", "/readyz/db")],
        [("user-agent", "curl/8"), (":path", "/Livez")],
        [("user-agent", "curl/8"), (":path", "/a?/metrics")],
    ] {
        let done = exchange(&config, Direction::Inbound, &request);
        assert_eq!(done.spans.len(), 1, "{request:?}");
        assert_eq!(done.stats.get(Counter::DroppedExclude), 0, "{request:?}");
    }
}

#[test]
fn mf_13_a_list_of_ones_own_replaces_the_defaults() {
    let config = |list: &str| {
        format!(r#"{{"sampling": {{"percentage": 100, "exclude": {list}}}, {EXPORT}}}"#)
    };
    for (list, path, is_excluded) in [
        ("[]", "/health", false),
        (r#"[{"path": "/ping"}]"#, "/health", false),
        (r#"[{"path": "/ping"}]"#, "/ping", true),
        (r#"[{"path": "/ping"}, {"path": "/a/{b}"}]"#, "/a/7", true),
        (r#"[{"headers": {"x-probe": "*"}}]"#, "/a", true),
        (r#"[{"headers": {"x-probe": "2"}}]"#, "/a", false),
        (r#"[{"namespace": "payments"}]"#, "/a", true),
        (r#"[{"namespace": "orders"}]"#, "/a", false),
        (r#"[{"direction": "inbound"}]"#, "/a", true),
        (r#"[{"direction": "outbound"}]"#, "/a", false),
    ] {
        let headers = [(":path", path), ("x-probe", "1")];
        let done = exchange(&config(list), Direction::Inbound, &headers);
        assert_eq!(done.spans.is_empty(), is_excluded, "{list} {path}");
        let counted = done.stats.get(Counter::DroppedExclude);
        assert_eq!(counted, u64::from(is_excluded), "{list} {path}");
    }
}

#[test]
fn mf_13_carries_nothing_in_where_the_context_is_not_accepted() {
    let contexts = contexts();
    for (trust, is_touched) in [
        (
            r#"{"context": "accept", "decision": "ignore", "debug": false}"#,
            false,
        ),
        (r#"{"context": "restart"}"#, true),
        (r#"{"context": "ignore"}"#, true),
    ] {
        let config = format!(r#"{{"trust": {trust}, {EXPORT}}}"#);
        let sent = with_contexts(&PROBES[2], &contexts);
        let expected = sent.iter().copied().filter(|(name, _)| {
            let is_listed = crate::propagation::format::Format::ALL
                .into_iter()
                .flat_map(|format| format.headers())
                .any(|listed: &Name| listed.as_str() == *name);
            !is_touched || !is_listed
        });
        let expected = HeaderList::new(expected);
        let done = exchange(&config, Direction::Inbound, &sent);
        assert_eq!(done.headers, expected, "{trust}");
        assert!(done.spans.is_empty(), "{trust}");
        assert_eq!(done.stats.get(Counter::DroppedExclude), 1, "{trust}");

        let done = exchange(&config, Direction::Inbound, &PROBES[2]);
        assert_eq!(done.headers, HeaderList::new(PROBES[2]), "{trust}");
    }
}

#[test]
fn mf_13_leaves_formats_that_are_not_listed_alone() {
    let config = format!(
        r#"{{"trust": {{"context": "ignore"}}, {EXPORT},
            "propagation": {{"extract": ["tracecontext"], "inject": ["tracecontext"]}}}}"#
    );
    let parent = format!("00-{T}-{S}-01");
    let sent = [(":path", "/health"), ("traceparent", &parent), ("b3", "0")];
    let done = exchange(&config, Direction::Inbound, &sent);
    assert_eq!(done.headers, HeaderList::new([sent[0], sent[2]]));
}

#[test]
fn mf_13_a_gateway_has_a_list_and_a_trust_of_its_own() {
    let gateway = r#""gateway": {"exclude": [{"path": "/ping"}], "trust": {"context": "ignore"}}"#;
    let config = format!(r#"{{"sampling": {{"percentage": 100}}, {gateway}, {EXPORT}}}"#);
    let parent = format!("00-{T}-{S}-01");
    for (direction, path, is_excluded, is_kept) in [
        (Direction::Inbound, "/health", true, true),
        (Direction::Inbound, "/ping", false, false),
        (Direction::Edge, "/ping", true, false),
        (Direction::Edge, "/health", false, false),
    ] {
        let sent = [(":path", path), ("traceparent", parent.as_str())];
        let done = exchange(&config, direction, &sent);
        let counted = done.stats.get(Counter::DroppedExclude);
        assert_eq!(counted, u64::from(is_excluded), "{direction:?} {path}");
        assert_eq!(done.spans.is_empty(), is_excluded, "{direction:?} {path}");
        let kept = done.value("traceparent").as_ref() == Some(&parent);
        assert_eq!(kept, is_kept, "{direction:?} {path}");
    }
}

#[test]
fn mf_13_without_a_list_of_its_own_a_gateway_takes_the_general_one() {
    for (gateway, is_excluded) in [
        ("{}", true),
        (r#"{"trust": {"context": "accept"}}"#, true),
        (r#"{"exclude": []}"#, false),
    ] {
        let config =
            format!(r#"{{"sampling": {{"percentage": 100}}, "gateway": {gateway}, {EXPORT}}}"#);
        let done = exchange(&config, Direction::Edge, &[(":path", "/health")]);
        assert_eq!(done.spans.is_empty(), is_excluded, "{gateway}");
    }
}

#[test]
fn mf_13_asks_for_the_direction_only_where_the_two_lists_differ() {
    let config =
        r#"{"sampling": {}, "gateway": {"exclude": [{"path": "/health"}, {"path": "/a"}]}}"#;
    for (path, is_asked) in [
        ("/health", false),
        ("/b", false),
        ("/a", true),
        ("/metrics", true),
    ] {
        let inbound = Direction::Inbound;
        let mut filter = filter(SequentialBytes(1), config, inbound, &Node::default());
        filter.proxy.open(HeaderList::new([(":path", path)]));
        filter.on_request_headers(&mut StreamState::default());
        let asked = filter.proxy.direction_reads.get() > 0;
        assert_eq!(asked, is_asked, "{path}");
    }
}

#[test]
fn mf_13_one_that_only_translates_translates_for_probes_too() {
    let gateway = r#"{"gateway": {"exclude": [{"path": "*"}]}}"#;
    let parent = format!("00-{T}-{S}-01");
    for (config, direction) in [("{}", Direction::Inbound), (gateway, Direction::Edge)] {
        let sent = [(":path", "/health"), ("traceparent", parent.as_str())];
        let done = exchange(config, direction, &sent);
        assert_eq!(done.value("x-b3-traceid").as_deref(), Some(T));
        assert_eq!(done.value("traceparent").as_ref(), Some(&parent));
        assert_eq!(done.stats.get(Counter::DroppedExclude), 0);

        let done = exchange(config, direction, &sent[..1]);
        assert_eq!(done.headers, HeaderList::new([sent[0]]));
    }
}
