//! The section `$.propagation`: the formats that are read, those that are written, and baggage.

use alloc::format;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::config::cursor::Cursor;
use crate::config::tree::Value;
use crate::propagation::format::Format;
use crate::propagation::settings::{Baggage, BaggageSource, Propagation};

impl Propagation {
    pub(in crate::config) fn read(at: Cursor<'_>) -> Self {
        let mut propagation = Self::default();
        at.object(
            &[
                "extract",
                "inject",
                "mirror",
                "baggage",
                "keep64bit",
                "restoreTracestate",
            ],
            |key, at| match key {
                "extract" => propagation.extract = formats(at),
                "inject" => propagation.inject = formats(at),
                "mirror" => propagation.mirror = at.boolean().unwrap_or(propagation.mirror),
                "keep64bit" => {
                    propagation.keep64bit = at.boolean().unwrap_or(propagation.keep64bit)
                }
                "restoreTracestate" => {
                    let restores = at.boolean();
                    propagation.restore_tracestate =
                        restores.unwrap_or(propagation.restore_tracestate);
                }
                _ => propagation.baggage = Baggage::read(at),
            },
        );
        if let Some(at) = at.get("extract") {
            refuse_late_b3(at);
        }
        propagation
    }
}

fn formats(at: Cursor<'_>) -> Vec<Format> {
    let names = Format::ALL.map(|format| (format.name(), format));
    let mut formats = Vec::new();
    at.list("formats", MAX_FORMATS, |at| {
        formats.extend(at.choice(&names))
    });
    formats
}

/// Refuses a list with the single header of B3 behind the several ones, because the single header is always read first
/// (B3-3).
fn refuse_late_b3(at: Cursor<'_>) {
    let mut multi = None;
    at.each(|index, at| match &at.node.value {
        Value::String(text) if text == "b3multi" => multi = multi.or(Some(index)),
        Value::String(text) if text == "b3" => {
            if let Some(multi) = multi {
                at.error(format!(
                    "b3 is read before b3multi; put it before entry {multi}"
                ));
            }
        }
        _ => {}
    });
}

impl Baggage {
    fn read(at: Cursor<'_>) -> Self {
        let mut baggage = Self::default();
        at.object(&["deny", "maxBytes", "from"], |key, at| match key {
            "deny" => {
                at.list("patterns", MAX_DENIED, |at| {
                    let pattern = at.non_empty("a pattern of baggage keys");
                    baggage.deny.extend(pattern.map(Into::into));
                });
            }
            "from" => {
                at.list("formats", MAX_FORMATS, |at| {
                    baggage.from.extend(at.choice(&BAGGAGE_SOURCES));
                });
            }
            _ => {
                let bytes = at.size(BAGGAGE_BYTES);
                baggage.max_bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
            }
        });
        baggage
    }
}

/// The words of `$.propagation.baggage.from`.
pub const BAGGAGE_SOURCES: [(&str, BaggageSource); 2] = [
    ("jaeger", BaggageSource::Jaeger),
    ("ottrace", BaggageSource::OtTrace),
];
/// More than there are formats, so that each repeated one has an error of its own.
const MAX_FORMATS: usize = 32;
/// Patterns of denied keys, at most: each is compared with each member of each request.
pub const MAX_DENIED: usize = 64;
/// Longer than any header that Envoy lets pass, because Envoy's limit for all headers is 8 MiB at most.
pub const BAGGAGE_BYTES: RangeInclusive<u64> = 1..=8 << 20;
