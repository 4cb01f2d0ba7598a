//! The names of headers that the filter knows, and how one is told from the many that it does not.

/// The headers that the filter knows, whichever formats are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`as_str` is the documentation")]
pub enum Name {
    Method,
    Path,
    Authority,
    Scheme,
    UserAgent,
    ContentType,
    Forwarded,
    ForwardedFor,
    ForwardedHost,
    ForwardedProto,
    Traceparent,
    Tracestate,
    B3,
    B3TraceId,
    B3SpanId,
    B3ParentSpanId,
    B3Sampled,
    B3Flags,
    UberTraceId,
    XAmznTraceId,
    DatadogTraceId,
    DatadogParentId,
    DatadogSamplingPriority,
    DatadogOrigin,
    DatadogTags,
    CloudTraceContext,
    OtTracerTraceId,
    OtTracerSpanId,
    OtTracerSampled,
    GrpcTraceBin,
    Baggage,
    XRequestId,
}

impl Name {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 32] = [
        Self::Method,
        Self::Path,
        Self::Authority,
        Self::Scheme,
        Self::UserAgent,
        Self::ContentType,
        Self::Forwarded,
        Self::ForwardedFor,
        Self::ForwardedHost,
        Self::ForwardedProto,
        Self::Traceparent,
        Self::Tracestate,
        Self::B3,
        Self::B3TraceId,
        Self::B3SpanId,
        Self::B3ParentSpanId,
        Self::B3Sampled,
        Self::B3Flags,
        Self::UberTraceId,
        Self::XAmznTraceId,
        Self::DatadogTraceId,
        Self::DatadogParentId,
        Self::DatadogSamplingPriority,
        Self::DatadogOrigin,
        Self::DatadogTags,
        Self::CloudTraceContext,
        Self::OtTracerTraceId,
        Self::OtTracerSpanId,
        Self::OtTracerSampled,
        Self::GrpcTraceBin,
        Self::Baggage,
        Self::XRequestId,
    ];

    /// The name as proxies write it: in lower case.
    #[inline]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Method => ":method",
            Self::Path => ":path",
            Self::Authority => ":authority",
            Self::Scheme => ":scheme",
            Self::UserAgent => "user-agent",
            Self::ContentType => "content-type",
            Self::Forwarded => "forwarded",
            Self::ForwardedFor => "x-forwarded-for",
            Self::ForwardedHost => "x-forwarded-host",
            Self::ForwardedProto => "x-forwarded-proto",
            Self::Traceparent => "traceparent",
            Self::Tracestate => "tracestate",
            Self::B3 => "b3",
            Self::B3TraceId => "x-b3-traceid",
            Self::B3SpanId => "x-b3-spanid",
            Self::B3ParentSpanId => "x-b3-parentspanid",
            Self::B3Sampled => "x-b3-sampled",
            Self::B3Flags => "x-b3-flags",
            Self::UberTraceId => "uber-trace-id",
            Self::XAmznTraceId => "x-amzn-trace-id",
            Self::DatadogTraceId => "x-datadog-trace-id",
            Self::DatadogParentId => "x-datadog-parent-id",
            Self::DatadogSamplingPriority => "x-datadog-sampling-priority",
            Self::DatadogOrigin => "x-datadog-origin",
            Self::DatadogTags => "x-datadog-tags",
            Self::CloudTraceContext => "x-cloud-trace-context",
            Self::OtTracerTraceId => "ot-tracer-traceid",
            Self::OtTracerSpanId => "ot-tracer-spanid",
            Self::OtTracerSampled => "ot-tracer-sampled",
            Self::GrpcTraceBin => "grpc-trace-bin",
            Self::Baggage => "baggage",
            Self::XRequestId => "x-request-id",
        }
    }

    #[inline]
    pub(super) const fn bit(self) -> u32 {
        1_u32.wrapping_shl(self as u32)
    }

    #[inline]
    pub(super) fn of(name: &[u8], wanted: Names) -> Option<Self> {
        // Asked before the names are compared: the headers of a format that is not listed cost what any other costs.
        let candidate = Self::candidate(name)?;
        (wanted.contains(candidate) && is_same(name, candidate.as_str().as_bytes()))
            .then_some(candidate)
    }

    /// The name that this is; arms of one length are compared word by word.
    /// The only name that this can be, by its length and one letter.
    #[inline]
    fn candidate(name: &[u8]) -> Option<Self> {
        let letter = |at: usize| name.get(at).copied().unwrap_or_default();
        Some(match name.len() {
            2 => Self::B3,
            5 => Self::Path,
            7 => match letter(1) {
                b'm' => Self::Method,
                b's' => Self::Scheme,
                _ => Self::Baggage,
            },
            9 => Self::Forwarded,
            10 => match letter(0) {
                b':' => Self::Authority,
                b'u' => Self::UserAgent,
                b't' => Self::Tracestate,
                _ => Self::B3Flags,
            },
            11 => match letter(0) {
                b't' => Self::Traceparent,
                _ => Self::B3SpanId,
            },
            12 => match letter(5) {
                b't' => Self::B3TraceId,
                b's' => Self::B3Sampled,
                b'u' => Self::XRequestId,
                _ => Self::ContentType,
            },
            13 => Self::UberTraceId,
            14 => match letter(0) {
                b'g' => Self::GrpcTraceBin,
                _ => Self::DatadogTags,
            },
            15 => match letter(2) {
                b'f' => Self::ForwardedFor,
                _ => Self::XAmznTraceId,
            },
            16 => match (letter(0), letter(2)) {
                (b'o', _) => Self::OtTracerSpanId,
                (_, b'f') => Self::ForwardedHost,
                _ => Self::DatadogOrigin,
            },
            17 => match (letter(2), letter(10)) {
                (b'f', _) => Self::ForwardedProto,
                (b'b', _) => Self::B3ParentSpanId,
                (_, b't') => Self::OtTracerTraceId,
                _ => Self::OtTracerSampled,
            },
            18 => Self::DatadogTraceId,
            19 => Self::DatadogParentId,
            21 => Self::CloudTraceContext,
            27 => Self::DatadogSamplingPriority,
            _ => return None,
        })
    }
}

/// A set of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names(u32);

impl Names {
    /// None.
    pub(crate) const NONE: Self = Self(0);

    /// These.
    #[inline]
    pub(crate) const fn of(mut names: &[Name]) -> Self {
        let mut bits = 0;
        while let [name, rest @ ..] = names {
            bits |= name.bit();
            names = rest;
        }
        Self(bits)
    }

    /// These, and those.
    #[inline]
    pub(crate) const fn and(self, Self(others): Self) -> Self {
        Self(self.0 | others)
    }

    /// Whether they have a name in common.
    #[inline]
    pub(super) fn meets(self, Self(others): Self) -> bool {
        self.0 & others != 0
    }

    /// With this one.
    #[inline]
    pub(super) fn with(self, name: Name) -> Self {
        Self(self.0 | name.bit())
    }

    /// Every name.
    pub const ALL: Self = Self(u32::MAX);

    /// The set without these.
    #[must_use]
    #[inline]
    pub fn without(self, names: &[Name]) -> Self {
        Self(names.iter().fold(self.0, |bits, name| bits & !name.bit()))
    }

    #[inline]
    pub(super) fn contains(self, name: Name) -> bool {
        self.0 & name.bit() != 0
    }
}

/// Whether two names are equal, eight bytes at a time: the comparison of slices is a loop over bytes in this target, and a
/// request has dozens of headers.
#[inline]
fn is_same(name: &[u8], other: &[u8]) -> bool {
    if name.len() != other.len() {
        return false;
    }
    let (words, rest) = name.as_chunks::<8>();
    let (other_words, other_rest) = other.as_chunks::<8>();
    let mut differences = 0;
    for (word, other) in words.iter().zip(other_words) {
        differences |= u64::from_le_bytes(*word) ^ u64::from_le_bytes(*other);
    }
    match (name.last_chunk::<8>(), other.last_chunk::<8>()) {
        // What is behind the last whole word, and some bytes of it once more.
        (Some(word), Some(other)) => {
            differences |= u64::from_le_bytes(*word) ^ u64::from_le_bytes(*other);
        }
        _ => {
            for (byte, other) in rest.iter().zip(other_rest) {
                differences |= u64::from(byte ^ other);
            }
        }
    }
    differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_name_where_its_declaration_puts_it() {
        for (index, name) in Name::ALL.into_iter().enumerate() {
            assert_eq!(name as usize, index);
            let text = name.as_str().as_bytes();
            assert_eq!(Name::of(text, Names::ALL), Some(name));
            assert_eq!(Name::of(text, Names::ALL.without(&[name])), None);
            assert_eq!(Name::of(&text[1..], Names::ALL), None);
            for at in 0..text.len() {
                let mut other = text.to_vec();
                other[at] ^= 1;
                assert_ne!(Name::of(&other, Names::ALL), Some(name), "{at}");
            }
        }
    }
}
