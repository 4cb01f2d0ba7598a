//! One request and its response, through the filter.
//!
//! Invariant: an [`Exchange`] owns its stream in the VM and ends it exactly once; one that is dropped, because the
//! client went away, ends as a client abort.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Bytes, Frame, Incoming};
use sidespan_host::{Action, Ending, Headers, LocalReply, StreamId, StreamProperties, Then};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::accept::Front;
use super::message::{self, Body, Piece, Protocol};
use super::pool::NoResponse;
use super::vm::{Signs, Vm, Worker};

/// Both ends of a client's connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peers {
    pub(super) client: SocketAddr,
    pub(super) local: SocketAddr,
}

/// Which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

/// What the filter let through of one direction.
#[derive(Debug, Default)]
struct Passed {
    /// The headers, once they went on.
    headers: Option<Headers>,
    body: Vec<u8>,
    trailers: Option<Headers>,
    is_complete: bool,
}

/// What the filter wants done with a stream.
#[derive(Debug)]
enum Verdict {
    Pass(Passed),
    /// It is answered here.
    Reply,
    /// It is to be reset.
    Reset,
}

/// A link to one stream in the VM.
#[derive(Clone)]
struct Link {
    vm: Vm,
    id: StreamId,
    signs: watch::Receiver<Signs>,
}

/// One stream in the VM, to be ended by this.
struct Exchange {
    link: Link,
    upload: Option<AbortHandle>,
    is_ended: bool,
}

/// Serves one request. An error breaks the client's stream off.
pub(super) async fn serve(
    front: Arc<Front>,
    peers: Peers,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let protocol = Protocol::of(parts.version);
    let headers = message::of_request(&parts);
    let mut exchange = Exchange::open(&front, peers, protocol, &headers).await?;
    let then = then(&body);
    let passed = match exchange.link.headers(Side::Request, headers, then).await? {
        Verdict::Pass(passed) => passed,
        Verdict::Reply => return exchange.reply_here(Ending::Complete).await,
        Verdict::Reset => return exchange.break_off(Ending::Complete),
    };
    let headers = passed.headers.unwrap_or_default();
    let authority = headers.text(":authority").unwrap_or_default();
    let Some(address) = front.routes.find(&authority) else {
        let reply = LocalReply::new(404, "route_not_found");
        return exchange.reply(reply, Ending::Complete).await;
    };
    let body = if then == Then::End {
        message::empty()
    } else {
        let (pieces, piped) = message::pipe();
        let upload = tokio::spawn(exchange.link.clone().upload(body, pieces));
        exchange.upload = Some(upload.abort_handle());
        piped
    };
    let request = match message::to_request(&headers, protocol, body) {
        Ok(request) => request,
        Err(error) => {
            log::warn!("a request that the filter let through cannot be sent: {error}");
            return exchange
                .reply(LocalReply::new(400, "invalid_request"), Ending::Complete)
                .await;
        }
    };
    let address = address.to_string();
    let response = tokio::select! {
        response = tokio::time::timeout(front.timeout, front.pool.send(&address, protocol, request)) => response,
        signs = exchange.link.over() => {
            return if signs.replied && !signs.reset {
                exchange.reply_here(Ending::Complete).await
            } else {
                exchange.break_off(Ending::Complete)
            };
        }
    };
    match response {
        Ok(Ok(response)) => exchange.respond(response).await,
        Ok(Err(error)) => {
            log::debug!("no response from {address}: {error}");
            let (reply, ending) = no_response(&error);
            exchange.reply(reply, ending).await
        }
        Err(_) => {
            let reply = LocalReply::new(504, "response_timeout").body("upstream request timeout");
            exchange.reply(reply, Ending::UpstreamTimeout).await
        }
    }
}

/// Says it as Envoy's router does.
fn no_response(error: &NoResponse) -> (LocalReply, Ending) {
    let (reason, ending) = match error {
        NoResponse::Connect(_) => ("remote connection failure", Ending::ConnectFailure),
        NoResponse::Broken(_) => ("connection termination", Ending::UpstreamReset),
    };
    let details = format!("upstream_reset_before_response_started{{{reason}}}");
    let text = format!(
        "upstream connect error or disconnect/reset before headers. reset reason: {reason}"
    );
    (LocalReply::new(503, &details).body(text), ending)
}

fn then(body: &Incoming) -> Then {
    if body.is_end_stream() {
        Then::End
    } else {
        Then::More
    }
}

impl Exchange {
    async fn open(
        front: &Front,
        peers: Peers,
        protocol: Protocol,
        headers: &Headers,
    ) -> io::Result<Self> {
        let ip = |address: SocketAddr| (address.ip().to_string(), address.port());
        let ((client, client_port), (local, local_port)) = (ip(peers.client), ip(peers.local));
        let mut properties = StreamProperties::new()
            .source(&client, client_port)
            .destination(&local, local_port)
            .listener_direction(front.direction)
            .set("request.protocol", protocol.name());
        // Seen once the request goes on; a filter that rewrites the authority sees the address for the old one.
        if let Some(upstream) = front
            .routes
            .find(&headers.text(":authority").unwrap_or_default())
        {
            let (upstream, port) = ip(upstream);
            properties = properties.upstream(&upstream, port);
        }
        let vm = front.vm.clone();
        let opened = vm.run(|worker| worker.open(properties)).await;
        let (id, signs) = opened.map_err(|_| broken("the VM has ended"))?;
        Ok(Self {
            link: Link { vm, id, signs },
            upload: None,
            is_ended: false,
        })
    }

    /// Passes the upstream's response on.
    async fn respond(mut self, response: Response<Incoming>) -> io::Result<Response<Body>> {
        let (parts, body) = response.into_parts();
        let headers = message::of_response(&parts);
        let then = then(&body);
        let headers = match self.link.headers(Side::Response, headers, then).await? {
            Verdict::Pass(passed) => passed.headers.unwrap_or_default(),
            Verdict::Reply => return self.reply_here(Ending::Complete).await,
            Verdict::Reset => return self.break_off(Ending::Complete),
        };
        if then == Then::End {
            self.end(Ending::Complete);
            return message::to_response(&headers, message::empty());
        }
        let (pieces, piped) = message::pipe();
        let link = self.link.clone();
        // From here on this task owns the exchange: the body outlives the service's future.
        tokio::spawn(async move {
            let ending = match link.pump(Side::Response, body, pieces).await {
                Carried::All | Carried::Stopped => Ending::Complete,
                Carried::SourceBroken => Ending::UpstreamReset,
                Carried::SinkClosed => Ending::ClientAbort,
            };
            self.end(ending);
        });
        message::to_response(&headers, piped)
    }

    /// Answers in place of the upstream, through the filter.
    async fn reply(self, reply: LocalReply, ending: Ending) -> io::Result<Response<Body>> {
        let id = self.link.id;
        let _ = self
            .link
            .vm
            .run(move |worker| worker.host.local_reply(id, reply))
            .await;
        self.reply_here(ending).await
    }

    /// Gives the client the answer that was made here.
    async fn reply_here(mut self, ending: Ending) -> io::Result<Response<Body>> {
        match self.link.take_reply().await? {
            Some(Passed {
                headers: Some(headers),
                body,
                trailers,
                ..
            }) => {
                self.end(ending);
                let trailers = trailers.as_ref().map(message::to_map);
                message::to_response(&headers, message::whole(body, trailers))
            }
            _ => self.break_off(ending),
        }
    }

    fn break_off(mut self, ending: Ending) -> io::Result<Response<Body>> {
        self.end(ending);
        Err(broken("the filter has reset the stream"))
    }

    fn end(&mut self, ending: Ending) {
        if !std::mem::replace(&mut self.is_ended, true) {
            let id = self.link.id;
            self.link.vm.tell(move |worker| worker.end(id, ending));
        }
        // An upload that nobody waits for any more breaks the upstream's request off.
        if let Some(upload) = self.upload.take() {
            upload.abort();
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.end(Ending::ClientAbort);
    }
}

impl Link {
    async fn headers(&mut self, side: Side, headers: Headers, then: Then) -> io::Result<Verdict> {
        let id = self.id;
        let ask = move |worker: &mut Worker| match side {
            Side::Request => worker.host.request_headers(id, headers, then),
            Side::Response => worker.host.response_headers(id, headers, then),
        };
        self.ask(ask).await?;
        self.take_settled(side).await
    }

    async fn body(&mut self, side: Side, bytes: Bytes, then: Then) -> io::Result<Verdict> {
        let id = self.id;
        let ask = move |worker: &mut Worker| match side {
            Side::Request => worker.host.request_body(id, &bytes, then),
            Side::Response => worker.host.response_body(id, &bytes, then),
        };
        self.ask(ask).await?;
        match then {
            Then::More => self.take(side).await,
            Then::End => self.take_settled(side).await,
        }
    }

    async fn trailers(&mut self, side: Side, trailers: Headers) -> io::Result<Verdict> {
        let id = self.id;
        let ask = move |worker: &mut Worker| match side {
            Side::Request => worker.host.request_trailers(id, trailers),
            Side::Response => worker.host.response_trailers(id, trailers),
        };
        self.ask(ask).await?;
        self.take_settled(side).await
    }

    async fn ask(
        &self,
        ask: impl FnOnce(&mut Worker) -> Action + Send + 'static,
    ) -> io::Result<()> {
        self.vm
            .run(ask)
            .await
            .map(|_| ())
            .map_err(|_| broken("the VM has ended"))
    }

    /// Takes what the filter let through, once it holds nothing back.
    async fn take_settled(&mut self, side: Side) -> io::Result<Verdict> {
        let is_paused = |signs: &Signs| match side {
            Side::Request => signs.request_paused,
            Side::Response => signs.response_paused,
        };
        let is_over = |signs: &Signs| signs.replied || signs.reset;
        // Without the other end the stream is gone, which taking will say.
        drop(
            self.signs
                .wait_for(|signs| is_over(signs) || !is_paused(signs))
                .await,
        );
        self.take(side).await
    }

    /// Takes the answer that was made here, once the filter holds nothing of it back; nothing when it was reset.
    async fn take_reply(&mut self) -> io::Result<Option<Passed>> {
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
    async fn over(&mut self) -> Signs {
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

    /// Carries the request's body. A client that goes away in the middle of it ends the stream.
    async fn upload(self, body: Incoming, pieces: mpsc::Sender<Piece>) {
        let (vm, id) = (self.vm.clone(), self.id);
        if self.pump(Side::Request, body, pieces).await == Carried::SourceBroken {
            vm.tell(move |worker| worker.end(id, Ending::ClientAbort));
        }
    }

    /// Carries a body through the filter, to its end or as far as it goes.
    ///
    /// Dropping the sink without an end, which every other outcome than `All` does, breaks the message.
    async fn pump(
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
                    None => self.body(side, Bytes::new(), Then::End).await,
                    Some(Ok(frame)) => {
                        let then = then(&source);
                        self.frame(side, frame, then).await
                    }
                    Some(Err(_)) => return Carried::SourceBroken,
                },
                () = sink.closed() => return Carried::SinkClosed,
                // The filter lets go of something, answers, or resets.
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

    async fn frame(&mut self, side: Side, frame: Frame<Bytes>, then: Then) -> io::Result<Verdict> {
        match frame.into_data() {
            Ok(data) => self.body(side, data, then).await,
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                self.trailers(side, message::of_trailers(&trailers)).await
            }
        }
    }
}

/// How far a body was carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    /// To its end.
    All,
    /// Whoever sends it has gone away.
    SourceBroken,
    /// Whoever is to have it has gone away.
    SinkClosed,
    /// The filter has answered or reset the stream.
    Stopped,
}

/// Puts into the sink what went on; nothing when the sink is closed.
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

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, why)
}
