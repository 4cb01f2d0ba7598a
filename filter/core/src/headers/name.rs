//! The names of headers that the filter knows, and the lookup of one name among the many that the filter does not know.

use strum::{VariantArray, VariantNames};

/// The headers that the filter knows, whichever formats are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray, VariantNames)]
#[expect(missing_docs, reason = "`as_str` is the documentation")]
pub enum Name {
    #[strum(serialize = ":method")]
    Method,
    #[strum(serialize = ":path")]
    Path,
    #[strum(serialize = ":authority")]
    Authority,
    #[strum(serialize = ":scheme")]
    Scheme,
    #[strum(serialize = "user-agent")]
    UserAgent,
    #[strum(serialize = "content-type")]
    ContentType,
    #[strum(serialize = "forwarded")]
    Forwarded,
    #[strum(serialize = "x-forwarded-for")]
    ForwardedFor,
    #[strum(serialize = "x-forwarded-host")]
    ForwardedHost,
    #[strum(serialize = "x-forwarded-proto")]
    ForwardedProto,
    #[strum(serialize = "traceparent")]
    Traceparent,
    #[strum(serialize = "tracestate")]
    Tracestate,
    #[strum(serialize = "b3")]
    B3,
    #[strum(serialize = "x-b3-traceid")]
    B3TraceId,
    #[strum(serialize = "x-b3-spanid")]
    B3SpanId,
    #[strum(serialize = "x-b3-parentspanid")]
    B3ParentSpanId,
    #[strum(serialize = "x-b3-sampled")]
    B3Sampled,
    #[strum(serialize = "x-b3-flags")]
    B3Flags,
    #[strum(serialize = "uber-trace-id")]
    UberTraceId,
    #[strum(serialize = "x-amzn-trace-id")]
    XAmznTraceId,
    #[strum(serialize = "x-datadog-trace-id")]
    DatadogTraceId,
    #[strum(serialize = "x-datadog-parent-id")]
    DatadogParentId,
    #[strum(serialize = "x-datadog-sampling-priority")]
    DatadogSamplingPriority,
    #[strum(serialize = "x-datadog-origin")]
    DatadogOrigin,
    #[strum(serialize = "x-datadog-tags")]
    DatadogTags,
    #[strum(serialize = "x-cloud-trace-context")]
    CloudTraceContext,
    #[strum(serialize = "ot-tracer-traceid")]
    OtTracerTraceId,
    #[strum(serialize = "ot-tracer-spanid")]
    OtTracerSpanId,
    #[strum(serialize = "ot-tracer-sampled")]
    OtTracerSampled,
    #[strum(serialize = "grpc-trace-bin")]
    GrpcTraceBin,
    #[strum(serialize = "baggage")]
    Baggage,
    #[strum(serialize = "x-request-id")]
    XRequestId,
}

impl Name {
    /// All names, in the order of their declaration.
    pub const ALL: [Self; <Self as VariantArray>::VARIANTS.len()] =
        *<Self as VariantArray>::VARIANTS.as_array().unwrap();

    /// Returns the name in lower case, as proxies write it.
    #[inline]
    pub fn as_str(self) -> &'static str {
        <Self as VariantNames>::VARIANTS
            .get(self as usize)
            .copied()
            .unwrap_or_default()
    }

    #[inline]
    pub(super) const fn bit(self) -> u32 {
        1_u32.wrapping_shl(self as u32)
    }

    /// Returns the name of a header, if it is known. Its length and a letter leave one name that it may be, and each is
    /// compared in its own place, where all that is compared with is constant. Always a part of the loop over all headers, in
    /// which the call would cost as much as the comparison.
    #[inline(always)]
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let letter = |at: usize| name.get(at).copied().unwrap_or_default();
        match name.len() {
            2 => Self::B3.if_is(name),
            5 => Self::Path.if_is(name),
            7 => match letter(1) {
                b'm' => Self::Method.if_is(name),
                b's' => Self::Scheme.if_is(name),
                _ => Self::Baggage.if_is(name),
            },
            9 => Self::Forwarded.if_is(name),
            10 => match letter(0) {
                b':' => Self::Authority.if_is(name),
                b'u' => Self::UserAgent.if_is(name),
                b't' => Self::Tracestate.if_is(name),
                _ => Self::B3Flags.if_is(name),
            },
            11 => match letter(0) {
                b't' => Self::Traceparent.if_is(name),
                _ => Self::B3SpanId.if_is(name),
            },
            12 => match letter(5) {
                b't' => Self::B3TraceId.if_is(name),
                b's' => Self::B3Sampled.if_is(name),
                b'u' => Self::XRequestId.if_is(name),
                _ => Self::ContentType.if_is(name),
            },
            13 => Self::UberTraceId.if_is(name),
            14 => match letter(0) {
                b'g' => Self::GrpcTraceBin.if_is(name),
                _ => Self::DatadogTags.if_is(name),
            },
            15 => match letter(2) {
                b'f' => Self::ForwardedFor.if_is(name),
                _ => Self::XAmznTraceId.if_is(name),
            },
            16 => match (letter(0), letter(2)) {
                (b'o', _) => Self::OtTracerSpanId.if_is(name),
                (_, b'f') => Self::ForwardedHost.if_is(name),
                _ => Self::DatadogOrigin.if_is(name),
            },
            17 => match (letter(2), letter(10)) {
                (b'f', _) => Self::ForwardedProto.if_is(name),
                (b'b', _) => Self::B3ParentSpanId.if_is(name),
                (_, b't') => Self::OtTracerTraceId.if_is(name),
                _ => Self::OtTracerSampled.if_is(name),
            },
            18 => Self::DatadogTraceId.if_is(name),
            19 => Self::DatadogParentId.if_is(name),
            21 => Self::CloudTraceContext.if_is(name),
            27 => Self::DatadogSamplingPriority.if_is(name),
            _ => None,
        }
    }

    /// Returns this name, if it has these bytes.
    #[inline(always)]
    fn if_is(self, name: &[u8]) -> Option<Self> {
        let ends = ENDS.get(self as usize)?;
        let is_alike = match (name.first_chunk(), name.last_chunk()) {
            (Some(first), Some(last)) => {
                u64::from_le_bytes(*first) == ends.first
                    && u64::from_le_bytes(*last) == ends.last
                    && (name.len() <= 16 || ends.has_middle_of(name))
            }
            _ => Ends::short(name) == ends.first,
        };
        is_alike.then_some(self)
    }
}

/// A set of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names(u32);

impl Names {
    /// The empty set.
    pub(crate) const NONE: Self = Self(0);

    /// Returns the set of these names.
    #[inline]
    pub(crate) const fn of(mut names: &[Name]) -> Self {
        let mut bits = 0;
        while let [name, rest @ ..] = names {
            bits |= name.bit();
            names = rest;
        }
        Self(bits)
    }

    /// Returns the names of both sets.
    #[inline]
    pub(crate) const fn and(self, Self(others): Self) -> Self {
        Self(self.0 | others)
    }

    /// Returns true if the sets have a name in common.
    #[inline]
    pub(super) fn meets(self, Self(others): Self) -> bool {
        self.0 & others != 0
    }

    /// Returns the set with this name.
    #[inline]
    pub(super) fn with(self, name: Name) -> Self {
        Self(self.0 | name.bit())
    }

    /// The set of all names.
    pub const ALL: Self = Self(u32::MAX);

    /// Returns the set without these names.
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

/// The bytes of each name as numbers of eight bytes, in the order of declaration. Names are compared by them, because the
/// comparison of slices is a loop over bytes in this target, and a request has dozens of headers.
static ENDS: [Ends; Name::ALL.len()] = {
    let mut all = [Ends::of(b""); Name::ALL.len()];
    let (mut places, mut rest) = (all.as_mut_slice(), <Name as VariantNames>::VARIANTS);
    while let ([place, places_left @ ..], [text, names_left @ ..]) = (places, rest) {
        *place = Ends::of(text.as_bytes());
        (places, rest) = (places_left, names_left);
    }
    all
};

/// The first and the last eight bytes of a name, and the sixteen behind the first where it is longer than sixteen.
#[derive(Clone, Copy)]
struct Ends {
    first: u64,
    middle: [u64; 2],
    last: u64,
}

impl Ends {
    #[inline]
    const fn of(name: &[u8]) -> Self {
        match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            (Some(first), Some(last)) => Self {
                first: u64::from_le_bytes(*first),
                middle: Self::middle(name),
                last: u64::from_le_bytes(*last),
            },
            _ => Self {
                first: Self::short(name),
                middle: [0; 2],
                last: 0,
            },
        }
    }

    /// Compares number by number, because the comparison of arrays is one of bytes.
    #[inline]
    fn has_middle_of(&self, name: &[u8]) -> bool {
        let ([first, second], [other_first, other_second]) = (self.middle, Self::middle(name));
        first == other_first && second == other_second
    }

    #[inline]
    const fn middle(name: &[u8]) -> [u64; 2] {
        match name.len() {
            ..=16 => [0; 2],
            17..=24 => [Self::word(name, 8), 0],
            _ => [Self::word(name, 8), Self::word(name, 16)],
        }
    }

    #[inline]
    const fn word(name: &[u8], at: usize) -> u64 {
        let Some((_, rest)) = name.split_at_checked(at) else {
            return 0;
        };
        match rest.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => 0,
        }
    }

    /// Reads a name of less than eight bytes.
    #[inline]
    const fn short(name: &[u8]) -> u64 {
        match (name.first_chunk::<4>(), name.last_chunk::<4>(), name) {
            (Some([a, b, c, d]), Some([e, f, g, h]), _) => {
                u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h])
            }
            // The only name that is shorter still has two bytes.
            (_, _, [a, b]) => u64::from_le_bytes([*a, *b, 0, 0, 0, 0, 0, 0]),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_name_and_no_other() {
        for name in Name::ALL {
            let text = name.as_str().as_bytes();
            assert_eq!(Name::of(text), Some(name));
            assert_eq!(Name::of(&text[1..]), None);
            for at in 0..text.len() {
                let mut other = text.to_vec();
                other[at] ^= 1;
                assert_ne!(Name::of(&other), Some(name), "{at}");
            }
        }
    }
}
