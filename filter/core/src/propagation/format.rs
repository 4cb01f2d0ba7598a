//! The trace-context formats by name, the headers of each, and sets of formats.

use strum::{IntoStaticStr, VariantArray};

use crate::headers::{Name, Names};

/// A trace-context format, in the order in which formats are read by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Format {
    /// The format of W3C Trace Context: `traceparent`, `tracestate`.
    #[strum(serialize = "tracecontext")]
    TraceContext,
    /// The format of B3 in one header: `b3`.
    #[strum(serialize = "b3")]
    B3,
    /// The format of B3 in several headers: `x-b3-*`.
    #[strum(serialize = "b3multi")]
    B3Multi,
    /// The format of Jaeger: `uber-trace-id`.
    #[strum(serialize = "jaeger")]
    Jaeger,
    /// The format of AWS X-Ray: `x-amzn-trace-id`.
    #[strum(serialize = "xray")]
    XRay,
    /// The format of Datadog: `x-datadog-*`.
    #[strum(serialize = "datadog")]
    Datadog,
    /// The binary format of OpenCensus in gRPC: `grpc-trace-bin`.
    #[strum(serialize = "grpc-trace-bin")]
    GrpcTraceBin,
    /// The format of OpenTracing's basic tracer: `ot-tracer-*`.
    #[strum(serialize = "ottrace")]
    OtTrace,
    /// The format of Google Cloud: `x-cloud-trace-context`.
    #[strum(serialize = "gcp")]
    Gcp,
}

impl Format {
    /// All formats, in the order in which they are read by default.
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.as_array().unwrap();

    /// Returns the name in configurations and counters.
    #[inline]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns the headers of the format, none of which may leave stale.
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

    /// Returns the headers of the format as a set.
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

/// The headers of each format as a set, in the order of declaration; made once, because every request reads them.
static NAMES: [Names; Format::ALL.len()] = [
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

/// All formats in memory: an element of a constant array is read from a copy that is made of the whole.
static IN_ORDER: [Format; Format::ALL.len()] = Format::ALL;

/// A set of formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FormatSet(u16);

impl FormatSet {
    /// Returns the set with this format.
    #[must_use]
    #[inline]
    pub fn with(self, format: Format) -> Self {
        Self(self.0 | Self::bit(format))
    }

    /// Returns true if the format is in the set.
    #[inline]
    pub fn contains(self, format: Format) -> bool {
        self.0 & Self::bit(format) != 0
    }

    /// Returns the formats of the set, in the order in which they are read by default.
    #[inline]
    pub(crate) fn iter(self) -> impl Iterator<Item = Format> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let lowest = usize::try_from(rest.trailing_zeros()).ok()?;
            rest &= rest.wrapping_sub(1);
            IN_ORDER.get(lowest).copied()
        })
    }

    /// Returns the formats that are in both sets.
    #[must_use]
    #[inline]
    pub(crate) fn common(self, Self(others): Self) -> Self {
        Self(self.0 & others)
    }

    /// Returns the formats of both sets.
    #[must_use]
    #[inline]
    pub fn and(self, Self(others): Self) -> Self {
        Self(self.0 | others)
    }

    /// Returns true if the set is empty.
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
    fn two_sets_are_joined_and_cut() {
        let set = |formats: &[Format]| formats.iter().copied().collect::<FormatSet>();
        let left = set(&[Format::B3, Format::Gcp]);
        let right = set(&[Format::Gcp, Format::Jaeger]);
        assert_eq!(left.common(right), set(&[Format::Gcp]));
        let both = set(&[Format::B3, Format::Gcp, Format::Jaeger]);
        assert_eq!(left.and(right), both);
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
