//! One stream in the VMs, as the sockets' tasks use it: give the filters a piece, and take what they have passed.

use std::io;

use hyper::body::Bytes;
use sidespan_host::{ChainStreamId, EndOfStream, Headers, Passed};
use tokio::sync::watch;

use crate::sidecar::vm::{Signs, Vm, Worker};

/// The direction of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// One piece of a message, as a codec hands it to the filters.
#[derive(Debug)]
pub(super) enum Part {
    Headers(Headers, EndOfStream),
    Body(Bytes, EndOfStream),
    Trailers(Headers),
}

/// The filters' verdict on a stream.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The output since the last time.
    Pass(Passed),
    /// The stream has a local reply.
    Reply,
    /// The stream is to be reset.
    Reset,
}

/// A link to one stream in the VMs.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) vm: Vm,
    pub(super) id: ChainStreamId,
    pub(super) signs: watch::Receiver<Signs>,
}

impl Link {
    /// Gives the filters a piece and takes what they have passed, in one turn of the VMs.
    pub(super) async fn give(&mut self, side: Side, part: Part) -> io::Result<Verdict> {
        let id = self.id;
        let turn = move |worker: &mut Worker| {
            let chain = &mut worker.chain;
            // What becomes of the piece shows at the other end.
            let _ = match (side, part) {
                (Side::Request, Part::Headers(headers, end)) => {
                    chain.request_headers(id, headers, end)
                }
                (Side::Request, Part::Body(bytes, end)) => chain.request_body(id, &bytes, end),
                (Side::Request, Part::Trailers(trailers)) => chain.request_trailers(id, trailers),
                (Side::Response, Part::Headers(headers, end)) => {
                    chain.response_headers(id, headers, end)
                }
                (Side::Response, Part::Body(bytes, end)) => chain.response_body(id, &bytes, end),
                (Side::Response, Part::Trailers(trailers)) => chain.response_trailers(id, trailers),
            };
            take(worker, id, side)
        };
        self.run(turn).await
    }

    /// Takes what the filters have passed meanwhile.
    pub(super) async fn take(&mut self, side: Side) -> io::Result<Verdict> {
        let id = self.id;
        self.run(move |worker| take(worker, id, side)).await
    }

    /// Takes the local reply, once the filters have passed all of it; `None` when the stream was reset.
    pub(super) async fn take_reply(&mut self) -> io::Result<Option<Passed>> {
        let mut reply = Passed::default();
        loop {
            let id = self.id;
            let more = move |worker: &mut Worker| {
                let signs = worker.signs(id);
                (!signs.reset)
                    .then(|| worker.chain.take_response(id))
                    .flatten()
            };
            let Some(more) = self.run(more).await? else {
                return Ok(None);
            };
            reply = joined(reply, more);
            if reply.is_complete {
                return Ok(Some(reply));
            }
            if self.signs.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    /// Waits until the filters have answered or reset the stream.
    pub(super) async fn over(&mut self) -> Signs {
        let is_over = |signs: &Signs| signs.replied || signs.reset;
        match self.signs.wait_for(is_over).await {
            Ok(signs) => *signs,
            Err(_) => Signs::gone(),
        }
    }

    /// Runs work for the stream. What changes from here on is a change to wait for.
    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> io::Result<T> {
        self.signs.mark_unchanged();
        let done = self.vm.run_for(self.id, work).await;
        done.map_err(|_| broken("the VM has ended"))
    }
}

/// Puts what has passed behind what has passed before.
pub(super) fn joined(mut before: Passed, more: Passed) -> Passed {
    before.body.extend(more.body);
    Passed {
        body: before.body,
        ..more
    }
}

fn take(worker: &mut Worker, id: ChainStreamId, side: Side) -> Verdict {
    let signs = worker.signs(id);
    if signs.reset {
        return Verdict::Reset;
    }
    if signs.replied {
        return Verdict::Reply;
    }
    let passed = match side {
        Side::Request => worker.chain.take_request(id),
        Side::Response => worker.chain.take_response(id),
    };
    passed.map_or(Verdict::Reset, Verdict::Pass)
}

/// Returns the error that resets a stream.
pub(super) fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, why)
}
