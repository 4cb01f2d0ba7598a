//! A body that breaks off: its first bytes arrive, and then the stream or the connection is reset.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame};

use super::ingest::Reset;

/// The beginning of a body, without the end.
#[derive(Debug)]
pub(crate) struct TruncatedBody {
    beginning: Option<Bytes>,
    was_sent: bool,
}

impl TruncatedBody {
    pub(crate) fn after(beginning: Bytes) -> Self {
        Self {
            beginning: Some(beginning),
            was_sent: false,
        }
    }
}

impl hyper::body::Body for TruncatedBody {
    type Data = Bytes;
    type Error = Reset;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Reset>>> {
        if let Some(beginning) = self.beginning.take() {
            return Poll::Ready(Some(Ok(Frame::data(beginning))));
        }
        if !std::mem::replace(&mut self.was_sent, true) {
            // One more poll, so that the bytes are written before the reset takes their place.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(Reset)))
    }
}
