//! A body that is made while it is read.
//!
//! The work that makes it belongs to the body and is no task of its own, so it ends with its connection: a task would keep
//! the store, and with it the lock of its file, after the sink has stopped.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame};
use tokio::sync::mpsc;

/// The failure of the work: the body breaks off, so that nobody takes its beginning for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the store could not be read")]
pub(crate) struct Broken;

/// The end that the work writes to.
pub(crate) type Pipe = mpsc::Sender<Bytes>;

type Work = Pin<Box<dyn Future<Output = Result<(), Broken>> + Send>>;

/// The body.
pub(crate) struct Produced {
    work: Option<Work>,
    pieces: mpsc::Receiver<Bytes>,
    is_broken: bool,
}

impl Produced {
    /// Returns the body that `work` writes.
    pub(crate) fn by<F>(work: impl FnOnce(Pipe) -> F) -> Self
    where
        F: Future<Output = Result<(), Broken>> + Send + 'static,
    {
        let (pipe, pieces) = mpsc::channel(1);
        Self {
            work: Some(Box::pin(work(pipe))),
            pieces,
            is_broken: false,
        }
    }
}

impl hyper::body::Body for Produced {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(work) = &mut self.work
            && let Poll::Ready(done) = work.as_mut().poll(context)
        {
            self.work = None;
            self.is_broken = done.is_err();
        }
        match self.pieces.poll_recv(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(piece)) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            Poll::Ready(None) => Poll::Ready(self.is_broken.then_some(Err(Broken))),
        }
    }
}
