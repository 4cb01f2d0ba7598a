//! `$.propagation`: which formats are read, which are written.

use alloc::format;
use alloc::vec::Vec;

use super::node::Value;
use super::walk::At;
use super::{Format, Propagation};

impl Default for Propagation {
    fn default() -> Self {
        Self {
            extract: Format::ALL.into(),
            inject: [Format::TraceContext, Format::B3Multi].into(),
            mirror: true,
            keep64bit: false,
        }
    }
}

impl Propagation {
    pub(super) fn read(at: At<'_>) -> Self {
        let mut propagation = Self::default();
        at.object(
            &["extract", "inject", "mirror", "baggage", "keep64bit"],
            |key, at| match key {
                "extract" => propagation.extract = formats(at),
                "inject" => propagation.inject = formats(at),
                "mirror" => propagation.mirror = at.boolean().unwrap_or(propagation.mirror),
                "keep64bit" => {
                    propagation.keep64bit = at.boolean().unwrap_or(propagation.keep64bit)
                }
                _ => baggage(at),
            },
        );
        if let Some(at) = at.get("extract") {
            refuse_late_b3(at);
        }
        propagation
    }
}

fn formats(at: At<'_>) -> Vec<Format> {
    let names = Format::ALL.map(|format| (format.name(), format));
    let mut formats = Vec::new();
    at.list("formats", MAX_FORMATS, |at| formats.extend(at.choice(&names)));
    formats
}

/// B3-3: the single header is read before the others, so a list that says otherwise says nothing that can be done.
fn refuse_late_b3(at: At<'_>) {
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

fn baggage(at: At<'_>) {
    at.object(&["deny", "maxBytes", "from"], |key, at| match key {
        "deny" => {
            let patterns = at.list("patterns", MAX_DENIED, |at| {
                at.filled("a pattern of baggage keys");
            });
            at.only(0, patterns);
        }
        "from" => {
            let formats = at.list("formats", MAX_FORMATS, |at| {
                at.choice(&[("jaeger", ()), ("ottrace", ())]);
            });
            at.only(0, formats);
        }
        _ => at.only(None, at.size(1..=MAX_BAGGAGE_BYTES).map(Some)),
    });
}

/// More than there are, so that those repeated are told one by one.
const MAX_FORMATS: usize = 32;
/// Each is tried on each member of each request.
const MAX_DENIED: usize = 64;
/// Longer than any header that Envoy lets pass: its limit for all headers is 8 MiB at most.
const MAX_BAGGAGE_BYTES: u64 = 8 << 20;
