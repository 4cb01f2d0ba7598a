//! A new context, and its headers in one format.

use std::hash::{BuildHasher, Hasher, RandomState};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sidespan_core::propagation::format::Format;

/// A sampled context that nobody else has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    trace: u128,
    span: u64,
}

impl Context {
    /// Returns a new context.
    pub(super) fn new(format: Format) -> Self {
        // The seed that the standard library draws for its maps; ids need be new and not secret.
        let random = || RandomState::new().build_hasher().finish() | 1;
        let (high, low) = match format {
            // This format has no room for more.
            Format::OtTrace => (0, random()),
            _ => (random(), random()),
        };
        Self {
            trace: u128::from(high) << 64 | u128::from(low),
            span: random(),
        }
    }

    pub(super) fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }

    pub(super) fn span_id(self) -> String {
        format!("{:016x}", self.span)
    }

    /// Returns the headers of a format.
    pub(super) fn headers(self, format: Format) -> Vec<(&'static str, String)> {
        let (trace, span) = (self.trace_id(), self.span_id());
        let (high, low) = trace.split_at(16);
        let decimal = |hex: &str| u64::from_str_radix(hex, 16).unwrap_or_default().to_string();
        match format {
            Format::TraceContext => vec![("traceparent", format!("00-{trace}-{span}-01"))],
            Format::B3 => vec![("b3", format!("{trace}-{span}-1"))],
            Format::B3Multi => vec![
                ("x-b3-traceid", trace),
                ("x-b3-spanid", span),
                ("x-b3-sampled", "1".into()),
            ],
            Format::Jaeger => vec![("uber-trace-id", format!("{trace}:{span}:0:1"))],
            Format::XRay => {
                let (time, rest) = trace.split_at(8);
                vec![(
                    "x-amzn-trace-id",
                    format!("Root=1-{time}-{rest};Parent={span};Sampled=1"),
                )]
            }
            Format::Datadog => vec![
                ("x-datadog-trace-id", decimal(low)),
                ("x-datadog-parent-id", self.span.to_string()),
                ("x-datadog-sampling-priority", "1".into()),
                ("x-datadog-tags", format!("_dd.p.tid={high}")),
            ],
            Format::GrpcTraceBin => {
                let mut bytes = vec![0, 0];
                bytes.extend(self.trace.to_be_bytes());
                bytes.push(1);
                bytes.extend(self.span.to_be_bytes());
                bytes.extend([2, 1]);
                vec![("grpc-trace-bin", STANDARD_NO_PAD.encode(bytes))]
            }
            Format::OtTrace => vec![
                ("ot-tracer-traceid", low.into()),
                ("ot-tracer-spanid", span),
                ("ot-tracer-sampled", "true".into()),
            ],
            Format::Gcp => vec![(
                "x-cloud-trace-context",
                format!("{trace}/{};o=1", self.span),
            )],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same context in every format.
    #[test]
    fn each_format_has_the_ids_in_its_own_way() {
        let context = Context {
            trace: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
            span: 0x00f0_67aa_0ba9_02b7,
        };
        let (t, s) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let one = |format| context.headers(format)[0].1.clone();
        assert_eq!(one(Format::TraceContext), format!("00-{t}-{s}-01"));
        assert_eq!(one(Format::B3), format!("{t}-{s}-1"));
        assert_eq!(one(Format::Jaeger), format!("{t}:{s}:0:1"));
        assert_eq!(
            one(Format::XRay),
            "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"
        );
        assert_eq!(one(Format::Datadog), "11803532876627986230");
        assert_eq!(context.headers(Format::Datadog)[1].1, "67667974448284343");
        assert_eq!(one(Format::Gcp), format!("{t}/67667974448284343;o=1"));
        assert_eq!(
            one(Format::GrpcTraceBin),
            "AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE"
        );
        assert_eq!(one(Format::OtTrace), "a3ce929d0e0e4736");
        assert_ne!(Context::new(Format::B3), Context::new(Format::B3));
    }
}
