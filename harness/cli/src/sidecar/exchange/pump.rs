//! One direction of a stream on its way through the filters: what comes from a socket goes in, and what has passed comes out.
//!
//! Pieces go in as they arrive, whatever the filters pause, because the host keeps what has to wait. Above the buffer limit
//! nothing more is read until the filters hold less, as in Envoy.

use std::io;

use hyper::body::{Bytes, Frame};
use sidespan_host::{EndOfStream, Headers, Passed};
use tokio::sync::mpsc;

use super::link::{Link, Part, Side, Verdict, joined};
use super::source::Source;
use crate::sidecar::message::{self, Piece};
use crate::sidecar::tape::{Spot, Track};
use crate::sidecar::vm::Signs;

/// One direction of a stream.
pub(super) struct Pump {
    link: Link,
    side: Side,
    pub(super) source: Source,
    /// The output that was not sent yet.
    passed: Passed,
    /// Number of bytes that `content-length` has announced and that were not sent yet.
    announced: Option<u64>,
    track: Option<Track>,
}

/// The outcome of a message's head.
#[derive(Debug)]
pub(super) enum Head {
    /// The headers have passed; true if nothing follows.
    Pass(Headers, EndOfStream),
    /// The stream has a local reply.
    Reply,
    /// The stream is to be reset.
    Reset,
    /// The sender of the body has gone away.
    SourceBroken,
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
    /// The filters have answered or reset the stream.
    Stopped,
}

/// One step of a pump.
enum Step {
    Verdict(io::Result<Verdict>),
    SourceBroken,
    Gone,
}

impl Pump {
    pub(super) fn new(link: Link, side: Side, source: Source, track: Option<Track>) -> Self {
        Self {
            link,
            side,
            source,
            passed: Passed::default(),
            announced: None,
            track,
        }
    }

    /// Gives the filters the headers, and what arrives behind them, until the headers have passed.
    ///
    /// # Errors
    /// When the VM has ended.
    pub(super) async fn head(&mut self, headers: Headers) -> io::Result<Head> {
        let part = Part::Headers(headers, self.source.end_of_stream());
        if self.source.end_of_stream() == EndOfStream::Yes {
            self.source = Source::Ended;
        }
        let mut verdict = self.give(part).await?;
        loop {
            match verdict {
                Verdict::Pass(passed) => {
                    let before = std::mem::take(&mut self.passed);
                    self.passed = joined(before, passed);
                }
                Verdict::Reply => return Ok(Head::Reply),
                Verdict::Reset => return Ok(Head::Reset),
            }
            if let Some(headers) = self.passed.headers.clone() {
                let length = headers.text("content-length");
                self.announced = length.and_then(|length| length.parse().ok());
                let is_end = self.passed.is_complete
                    && self.passed.body.is_empty()
                    && self.passed.trailers.is_none();
                let end = if is_end {
                    EndOfStream::Yes
                } else {
                    EndOfStream::No
                };
                return Ok(Head::Pass(headers, end));
            }
            verdict = match self.step().await {
                Step::Verdict(verdict) => verdict?,
                Step::SourceBroken => return Ok(Head::SourceBroken),
                Step::Gone => return Ok(Head::Reset),
            };
        }
    }

    /// Carries the body behind the headers to its end, or as far as it goes.
    ///
    /// Every outcome but `All` drops the sink without an end, which breaks the message.
    pub(super) async fn body(&mut self, sink: &mpsc::Sender<Piece>) -> Carried {
        loop {
            let passed = std::mem::take(&mut self.passed);
            let is_complete = passed.is_complete;
            if self.forward(passed, sink).await.is_none() {
                return Carried::SinkClosed;
            }
            if is_complete {
                return Carried::All;
            }
            let is_sent = self.is_sent();
            let step = tokio::select! {
                step = self.step() => step,
                () = sink.closed(), if !is_sent => return Carried::SinkClosed,
            };
            match step {
                Step::Verdict(Ok(Verdict::Pass(passed))) => self.passed = passed,
                Step::SourceBroken => return Carried::SourceBroken,
                Step::Verdict(_) | Step::Gone => return Carried::Stopped,
            }
        }
    }

    /// Waits for a piece, or for the filters to let something through, and takes what has passed then.
    async fn step(&mut self) -> Step {
        // A change that was not waited for yet stays one.
        let is_full = self.is_full(*self.link.signs.borrow());
        tokio::select! {
            part = self.source.next(), if !is_full => match part {
                Some(part) => Step::Verdict(self.give(part).await),
                None => Step::SourceBroken,
            },
            changed = self.link.signs.changed() => match changed {
                Ok(()) => {
                    let verdict = self.link.take(self.side).await;
                    Step::Verdict(verdict.inspect(|verdict| self.note_passed(verdict)))
                }
                Err(_) => Step::Gone,
            },
        }
    }

    /// Gives the filters a piece, and takes what they have passed then.
    async fn give(&mut self, part: Part) -> io::Result<Verdict> {
        if let Some(track) = &self.track {
            let spot = match self.side {
                Side::Request => Spot::Request,
                Side::Response => Spot::Response,
            };
            match &part {
                Part::Headers(headers, end) => {
                    track.headers(spot, headers, *end == EndOfStream::Yes)
                }
                Part::Body(bytes, end) => track.body(spot, bytes, *end == EndOfStream::Yes),
                Part::Trailers(trailers) => track.trailers(spot, trailers),
            }
        }
        let verdict = self.link.give(self.side, part).await?;
        self.note_passed(&verdict);
        Ok(verdict)
    }

    fn note_passed(&self, verdict: &Verdict) {
        if let (Some(track), Verdict::Pass(passed)) = (&self.track, verdict) {
            let spot = match self.side {
                Side::Request => Spot::Upstream,
                Side::Response => Spot::Downstream,
            };
            track.passed(spot, passed);
        }
    }

    fn is_full(&self, signs: Signs) -> bool {
        match self.side {
            Side::Request => signs.request_full,
            Side::Response => signs.response_full,
        }
    }

    /// Returns true if the receiver has all the bytes that were announced to it. A codec of HTTP/1.1 then waits for no end, so
    /// that a sink that is closed is none that has gone away.
    fn is_sent(&self) -> bool {
        self.announced == Some(0)
    }

    /// Puts what has passed into the sink; `None` when the sink is closed.
    async fn forward(&mut self, passed: Passed, sink: &mpsc::Sender<Piece>) -> Option<()> {
        if !passed.body.is_empty() {
            let length = u64::try_from(passed.body.len()).unwrap_or(u64::MAX);
            self.send(Frame::data(passed.body.into()), sink).await?;
            self.announced = self.announced.map(|left| left.saturating_sub(length));
        }
        if passed.is_complete {
            if let Some(trailers) = passed.trailers {
                let trailers = message::to_map(&trailers);
                self.send(Frame::trailers(trailers), sink).await?;
            }
            let is_received = sink.send(Piece::End).await.is_ok();
            return (is_received || self.is_sent()).then_some(());
        }
        Some(())
    }

    async fn send(&mut self, frame: Frame<Bytes>, sink: &mpsc::Sender<Piece>) -> Option<()> {
        let is_received = sink.send(Piece::Frame(frame)).await.is_ok();
        (is_received || self.is_sent()).then_some(())
    }
}
