//! Writing: every header of a listed format is written from one context or removed.
//!
//! Two formats can therefore never disagree behind this proxy.

use super::context::Outgoing;
use super::format::{Format, FormatSet};
use super::settings::Propagation;
use super::{b3, datadog, gcp, grpc_trace_bin, jaeger, ottrace, w3c, xray};
use crate::headers::{HeaderWriter, RequestHeaders};

/// The formats that leave, put together once for all requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InjectFormats {
    // The formats that are read or written; the headers of all others are never touched.
    listed: FormatSet,
    injected: FormatSet,
    mirror: bool,
    keep64bit: bool,
}

impl From<&Propagation> for InjectFormats {
    #[inline]
    fn from(propagation: &Propagation) -> Self {
        Self {
            listed: Format::ALL
                .into_iter()
                .filter(|format| propagation.lists(*format))
                .collect(),
            injected: propagation.inject.iter().copied().collect(),
            mirror: propagation.mirror,
            keep64bit: propagation.keep64bit,
        }
    }
}

/// Writes the context in every wanted format, and removes the headers of the other listed formats.
#[inline]
pub fn inject(
    wanted: &InjectFormats,
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) {
    let written = match wanted.mirror {
        true => wanted.injected.and(outgoing.present),
        false => wanted.injected,
    };
    // A request without trace context has no stale headers.
    let touched = match headers.has_any(Format::ALL_NAMES) {
        true => wanted.listed,
        false => written,
    };
    for format in touched.common(wanted.listed).iter() {
        if written.contains(format) && write(format, wanted.keep64bit, outgoing, headers, writer) {
            continue;
        }
        let is_left = || wanted.mirror && outgoing.request_ids.contains(format);
        if headers.has_any(format.names()) && !is_left() {
            for name in format.headers() {
                headers.remove(writer, *name);
            }
        }
    }
}

/// Returns true if a format has words for this context or decision.
#[inline]
pub(crate) fn can_write(format: Format, outgoing: &Outgoing<'_>) -> bool {
    struct Nowhere;

    impl HeaderWriter for Nowhere {
        #[inline]
        fn set(&mut self, _: &'static str, _: &[u8]) {}
        #[inline]
        fn remove(&mut self, _: &'static str) {}
    }

    write(
        format,
        false,
        outgoing,
        &RequestHeaders::default(),
        &mut Nowhere,
    )
}

/// Writes one format; returns false where the format has no words for this context or decision. Not a part of its callers,
/// because in one function with all formats each step of the loop moves what nine of them keep in registers.
#[inline(never)]
fn write(
    format: Format,
    keep64bit: bool,
    outgoing: &Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) -> bool {
    match format {
        Format::TraceContext => w3c::inject(outgoing, headers, writer),
        Format::B3 => b3::inject_single(outgoing, keep64bit, headers, writer),
        Format::B3Multi => b3::inject_multi(outgoing, keep64bit, headers, writer),
        Format::Jaeger => jaeger::inject(outgoing, headers, writer),
        Format::XRay => xray::inject(outgoing, headers, writer),
        Format::Datadog => datadog::inject(outgoing, headers, writer),
        Format::GrpcTraceBin => grpc_trace_bin::inject(outgoing, headers, writer),
        Format::OtTrace => ottrace::inject(outgoing, headers, writer),
        Format::Gcp => gcp::inject(outgoing, headers, writer),
    }
}
