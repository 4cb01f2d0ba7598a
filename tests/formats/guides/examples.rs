//! The rows: a guide, its printed headers, and the expected result.

/// A guide, its header lines, and the expected result.
pub(super) struct Example {
    pub(super) guide: &'static str,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) outcome: Comes,
}

/// The expected trace and parent (empty: none), the decision, and the counters that move beside the decision's, without
/// `context.`.
pub(super) struct Comes {
    pub(super) trace_id: &'static str,
    pub(super) parent: &'static str,
    pub(super) decision: &'static str,
    pub(super) counters: &'static [&'static str],
}

const fn continued(
    trace_id: &'static str,
    parent: &'static str,
    decision: &'static str,
    counters: &'static [&'static str],
) -> Comes {
    Comes {
        trace_id,
        parent,
        decision,
        counters,
    }
}

const fn starts_anew(counters: &'static [&'static str]) -> Comes {
    continued("", "", DEFAULT, counters)
}

const RECEIVED: &str = "sampled.received";
pub(super) const DENIED: &str = "dropped.received";
const DEBUG: &str = "sampled.debug";
const DEFAULT: &str = "sampled.default";

const W3C: &str = "0af7651916cd43dd8448eb211c80319c";
const B3: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const XRAY: &str = "5759e988bd862e3fe1be46a994272793";
const ALB: &str = "67891233abcdef012345678912345678";

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        guide: "W3C Trace Context, traceparent: a caller that records",
        headers: &[(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )],
        outcome: continued(
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "00f067aa0ba902b7",
            RECEIVED,
            &["tracecontext.valid"],
        ),
    },
    Example {
        guide: "W3C Trace Context, traceparent: one that does not",
        headers: &[(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        )],
        outcome: continued(
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "00f067aa0ba902b7",
            DENIED,
            &["tracecontext.valid"],
        ),
    },
    Example {
        guide: "W3C Trace Context, overview: the Congo system",
        headers: &[
            (
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
            ("tracestate", "congo=t61rcWkgMzE"),
        ],
        outcome: continued(W3C, "b7ad6b7169203331", RECEIVED, &["tracecontext.valid"]),
    },
    Example {
        guide: "W3C Trace Context, overview: the Rojo system behind it",
        headers: &[
            (
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            ),
            ("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ],
        outcome: continued(W3C, "00f067aa0ba902b7", RECEIVED, &["tracecontext.valid"]),
    },
    Example {
        guide: "OpenTelemetry, Context propagation",
        headers: &[(
            "traceparent",
            "00-a0892f3577b34da6a3ce929d0e0e4736-f03067aa0ba902b7-01",
        )],
        outcome: continued(
            "a0892f3577b34da6a3ce929d0e0e4736",
            "f03067aa0ba902b7",
            RECEIVED,
            &["tracecontext.valid"],
        ),
    },
    Example {
        guide: "B3 README, Multiple Headers",
        headers: &[
            ("x-b3-traceid", B3),
            ("x-b3-parentspanid", "05e3ac9a4f6e3b90"),
            ("x-b3-spanid", "e457b5a2e4d86bd1"),
            ("x-b3-sampled", "1"),
        ],
        outcome: continued(B3, "e457b5a2e4d86bd1", RECEIVED, &["b3multi.valid"]),
    },
    Example {
        guide: "B3 README, its identifiers one by one",
        headers: &[
            ("x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124"),
            ("x-b3-spanid", "a2fb4a1d1a96d312"),
            ("x-b3-parentspanid", "0020000000000001"),
        ],
        outcome: continued(
            "463ac35c9f6413ad48485a3953bb6124",
            "a2fb4a1d1a96d312",
            DEFAULT,
            &["b3multi.valid"],
        ),
    },
    Example {
        guide: "B3 README, Debug Flag",
        headers: &[("x-b3-flags", "1")],
        outcome: continued("", "", DEBUG, &["b3multi.valid"]),
    },
    Example {
        guide: "B3 README, Sampling State: deny in several headers",
        headers: &[("x-b3-sampled", "0")],
        outcome: continued("", "", DENIED, &["b3multi.valid"]),
    },
    Example {
        guide: "B3 README, Single Header",
        headers: &[(
            "b3",
            "80f198ee56343ba864fe8b2a57d3eff7-05e3ac9a4f6e3b90-1-e457b5a2e4d86bd1",
        )],
        outcome: continued(B3, "05e3ac9a4f6e3b90", RECEIVED, &["b3.valid"]),
    },
    Example {
        guide: "B3 README, Single Header without a parent",
        headers: &[("b3", "80f198ee56343ba864fe8b2a57d3eff7-05e3ac9a4f6e3b90-1")],
        outcome: continued(B3, "05e3ac9a4f6e3b90", RECEIVED, &["b3.valid"]),
    },
    Example {
        guide: "B3 README, Single Header: debug",
        headers: &[("b3", "80f198ee56343ba864fe8b2a57d3eff7-05e3ac9a4f6e3b90-d")],
        outcome: continued(B3, "05e3ac9a4f6e3b90", DEBUG, &["b3.valid"]),
    },
    Example {
        guide: "B3 README, Single Header: deny",
        headers: &[("b3", "0")],
        outcome: continued("", "", DENIED, &["b3.valid"]),
    },
    Example {
        guide: "B3 README, TraceId: 16 digits",
        headers: &[("b3", "64fe8b2a57d3eff7-05e3ac9a4f6e3b90-1")],
        outcome: continued(
            "000000000000000064fe8b2a57d3eff7",
            "05e3ac9a4f6e3b90",
            RECEIVED,
            &["b3.valid"],
        ),
    },
    Example {
        guide: "Jaeger, Propagation Format, as CnosDB's guide fills it in: short ids",
        headers: &[("uber-trace-id", "3a3a43:432e345:0:1")],
        outcome: continued(
            "000000000000000000000000003a3a43",
            "000000000432e345",
            RECEIVED,
            &["jaeger.valid"],
        ),
    },
    Example {
        guide: "Jaeger, as an older client sends it",
        headers: &[(
            "uber-trace-id",
            "4bf92f3577b34da6a3ce929d0e0e4736%3A00f067aa0ba902b7%3A0%3A1",
        )],
        outcome: continued(
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "00f067aa0ba902b7",
            RECEIVED,
            &["jaeger.valid"],
        ),
    },
    Example {
        guide: "Jaeger, with placeholders that nobody filled in",
        headers: &[(
            "uber-trace-id",
            "{trace-id}:{span-id}:{parent-span-id}:{flags}",
        )],
        outcome: starts_anew(&["jaeger.malformed", "refused.trace_id"]),
    },
    Example {
        guide: "A guide to Jaeger behind a mesh: no value of tracestate may have a second `=`",
        headers: &[
            (
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
            ("tracestate", "congo=t61rcWkgMzE,jaeger=sampled=1"),
        ],
        outcome: continued(
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "00f067aa0ba902b7",
            RECEIVED,
            &["tracecontext.valid", "tracestate.malformed"],
        ),
    },
    Example {
        guide: "AWS X-Ray, Tracing header",
        headers: &[(
            "x-amzn-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        )],
        outcome: continued(XRAY, "53995c3f42cd8ad8", RECEIVED, &["xray.valid"]),
    },
    Example {
        guide: "AWS X-Ray, Tracing header: a root that was sampled",
        headers: &[(
            "x-amzn-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        )],
        outcome: continued(XRAY, "", RECEIVED, &["xray.valid"]),
    },
    Example {
        guide: "AWS X-Ray, Elastic Load Balancing",
        headers: &[(
            "x-amzn-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793",
        )],
        outcome: continued(XRAY, "", DEFAULT, &["xray.valid"]),
    },
    Example {
        guide: "AWS X-Ray, Lineage, as OpenTelemetry's propagators print it",
        headers: &[(
            "x-amzn-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2",
        )],
        outcome: continued(XRAY, "", RECEIVED, &["xray.valid"]),
    },
    Example {
        guide: "AWS, Request tracing for your Application Load Balancer",
        headers: &[(
            "x-amzn-trace-id",
            "Root=1-67891233-abcdef012345678912345678",
        )],
        outcome: continued(ALB, "", DEFAULT, &["xray.valid"]),
    },
    Example {
        guide: "AWS, the same: a second load balancer, whose Self lacks a digit in the guide",
        headers: &[(
            "x-amzn-trace-id",
            "Self=1-67891233-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678",
        )],
        outcome: continued(ALB, "", DEFAULT, &["xray.valid"]),
    },
    Example {
        guide: "AWS, the same: an application's own field",
        headers: &[(
            "x-amzn-trace-id",
            "Self=1-67891233-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678;CalledFrom=app",
        )],
        outcome: continued(ALB, "", DEFAULT, &["xray.valid"]),
    },
    Example {
        guide: "AWS, the same: behind a load balancer, a client that sends its own context",
        headers: &[
            (
                "x-amzn-trace-id",
                "Root=1-67891233-abcdef012345678912345678",
            ),
            (
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
        ],
        outcome: continued(
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "00f067aa0ba902b7",
            RECEIVED,
            &["tracecontext.valid", "xray.valid"],
        ),
    },
    Example {
        guide: "Datadog, Trace Context Propagation, as OpenTelemetry's Go propagator prints it: no priority",
        headers: &[
            ("x-datadog-trace-id", "16701352862047361693"),
            ("x-datadog-parent-id", "2939011537882399028"),
        ],
        outcome: continued(
            "0000000000000000e7c71ff0c2c95a9d",
            "28c9776c12414134",
            DEFAULT,
            &["datadog.valid"],
        ),
    },
    Example {
        guide: "Datadog, RUM and traces: tracecontext",
        headers: &[
            (
                "traceparent",
                "00-00000000000000008448eb211c80319c-b7ad6b7169203331-01",
            ),
            ("tracestate", "dd=s:1;o:rum"),
        ],
        outcome: continued(
            "00000000000000008448eb211c80319c",
            "b7ad6b7169203331",
            RECEIVED,
            &["tracecontext.valid"],
        ),
    },
    Example {
        guide: "Datadog, RUM and traces: a misprint that has been corrected since (documentation#31155)",
        headers: &[
            (
                "traceparent",
                "00-00000000000000008448eb211c80319c-b7ad6b7169203331s-01",
            ),
            ("tracestate", "dd=s:1;o:rum"),
        ],
        outcome: starts_anew(&["refused.delimiter", "tracecontext.malformed"]),
    },
    Example {
        guide: "Google Cloud, Trace context: legacy header",
        headers: &[(
            "x-cloud-trace-context",
            "105445aa7843bc8bf206b12000100000/1;o=1",
        )],
        outcome: continued(
            "105445aa7843bc8bf206b12000100000",
            "0000000000000001",
            RECEIVED,
            &["gcp.valid"],
        ),
    },
    Example {
        guide: "Google Cloud, Trace context: the first span",
        headers: &[(
            "x-cloud-trace-context",
            "105445aa7843bc8bf206b12000100000/0;o=1",
        )],
        outcome: continued(
            "105445aa7843bc8bf206b12000100000",
            "",
            RECEIVED,
            &["gcp.valid"],
        ),
    },
    Example {
        guide: "Google Cloud, an older edition that is copied to this day: 30 digits, which is no trace id",
        headers: &[(
            "x-cloud-trace-context",
            "105445aa7843bc8bf206b120001000/1;o=1",
        )],
        outcome: starts_anew(&["gcp.malformed", "refused.trace_id"]),
    },
    Example {
        guide: "OpenCensus, BinaryEncoding, as gRPC carries it",
        headers: &[("grpc-trace-bin", "AABAQUJDREVGR0hJSktMTU5PAWFiY2RlZmdoAgE")],
        outcome: continued(
            "404142434445464748494a4b4c4d4e4f",
            "6162636465666768",
            RECEIVED,
            &["grpc-trace-bin.valid"],
        ),
    },
    Example {
        guide: "Envoy, HTTP header manipulation: what is nobody's context here",
        headers: &[
            ("x-request-id", "2f1c7a2e-6d0a-4f0e-8a55-1f1d9b1e2c3d"),
            ("x-client-trace-id", "client-7"),
            ("x-ot-span-context", "opaque"),
        ],
        outcome: starts_anew(&[]),
    },
    Example {
        guide: "Jaeger, client features: a header for debugging that its clients alone understand",
        headers: &[("jaeger-debug-id", "some-correlation-id")],
        outcome: starts_anew(&[]),
    },
];
