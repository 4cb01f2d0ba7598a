//! Notes on the requests that are under way, by their ids, in data that all workers share.
//!
//! They are written without comparison: who writes over another's note takes a hint away, and nothing else.

use sidespan_abi::hostcalls;
use sidespan_core::propagation::context::SpanContext;
use sidespan_core::shared_data::request_ids::{self, RequestId};

use crate::host::clock;

/// A note that was left, to be taken back.
pub(crate) struct Note {
    key: String,
    note: Vec<u8>,
}

/// Leaves a note.
#[inline]
pub(crate) fn note(id: RequestId<'_>, context: &SpanContext) -> Note {
    let noted = Note {
        key: key(id),
        note: request_ids::encode(id, context, clock::now()),
    };
    hostcalls::set_shared_data(&noted.key, &noted.note);
    noted
}

/// Finds what was noted.
#[inline]
pub(crate) fn find(id: RequestId<'_>) -> Option<SpanContext> {
    let (note, _) = hostcalls::get_shared_data(key(id));
    if note.is_empty() {
        return None;
    }
    request_ids::decode(&note, id, clock::now())
}

/// Takes a note back, if nobody has written over it since.
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
