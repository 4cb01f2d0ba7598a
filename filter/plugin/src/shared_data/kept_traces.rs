//! Keeping what was not sampled: notes between the two sides of a pod, and the word to the caller.

use sidespan_core::headers::HeaderWriter;
use sidespan_core::shared_data::kept_traces::{KEY_BYTES, KeptTraces};
use sidespan_core::tracer::keep::response_header::{HeaderChange, ResponsePart};
use sidespan_core::tracer::keep::server_timing;

use crate::host::{self, MapWriter};

/// Notes in the data that all workers of the proxy share.
pub(crate) struct SharedNotes;

impl KeptTraces for SharedNotes {
    #[inline]
    fn read(&mut self, slot: &[u8; KEY_BYTES]) -> Vec<u8> {
        let (value, _) = host::shared_data(slot);
        value
    }

    #[inline]
    fn write(&mut self, slot: &[u8; KEY_BYTES], value: &[u8]) {
        host::set_shared_data(slot, value);
    }
}

/// Puts the word to the caller into the part of the response that passes.
#[inline]
pub(crate) fn say(part: ResponsePart, word: &HeaderChange) {
    let mut writer = match part {
        ResponsePart::Headers => MapWriter::response_headers(),
        ResponsePart::Trailers => MapWriter::response_trailers(),
    };
    match word {
        HeaderChange::Leave => {}
        HeaderChange::Set(value) => writer.set(server_timing::NAME, value),
        HeaderChange::Remove => writer.remove(server_timing::NAME),
    }
}
