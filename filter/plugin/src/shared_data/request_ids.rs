//! Span contexts of the requests that are under way, by their `x-request-id`.
//!
//! Notes are written without comparison, because a note that is written over costs its request a hint, and nothing else.

use sidespan_abi::hostcalls;
use sidespan_core::propagation::context::SpanContext;
use sidespan_core::shared_data::request_ids::{self, RequestId};

use crate::host::clock;

/// A note that was written, to be removed at the end of its request.
pub(crate) struct Note {
    key: String,
    note: Vec<u8>,
}

/// Writes a note.
#[inline]
pub(crate) fn note(id: RequestId<'_>, context: &SpanContext) -> Note {
    let noted = Note {
        key: key(id),
        note: request_ids::encode(id, context, clock::now()),
    };
    hostcalls::set_shared_data(&noted.key, &noted.note);
    noted
}

/// Returns the span context that was noted for this id.
#[inline]
pub(crate) fn find(id: RequestId<'_>) -> Option<SpanContext> {
    let (note, _) = hostcalls::get_shared_data(key(id));
    if note.is_empty() {
        return None;
    }
    request_ids::decode(&note, id, clock::now())
}

/// Removes a note, if nobody has written over it since.
#[inline]
pub(crate) fn take_back(noted: &Note) {
    let (note, _) = hostcalls::get_shared_data(&noted.key);
    if note == noted.note {
        hostcalls::set_shared_data(&noted.key, &[]);
    }
}

#[inline]
fn key(id: RequestId<'_>) -> String {
    format!("sidespan.request.{}", id.slot())
}
