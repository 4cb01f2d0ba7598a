//! The rows of appendix A.1 (`filter/RULES.md`).

use super::{B3, ROOT, S, T, TP, TRACE_BIN, W3C};

/// A row of A.1. The trace id or the parent is empty where it is the filter's own.
#[derive(Clone)]
pub(super) struct Vector {
    pub(super) id: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) trace_id: &'static str,
    pub(super) parent: &'static str,
    // The decision of every sampler, or `None` for that of A15.
    pub(super) sampled: Option<bool>,
    // Header lines that leave, with `T` for that trace id and `N` for our own span; an empty value means no header.
    pub(super) leaves: &'static [(&'static str, &'static str)],
    pub(super) counts: &'static [&'static str],
}

/// Makes a row whose caller is sampled and continued.
pub(super) fn row<const N: usize>(id: &'static str, headers: [(&'static str, &str); N]) -> Vector {
    Vector {
        id,
        headers: headers.map(|(name, value)| (name, value.to_owned())).into(),
        trace_id: T,
        parent: S,
        sampled: Some(true),
        leaves: &[],
        counts: &[],
    }
}

impl Vector {
    fn trace(self, trace_id: &'static str, parent: &'static str) -> Self {
        Self {
            trace_id,
            parent,
            ..self
        }
    }

    fn new_trace(self) -> Self {
        self.trace("", "")
    }

    fn sampled(self, sampled: Option<bool>) -> Self {
        Self { sampled, ..self }
    }

    pub(super) fn leaves(self, leaves: &'static [(&'static str, &'static str)]) -> Self {
        Self { leaves, ..self }
    }

    pub(super) fn counts(self, counts: &'static [&'static str]) -> Self {
        Self { counts, ..self }
    }
}

/// Makes A01 to A12: W3C Trace Context.
pub(super) fn trace_context() -> Vec<Vector> {
    let parent = |id, value: &str| row(id, [("traceparent", value)]);
    let with_flags = |flags: &str| format!("00-{T}-{S}-{flags}");
    vec![
        row("A01", [("traceparent", W3C)]).leaves(&[("traceparent", "00-T-N-01")]),
        parent("A02", &with_flags("02"))
            .sampled(Some(false))
            .leaves(&[("traceparent", "00-T-N-02")]),
        parent("A03", &with_flags("03")).leaves(&[("traceparent", "00-T-N-03")]),
        parent("A04", &with_flags("ff")).leaves(&[("traceparent", "00-T-N-03")]),
        parent("A05", &format!("cc-{T}-{S}-01-x")).leaves(&[("traceparent", "00-T-N-01")]),
        row(
            "A06",
            [("traceparent", &format!("{W3C}-")), ("tracestate", "foo=1")],
        )
        .new_trace()
        .leaves(&[("tracestate", "")])
        .counts(&["context.tracecontext.malformed"]),
        parent("A07", &format!("ff-{T}-{S}-01"))
            .new_trace()
            .counts(&["context.refused.version"]),
        row("A08", [("traceparent", W3C), ("traceparent", W3C)])
            .new_trace()
            .counts(&["context.refused.duplicate"]),
        row(
            "A09",
            [
                ("traceparent", W3C),
                ("tracestate", "foo=1"),
                ("tracestate", ""),
                ("tracestate", "bar=2"),
            ],
        )
        .leaves(&[("tracestate", "foo=1,bar=2")]),
        row("A10", [("traceparent", W3C), ("tracestate", "foo=1,@b=2")])
            .leaves(&[("tracestate", "")])
            .counts(&["context.tracestate.malformed"]),
        row(
            "A11",
            [("traceparent", W3C), ("tracestate", "foo=1,bar=2,foo=3")],
        )
        .leaves(&[("tracestate", "foo=1,bar=2")]),
        row("A12", [("tracestate", "foo=1")])
            .new_trace()
            .leaves(&[("tracestate", "")]),
    ]
}

/// Makes A13 to A21: B3.
pub(super) fn b3() -> Vec<Vector> {
    let single = |id, value: &str| row(id, [("b3", value)]);
    let ids = [("x-b3-traceid", T), ("x-b3-spanid", S)];
    vec![
        single("A13", B3).leaves(&[("b3", "T-N-1")]),
        single("A14", &format!("{T}-{S}-d"))
            .leaves(&[("b3", "T-N-d"), ("x-b3-flags", "1"), ("x-b3-sampled", "")])
            .counts(&["sampled.debug"]),
        single("A15", &format!("{T}-{S}")).sampled(None),
        single("A16", "0")
            .new_trace()
            .sampled(Some(false))
            .leaves(&[("x-b3-sampled", "0")]),
        single("A17", &format!("{}-{S}-1", &T[16..]))
            .trace(TP, S)
            .leaves(&[("traceparent", "00-0000000000000000a3ce929d0e0e4736-N-01")]),
        row(
            "A18",
            [ids[0], ids[1], ("x-b3-flags", "1"), ("x-b3-sampled", "0")],
        )
        .leaves(&[("x-b3-flags", "1"), ("x-b3-sampled", "")]),
        row("A19", [ids[0], ids[1], ("x-b3-sampled", "true")]).leaves(&[("x-b3-sampled", "1")]),
        row("A20", [ids[0], ids[1], ("x-b3-sampled", "2")])
            .new_trace()
            .counts(&["context.b3multi.malformed", "context.refused.sampled"]),
        row(
            "A21",
            [("b3", "garbage"), ids[0], ids[1], ("x-b3-sampled", "1")],
        )
        .leaves(&[("b3", "T-N-1")])
        .counts(&["context.b3.malformed", "context.b3multi.valid"]),
    ]
}

/// Makes A22 to A28: Jaeger and X-Ray.
pub(super) fn jaeger_and_xray() -> Vec<Vector> {
    let jaeger = |id, value: &str| row(id, [("uber-trace-id", value)]);
    let xray = |id, rest: &str| row(id, [("x-amzn-trace-id", &*format!("{ROOT}{rest}"))]);
    vec![
        jaeger("A22", &format!("{T}:{S}:0:1")).leaves(&[("uber-trace-id", "T:N:0:1")]),
        jaeger("A23", "abc:def:0:1")
            .trace("00000000000000000000000000000abc", "0000000000000def")
            .leaves(&[("uber-trace-id", "00000000000000000000000000000abc:N:0:1")]),
        jaeger("A24", &format!("{T}%3A{S}%3A0%3A1")),
        jaeger("A25", &format!("{T}:{S}:0:3"))
            .leaves(&[("uber-trace-id", "T:N:0:1"), ("b3", "T-N-1")])
            .counts(&["sampled.received"]),
        xray("A26", ";Parent=00f067aa0ba902b7;Sampled=1"),
        xray("A27", ";Parent=00f067aa0ba902b7;Sampled=?").sampled(None),
        xray("A28", "")
            .trace(T, "")
            .sampled(None)
            .counts(&["context.xray.valid"]),
    ]
}

/// Makes A29 to A35: Datadog, Google Cloud, `grpc-trace-bin`, OpenTracing.
pub(super) fn others() -> Vec<Vector> {
    let datadog = |id, priority, tid: &str| {
        let ids = [
            ("x-datadog-trace-id", "11803532876627986230"),
            ("x-datadog-parent-id", "67667974448284343"),
        ];
        row(
            id,
            [
                ids[0],
                ids[1],
                ("x-datadog-sampling-priority", priority),
                ("x-datadog-tags", tid),
            ],
        )
    };
    let gcp = |id, options| {
        row(
            id,
            [(
                "x-cloud-trace-context",
                &*format!("{T}/67667974448284343{options}"),
            )],
        )
    };
    vec![
        datadog("A29", "1", "_dd.p.tid=4bf92f3577b34da6"),
        Vector {
            headers: datadog("", "-1", "").headers[..3].to_vec(),
            ..row("A30", [])
        }
        .trace(TP, S)
        .sampled(Some(false))
        .leaves(&[
            ("x-datadog-sampling-priority", "-1"),
            ("x-datadog-tags", ""),
        ]),
        datadog("A31", "1", "_dd.p.tid=4BF92F3577B34DA6")
            .trace(TP, S)
            .counts(&["context.datadog.valid", "context.refused.trace_id"]),
        gcp("A32", ";o=1"),
        gcp("A33", "").sampled(None),
        row("A34", [("grpc-trace-bin", TRACE_BIN)]),
        row(
            "A34, padded",
            [("grpc-trace-bin", &format!("{TRACE_BIN}="))],
        ),
        row(
            "A35",
            [
                ("ot-tracer-traceid", &T[16..]),
                ("ot-tracer-spanid", "f067aa0ba902b7"),
                ("ot-tracer-sampled", "true"),
            ],
        )
        .trace(TP, S)
        .leaves(&[("ot-tracer-traceid", "a3ce929d0e0e4736")]),
    ]
}

/// Makes A36 and A37: two formats.
pub(super) fn two_formats() -> Vec<Vector> {
    vec![
        row(
            "A36",
            [
                ("traceparent", W3C),
                ("b3", "11111111111111111111111111111111-00f067aa0ba902b7-1"),
            ],
        )
        .leaves(&[("b3", "T-N-1")])
        .counts(&["context.conflict"]),
        row("A37", [("traceparent", "bad"), ("b3", B3)])
            .counts(&["context.tracecontext.malformed", "context.b3.valid"]),
    ]
}
