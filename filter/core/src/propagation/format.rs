//! The formats by name: which headers belong to each, and sets of them.

use strum::{IntoStaticStr, VariantArray};

use crate::headers::{Name, Names};

/// A trace-context format, in the order in which formats are read by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Format {
    /// W3C Trace Context: `traceparent`, `tracestate`.
    #[strum(serialize = "tracecontext")]
    TraceContext,
    /// B3 in one header: `b3`.
    #[strum(serialize = "b3")]
    B3,
    /// B3 in several headers: `x-b3-*`.
    #[strum(serialize = "b3multi")]
    B3Multi,
    /// Jaeger: `uber-trace-id`.
    #[strum(serialize = "jaeger")]
    Jaeger,
    /// AWS X-Ray: `x-amzn-trace-id`.
    #[strum(serialize = "xray")]
    XRay,
    /// Datadog: `x-datadog-*`.
    #[strum(serialize = "datadog")]
    Datadog,
    /// OpenCensus' binary format in gRPC: `grpc-trace-bin`.
    #[strum(serialize = "grpc-trace-bin")]
    GrpcTraceBin,
    /// OpenTracing's basic tracer: `ot-tracer-*`.
    #[strum(serialize = "ottrace")]
    OtTrace,
    /// Google Cloud: `x-cloud-trace-context`.
    #[strum(serialize = "gcp")]
    Gcp,
}

impl Format {
    /// All formats, in the order in which they are read by default.
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.as_array().unwrap();

    /// The name in configurations and counters.
    #[inline]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Every header that belongs to the format; none of them may leave stale.
    #[inline]
    pub const fn headers(self) -> &'static [Name] {
        match self {
            Self::TraceContext => &[Name::Traceparent, Name::Tracestate],
            Self::B3 => &[Name::B3],
            Self::B3Multi => &[
                Name::B3TraceId,
                Name::B3SpanId,
                Name::B3ParentSpanId,
                Name::B3Sampled,
                Name::B3Flags,
            ],
            Self::Jaeger => &[Name::UberTraceId],
            Self::XRay => &[Name::XAmznTraceId],
            Self::Datadog => &[
                Name::DatadogTraceId,
                Name::DatadogParentId,
                Name::DatadogSamplingPriority,
                Name::DatadogOrigin,
                Name::DatadogTags,
            ],
            Self::GrpcTraceBin => &[Name::GrpcTraceBin],
            Self::OtTrace => &[
                Name::OtTracerTraceId,
                Name::OtTracerSpanId,
                Name::OtTracerSampled,
            ],
            Self::Gcp => &[Name::CloudTraceContext],
        }
    }

    /// The same as a set.
    #[inline]
    pub(crate) fn names(self) -> Names {
        NAMES.get(self as usize).copied().unwrap_or_default()
    }

    /// The headers of all formats.
    pub(crate) const ALL_NAMES: Names = {
        let mut all = Names::NONE;
        let mut rest: &[Names] = &NAMES;
        while let [names, others @ ..] = rest {
            all = all.and(*names);
            rest = others;
        }
        all
    };
}

/// In the order of their declaration: a request asks for each, so they are put together once and for all.
const NAMES: [Names; Format::ALL.len()] = [
    Names::of(Format::TraceContext.headers()),
    Names::of(Format::B3.headers()),
    Names::of(Format::B3Multi.headers()),
    Names::of(Format::Jaeger.headers()),
    Names::of(Format::XRay.headers()),
    Names::of(Format::Datadog.headers()),
    Names::of(Format::GrpcTraceBin.headers()),
    Names::of(Format::OtTrace.headers()),
    Names::of(Format::Gcp.headers()),
];

/// A set of formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FormatSet(u16);

impl FormatSet {
    /// With this format.
    #[must_use]
    #[inline]
    pub fn with(self, format: Format) -> Self {
        Self(self.0 | Self::bit(format))
    }

    /// Whether the format is in it.
    #[inline]
    pub fn contains(self, format: Format) -> bool {
        self.0 & Self::bit(format) != 0
    }

    /// What is in either.
    #[must_use]
    #[inline]
    pub fn and(self, Self(others): Self) -> Self {
        Self(self.0 | others)
    }

    /// Whether nothing is in it.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline]
    fn bit(format: Format) -> u16 {
        1_u16.wrapping_shl(format as u32)
    }
}

impl FromIterator<Format> for FormatSet {
    #[inline]
    fn from_iter<I: IntoIterator<Item = Format>>(formats: I) -> Self {
        formats.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_headers_of_every_format_as_a_set() {
        for format in Format::ALL {
            assert_eq!(format.names(), Names::of(format.headers()));
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set: FormatSet = [Format::B3, Format::Gcp].into_iter().collect();
        for format in Format::ALL {
            let is_in = matches!(format, Format::B3 | Format::Gcp);
            assert_eq!(set.contains(format), is_in, "{format:?}");
        }
        assert!(FormatSet::default().is_empty() && !set.is_empty());
    }

    #[test]
    fn no_header_belongs_to_two_formats() {
        for format in Format::ALL {
            for other in Format::ALL.into_iter().filter(|other| *other != format) {
                assert!(
                    format
                        .headers()
                        .iter()
                        .all(|name| !other.headers().contains(name)),
                    "{format:?} and {other:?}"
                );
            }
        }
    }
}
