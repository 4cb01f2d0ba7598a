//! One stream in the VM, as the sockets' tasks use it: ask the filter, wait while it pauses the stream, take its
//! output.

use std::io;

use http_body_util::BodyExt;
use hyper::body::{Body as _, Bytes, Frame, Incoming};
use sidespan_host::{Action, EndOfStream, Ending, Headers, StreamId};
use tokio::sync::{mpsc, watch};

use crate::sidecar::message::{self, Piece};
use crate::sidecar::vm::{Signs, Vm, Worker};

/// The direction of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// The output of the filter in one direction.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// The headers, once the filter has let them through.
    pub(super) headers: Option<Headers>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Option<Headers>,
    pub(super) is_complete: bool,
}

/// The filter's verdict on a stream.
#[derive(Debug)]
pub(super) enum Verdict {
    Pass(Passed),
    /// The stream has a local reply.
    Reply,
    /// The stream is to be reset.
    Reset,
}

/// A link to one stream in the VM.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) vm: Vm,
    pub(super) id: StreamId,
    pub(super) signs: watch::Receiver<Signs>,
}

impl Link {
    pub(super) async fn headers(
        &mut self,
        side: Side,
        headers: Headers,
        end_of_stream: EndOfStream,
    ) -> io::Result<Verdict> {
        let id = self.id;
        let ask = move |worker: &mut Worker| match side {
            Side::Request => worker.host.request_headers(id, headers, end_of_stream),
            Side::Response => worker.host.response_headers(id, headers, end_of_stream),
        };
        match self.ask(side, ask).await? {
            Some(verdict) => Ok(verdict),
            None => self.take_settled(side).await,
        }
    }

    async fn body(
        &mut self,
        side: Side,
        bytes: Bytes,
        end_of_stream: EndOfStream,
    ) -> io::Result<Verdict> {
        let id = self.id;
        let ask = move |worker: &mut Worker| match side {
            Side::Request => worker.host.request_body(id, &bytes, end_of_stream),
            Side::Response => worker.host.response_body(id, &bytes, end_of_stream),
        };
        let verdict = self.ask(side, ask).await?;
        match verdict {
            // Pieces before the end of the stream are passed on as they come.
            None if end_of_stream == EndOfStream::No => self.take(side).await,
            None => self.take_settled(side).await,
            Some(verdict) => Ok(verdict),
        }
    }

    async fn trailers(&mut self, side: Side, trailers: Headers) -> io::Result<Verdict> {
        let id = self.id;
        let ask = move |worker: &mut Worker| match side {
            Side::Request => worker.host.request_trailers(id, trailers),
            Side::Response => worker.host.response_trailers(id, trailers),
        };
        match self.ask(side, ask).await? {
            Some(verdict) => Ok(verdict),
            None => self.take_settled(side).await,
        }
    }

    /// Gives the filter a piece and takes its output, in one turn of the VM; `None` while the filter pauses the stream.
    async fn ask(
        &self,
        side: Side,
        ask: impl FnOnce(&mut Worker) -> Action + Send + 'static,
    ) -> io::Result<Option<Verdict>> {
        let id = self.id;
        let turn = move |worker: &mut Worker| match ask(worker) {
            Action::Pause => None,
            Action::Continue | Action::LocalReply | Action::Reset => Some(take(worker, id, side)),
        };
        self.vm
            .run(turn)
            .await
            .map_err(|_| broken("the VM has ended"))
    }

    /// Takes the filter's output, once the filter pauses nothing.
    async fn take_settled(&mut self, side: Side) -> io::Result<Verdict> {
        let is_paused = |signs: &Signs| match side {
            Side::Request => signs.request_paused,
            Side::Response => signs.response_paused,
        };
        let is_over = |signs: &Signs| signs.replied || signs.reset;
        // A missing sender means that the stream is gone, which `take` reports.
        drop(
            self.signs
                .wait_for(|signs| is_over(signs) || !is_paused(signs))
                .await,
        );
        self.take(side).await
    }

    /// Takes the local reply, once the filter pauses none of it; `None` when the stream was reset.
    pub(super) async fn take_reply(&mut self) -> io::Result<Option<Passed>> {
        drop(
            self.signs
                .wait_for(|signs| signs.reset || !signs.response_paused)
                .await,
        );
        let id = self.id;
        let taken = self
            .vm
            .run(move |worker| passed(worker, id, Side::Response))
            .await;
        taken.map_err(|_| broken("the VM has ended"))
    }

    async fn take(&self, side: Side) -> io::Result<Verdict> {
        let id = self.id;
        let verdict = self.vm.run(move |worker| take(worker, id, side)).await;
        verdict.map_err(|_| broken("the VM has ended"))
    }

    /// Waits until the filter has answered or reset the stream.
    pub(super) async fn over(&mut self) -> Signs {
        match self
            .signs
            .wait_for(|signs| signs.replied || signs.reset)
            .await
        {
            Ok(signs) => *signs,
            Err(_) => Signs {
                reset: true,
                ..Signs::default()
            },
        }
    }

    /// Carries the request's body. A client that goes away before the body's end ends the stream.
    pub(super) async fn upload(self, body: Incoming, pieces: mpsc::Sender<Piece>) {
        let (vm, id) = (self.vm.clone(), self.id);
        if self.pump(Side::Request, body, pieces).await == Carried::SourceBroken {
            vm.tell(move |worker| worker.end(id, Ending::ClientAbort));
        }
    }

    /// Carries a body through the filter, to its end or as far as it goes.
    ///
    /// Every outcome but `All` drops the sink without an end, which breaks the message.
    pub(super) async fn pump(
        mut self,
        side: Side,
        mut source: Incoming,
        sink: mpsc::Sender<Piece>,
    ) -> Carried {
        let mut signs = self.signs.clone();
        loop {
            signs.mark_unchanged();
            let verdict = tokio::select! {
                frame = source.frame() => match frame {
                    None => self.body(side, Bytes::new(), EndOfStream::Yes).await,
                    Some(Ok(frame)) => {
                        let end_of_stream = end_of_stream(&source);
                        self.frame(side, frame, end_of_stream).await
                    }
                    Some(Err(_)) => return Carried::SourceBroken,
                },
                () = sink.closed() => return Carried::SinkClosed,
                // The filter lets a piece through, answers, or resets.
                changed = signs.changed() => match changed {
                    Ok(()) => self.take(side).await,
                    Err(_) => return Carried::Stopped,
                },
            };
            let Ok(Verdict::Pass(passed)) = verdict else {
                return Carried::Stopped;
            };
            let is_complete = passed.is_complete;
            if forward(passed, &sink).await.is_none() {
                return Carried::SinkClosed;
            }
            if is_complete {
                return Carried::All;
            }
        }
    }

    async fn frame(
        &mut self,
        side: Side,
        frame: Frame<Bytes>,
        end_of_stream: EndOfStream,
    ) -> io::Result<Verdict> {
        match frame.into_data() {
            Ok(data) => self.body(side, data, end_of_stream).await,
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                self.trailers(side, message::of_trailers(&trailers)).await
            }
        }
    }
}

/// The outcome of carrying a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carried {
    /// The body was carried to its end.
    All,
    /// The sender of the body has gone away.
    SourceBroken,
    /// The receiver of the body has gone away.
    SinkClosed,
    /// The filter has answered or reset the stream.
    Stopped,
}

/// Puts the filter's output into the sink; `None` when the sink is closed.
async fn forward(passed: Passed, sink: &mpsc::Sender<Piece>) -> Option<()> {
    if !passed.body.is_empty() {
        sink.send(Piece::Frame(Frame::data(passed.body.into())))
            .await
            .ok()?;
    }
    if passed.is_complete {
        if let Some(trailers) = passed.trailers {
            sink.send(Piece::Frame(Frame::trailers(message::to_map(&trailers))))
                .await
                .ok()?;
        }
        sink.send(Piece::End).await.ok()?;
    }
    Some(())
}

fn take(worker: &mut Worker, id: StreamId, side: Side) -> Verdict {
    if worker
        .host
        .stream(id)
        .is_some_and(|stream| !stream.is_reset() && stream.local_reply().is_some())
    {
        return Verdict::Reply;
    }
    passed(worker, id, side).map_or(Verdict::Reset, Verdict::Pass)
}

fn passed(worker: &mut Worker, id: StreamId, side: Side) -> Option<Passed> {
    let stream = worker.host.stream(id).filter(|stream| !stream.is_reset())?;
    let half = match side {
        Side::Request => stream.request(),
        Side::Response => stream.response(),
    };
    let headers = half
        .headers()
        .filter(|_| half.has_passed_headers())
        .cloned();
    let (trailers, is_complete) = (half.trailers().cloned(), half.is_complete());
    let body = match side {
        Side::Request => worker.host.take_request_body(id),
        Side::Response => worker.host.take_response_body(id),
    };
    Some(Passed {
        headers,
        body,
        trailers,
        is_complete,
    })
}

/// Returns `EndOfStream::Yes` if nothing of a body follows.
pub(super) fn end_of_stream(body: &Incoming) -> EndOfStream {
    if body.is_end_stream() {
        EndOfStream::Yes
    } else {
        EndOfStream::No
    }
}

/// Returns the error that resets a stream.
pub(super) fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, why)
}
