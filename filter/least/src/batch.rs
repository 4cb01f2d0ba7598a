//! The finished spans, in the form in which they leave, and the frame in front of each request: the gRPC prefix, the
//! resource and the scope, with all that does not fit into three bytes of length left out.
//!
//! Protobuf asks for no order of fields, so the URLs of the schema stand in front of the spans and nothing stands behind
//! them.

use crate::proxy;
use crate::settings::Settings;
use crate::writer::{Writer, padded};

/// The spans that wait, and where the batches among them end.
pub(crate) struct Batch {
    bytes: [u8; FRONT + SPANS],
    // The bytes behind `FRONT`.
    used: usize,
    spans: u32,
    // The ends of whole batches; all behind the last belongs to none yet.
    ends: [usize; BATCHES],
    whole: usize,
    ticks: u32,
}

impl Batch {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; FRONT + SPANS],
            used: 0,
            spans: 0,
            ends: [0; BATCHES],
            whole: 0,
            ticks: 0,
        }
    }

    /// Adds a span of at most [`SPAN`] bytes; where there is no room for it, it is lost.
    #[inline]
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut Writer<'_>)) {
        let from = self.used.wrapping_add(FRONT);
        let to = from.wrapping_add(SPAN);
        let Some(place) = self.bytes.get_mut(from..to) else {
            return;
        };
        let mut writer = Writer::new(place);
        // The span's field of `ScopeSpans`, whose length comes last.
        writer.block(&[0x12, 0, 0, 0]);
        write(&mut writer);
        let end = writer.len();
        place[1..4].copy_from_slice(&padded(end.wrapping_sub(4)));
        self.used = self.used.wrapping_add(end);
        self.spans = self.spans.wrapping_add(1);
        if self.spans == SPANS_OF_A_BATCH && self.whole < BATCHES {
            self.close();
        }
    }

    /// Sends every whole batch, and once in a second what there is.
    pub(crate) fn tick(&mut self, settings: &Settings) {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks >= TICKS_OF_A_SECOND && self.spans > 0 && self.whole < BATCHES {
            self.close();
        }
        let mut from = FRONT;
        for end in self.ends.iter().take(self.whole) {
            send(&mut self.bytes, from, *end, settings);
            from = *end;
            self.ticks = 0;
        }
        if from > FRONT {
            let end = self.used.wrapping_add(FRONT);
            self.bytes.copy_within(from..end, FRONT);
            self.used = end.wrapping_sub(from);
            self.whole = 0;
        }
    }

    fn close(&mut self) {
        self.ends[self.whole] = self.used.wrapping_add(FRONT);
        self.whole = self.whole.wrapping_add(1);
        self.spans = 0;
    }
}

/// Sends the spans in `from..end`, with the frame written over what stands in front of them and has been sent.
fn send(bytes: &mut [u8], from: usize, end: usize, settings: &Settings) {
    let spans = end.wrapping_sub(from);
    let (resource, scope) = (settings.resource(), settings.scope());
    let scope_spans = scope.len().wrapping_add(spans);
    let resource_spans = resource.len().wrapping_add(4).wrapping_add(scope_spans);
    let message = resource_spans.wrapping_add(4);
    let front = resource.len().wrapping_add(scope.len()).wrapping_add(13);
    let start = from.wrapping_sub(front);
    let Some(place) = bytes.get_mut(start..from) else {
        return;
    };
    let mut writer = Writer::new(place);
    writer.block(&[0]);
    writer.block(&u32::try_from(message).unwrap_or(u32::MAX).to_be_bytes());
    writer.block(&[0x0a]);
    writer.length(resource_spans);
    writer.bytes(resource);
    writer.block(&[0x12]);
    writer.length(scope_spans);
    writer.bytes(scope);
    if let Some(request) = bytes.get(start..end) {
        proxy::http_call(settings.cluster(), settings.call_headers(), request);
    }
}

/// The most bytes of a span.
const SPAN: usize = 4096;
/// Room for the frame of the first batch.
const FRONT: usize = 4096;
/// Room for the spans of three ticks, at 25,000 requests a second.
const SPANS: usize = 1 << 20;
const SPANS_OF_A_BATCH: u32 = 512;
const BATCHES: usize = 8;
/// The period of the tick, in milliseconds.
pub(crate) const TICK: u32 = 20;
const TICKS_OF_A_SECOND: u32 = 1000 / TICK;
