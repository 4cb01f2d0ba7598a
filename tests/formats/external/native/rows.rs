//! The rows: a tracer, a request, the headers that leave, and the rule that the filter follows.

/// One of Envoy's own tracers.
#[derive(Clone, Copy)]
pub(super) enum Native {
    /// OpenTelemetry.
    Otel,
    /// OpenTelemetry with `random_sampling: 0`.
    OtelAtZero,
    /// OpenTelemetry with the CEL sampler and the expression `false`.
    OtelNever,
    /// Zipkin, B3 alone.
    Zipkin,
    /// Zipkin, `USE_B3_WITH_W3C_PROPAGATION`.
    ZipkinAndW3c,
}

/// A configuration of the filter.
#[derive(Clone, Copy)]
pub(super) enum Ours {
    /// A configuration that samples every root.
    All,
    /// A configuration that samples no root.
    AtZero,
    /// The empty configuration, which translates and decides nothing.
    TranslationOnly,
}

impl Native {
    pub(super) fn listener(self) -> &'static str {
        match self {
            Self::Otel => "otel",
            Self::OtelAtZero => "otel-at-zero",
            Self::OtelNever => "otel-never",
            Self::Zipkin => "zipkin",
            Self::ZipkinAndW3c => "zipkin-and-w3c",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Otel => "OTel",
            Self::OtelAtZero => "OTel, random_sampling 0",
            Self::OtelNever => "OTel, CEL = false",
            Self::Zipkin => "Zipkin",
            Self::ZipkinAndW3c => "Zipkin + W3C",
        }
    }
}

impl Ours {
    pub(super) fn listener(self) -> &'static str {
        match self {
            Self::All => "ours",
            Self::AtZero => "ours-at-zero",
            Self::TranslationOnly => "ours-translation-only",
        }
    }
}

/// A request, and the headers that leave.
pub(super) struct Row {
    pub(super) native: Native,
    pub(super) ours: Ours,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) native_leaves: &'static str,
    pub(super) ours_leaves: &'static str,
    /// The rules of `filter/RULES.md`.
    pub(super) rule: &'static str,
}

const W01: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const A_SINGLE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1-00f067aa0ba902b7-1";
const A_TRACE: (&str, &str) = ("x-b3-traceid", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1");
const B_TRACE: (&str, &str) = ("x-b3-traceid", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2");
const SPAN: (&str, &str) = ("x-b3-spanid", "00f067aa0ba902b7");
const SAMPLED: (&str, &str) = ("x-b3-sampled", "1");
const VENDOR: (&str, &str) = ("tracestate", "vendor=1");

const NEW_ROOT: &str =
    "traceparent: 00-N1-n1-01; x-b3-traceid: N1; x-b3-spanid: n1; x-b3-sampled: 1";
const W_GOES_ON: &str =
    "traceparent: 00-W-n1-01; x-b3-traceid: W; x-b3-spanid: n1; x-b3-sampled: 1";

pub(super) const ROWS: &[Row] = &[
    Row {
        native: Native::Otel,
        ours: Ours::All,
        headers: &[],
        native_leaves: "traceparent: 00-N1-n1-01; tracestate: ",
        ours_leaves: NEW_ROOT,
        rule: "TM-1: never an empty tracestate",
    },
    Row {
        native: Native::Otel,
        ours: Ours::All,
        headers: &[(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03",
        )],
        native_leaves: "traceparent: 00-W-n1-01; tracestate: ",
        ours_leaves: "traceparent: 00-W-n1-03; x-b3-traceid: W; x-b3-spanid: n1; x-b3-sampled: 1",
        rule: "FL-3: the random flag is copied",
    },
    Row {
        native: Native::Otel,
        ours: Ours::All,
        headers: &[(
            "traceparent",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )],
        native_leaves: "traceparent: 00-W-n1-01; tracestate: ",
        ours_leaves: NEW_ROOT,
        rule: "TP-2: version ff is invalid",
    },
    Row {
        native: Native::Otel,
        ours: Ours::All,
        headers: &[(
            "traceparent",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        )],
        native_leaves: "traceparent: cc-W-s-01-more",
        ours_leaves: W_GOES_ON,
        rule: "TV-1, TV-2: a later version is read as 00 and leaves as 00",
    },
    Row {
        native: Native::Otel,
        ours: Ours::All,
        headers: &[
            (
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
            ),
            VENDOR,
        ],
        native_leaves: "traceparent: 00-W-s-0x; tracestate: vendor=1",
        ours_leaves: NEW_ROOT,
        rule: "TP-7: restart, and drop the tracestate",
    },
    Row {
        native: Native::Otel,
        ours: Ours::All,
        headers: &[
            (
                "traceparent",
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            ),
            VENDOR,
        ],
        native_leaves: "traceparent: 00-00000000000000000000000000000000-s-01; tracestate: vendor=1",
        ours_leaves: NEW_ROOT,
        rule: "TP-3, TP-7: an id of zeros is invalid",
    },
    Row {
        native: Native::Otel,
        ours: Ours::All,
        headers: &[(
            "traceparent",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
        )],
        native_leaves: "traceparent: 00-W-n1-01; tracestate: ",
        ours_leaves: NEW_ROOT,
        rule: "TP-4: upper case is invalid",
    },
    Row {
        native: Native::Otel,
        ours: Ours::All,
        headers: &[
            ("traceparent", W01),
            (
                "traceparent",
                "00-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2-00f067aa0ba902b7-01",
            ),
        ],
        native_leaves: "traceparent: 00-W-n1-01; tracestate: ",
        ours_leaves: NEW_ROOT,
        rule: "TP-6: two lines are invalid",
    },
    Row {
        native: Native::Otel,
        ours: Ours::All,
        headers: &[
            ("traceparent", W01),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
        ],
        native_leaves: "traceparent: 00-W-n1-01; tracestate: a=1,b=2",
        ours_leaves: "traceparent: 00-W-n1-01; tracestate: a=1,b=2; x-b3-traceid: W; x-b3-spanid: n1; x-b3-sampled: 1",
        rule: "TS-1: the W3C headers as native: lines are joined in order",
    },
    Row {
        native: Native::Otel,
        ours: Ours::All,
        headers: &[("b3", A_SINGLE)],
        native_leaves: "traceparent: 00-N1-n1-01; tracestate: ; b3: A-s-1",
        ours_leaves: "traceparent: 00-A-n1-01; b3: A-n1-1; x-b3-traceid: A; x-b3-spanid: n1; x-b3-sampled: 1",
        rule: "MF-10, MF-11: one trace, in every format",
    },
    Row {
        native: Native::OtelAtZero,
        ours: Ours::AtZero,
        headers: &[("traceparent", W01)],
        native_leaves: "traceparent: 00-W-n1-00; tracestate: ",
        ours_leaves: W_GOES_ON,
        rule: "6.8: a received decision wins over every percentage",
    },
    Row {
        native: Native::OtelNever,
        ours: Ours::AtZero,
        headers: &[("traceparent", W01), VENDOR],
        native_leaves: "traceparent: 00-W-n1-00; tracestate: ",
        ours_leaves: "traceparent: 00-W-n1-01; tracestate: vendor=1; x-b3-traceid: W; x-b3-spanid: n1; x-b3-sampled: 1",
        rule: "6.8, TM-4: nor does a decision drop the tracestate",
    },
    Row {
        native: Native::Zipkin,
        ours: Ours::All,
        headers: &[("b3", A_SINGLE)],
        native_leaves: "b3: A-n1-1-s",
        ours_leaves: "traceparent: 00-A-n1-01; b3: A-n1-1; x-b3-traceid: A; x-b3-spanid: n1; x-b3-sampled: 1",
        rule: "MF-10; B3-9: no parent id",
    },
    Row {
        native: Native::Zipkin,
        ours: Ours::All,
        headers: &[("b3", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1-00f067aa0ba902b7-d")],
        native_leaves: "b3: A-n1-1-s",
        ours_leaves: "traceparent: 00-A-n1-01; tracestate: b3=A-n1-d; b3: A-n1-d; x-b3-traceid: A; x-b3-spanid: n1; x-b3-flags: 1",
        rule: "B3-21, B3-52: debug stays debug",
    },
    Row {
        native: Native::Zipkin,
        ours: Ours::All,
        headers: &[A_TRACE, SPAN, ("x-b3-flags", "1")],
        native_leaves: "x-b3-traceid: A; x-b3-spanid: n1; x-b3-parentspanid: s; x-b3-sampled: 1; x-b3-flags: 1",
        ours_leaves: "traceparent: 00-A-n1-01; tracestate: b3=A-n1-d; x-b3-traceid: A; x-b3-spanid: n1; x-b3-flags: 1",
        rule: "B3-7, B3-52: debug without sampled beside it",
    },
    Row {
        native: Native::Zipkin,
        ours: Ours::TranslationOnly,
        headers: &[A_TRACE, SPAN],
        native_leaves: "x-b3-traceid: A; x-b3-spanid: n1; x-b3-parentspanid: s; x-b3-sampled: 1",
        ours_leaves: "x-b3-traceid: A; x-b3-spanid: s",
        rule: "B3-4: who only translates decides nothing",
    },
    Row {
        native: Native::Zipkin,
        ours: Ours::All,
        headers: &[A_TRACE, SPAN],
        native_leaves: "x-b3-traceid: A; x-b3-spanid: n1; x-b3-parentspanid: s; x-b3-sampled: 1",
        ours_leaves: "traceparent: 00-A-n1-01; x-b3-traceid: A; x-b3-spanid: n1; x-b3-sampled: 1",
        rule: "3.2: the decision as native: where sampling is set, it is taken here",
    },
    Row {
        native: Native::Zipkin,
        ours: Ours::All,
        headers: &[("b3", A_SINGLE), B_TRACE, SPAN, SAMPLED],
        native_leaves: "b3: A-n1-1-s; x-b3-traceid: B; x-b3-spanid: s; x-b3-sampled: 1",
        ours_leaves: "traceparent: 00-A-n1-01; b3: A-n1-1; x-b3-traceid: A; x-b3-spanid: n1; x-b3-sampled: 1",
        rule: "B3-29, MF-11: the loser is rewritten",
    },
    Row {
        native: Native::Zipkin,
        ours: Ours::All,
        headers: &[("b3", "rubbish"), B_TRACE, SPAN, SAMPLED],
        native_leaves: "b3: rubbish; x-b3-traceid: B; x-b3-spanid: s; x-b3-sampled: 1",
        ours_leaves: "traceparent: 00-B-n1-01; b3: B-n1-1; x-b3-traceid: B; x-b3-spanid: n1; x-b3-sampled: 1",
        rule: "B3-27: the good form is used",
    },
    Row {
        native: Native::Zipkin,
        ours: Ours::All,
        headers: &[("traceparent", W01)],
        native_leaves: "traceparent: 00-W-s-01; x-b3-traceid: N1; x-b3-spanid: n1; x-b3-sampled: 1",
        ours_leaves: W_GOES_ON,
        rule: "MF-11: one trace leaves",
    },
    Row {
        native: Native::ZipkinAndW3c,
        ours: Ours::All,
        headers: &[("b3", A_SINGLE), ("traceparent", W01), VENDOR],
        native_leaves: "traceparent: 00-A-n1-01; tracestate: vendor=1; b3: A-n1-1-s",
        ours_leaves: "traceparent: 00-W-n1-01; tracestate: vendor=1; b3: W-n1-1; x-b3-traceid: W; x-b3-spanid: n1; x-b3-sampled: 1",
        rule: "MF-4: the first of `extract` wins, and a tracestate stays with its own trace",
    },
    Row {
        native: Native::ZipkinAndW3c,
        ours: Ours::All,
        headers: &[("traceparent", W01), ("x-b3-sampled", "0")],
        native_leaves: "traceparent: 00-W-n1-01; x-b3-traceid: W; x-b3-spanid: n1; x-b3-parentspanid: s; x-b3-sampled: 1",
        ours_leaves: W_GOES_ON,
        rule: "MF-2: the decision as native: a bare decision is lower than a context",
    },
    Row {
        native: Native::Zipkin,
        ours: Ours::All,
        headers: &[("x-b3-parentspanid", "9999999999999999")],
        native_leaves: "x-b3-traceid: N1; x-b3-spanid: n1; x-b3-parentspanid: n2; x-b3-sampled: 1",
        ours_leaves: NEW_ROOT,
        rule: "MF-11: no header stays from what was not used",
    },
];
