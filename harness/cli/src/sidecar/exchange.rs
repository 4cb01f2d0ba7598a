//! One request and its response, through the filters.
//!
//! Invariant: an [`Exchange`] owns its stream in the VMs and ends it exactly once; an exchange that is dropped, because
//! the client went away, ends as a client abort.

mod link;
mod pump;
mod source;
mod tunnel;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use sidespan_host::{EndOfStream, Ending, Headers, LocalReply, StreamProperties};
use tokio::task::{AbortHandle, JoinHandle};

use link::{Link, Side, broken};
use pump::{Carried, Head, Pump};
use source::Source;

use super::config::{Routes, UpstreamProtocol};
use super::current::Current;
use super::message::{self, Body};
use super::pool::{NoResponse, Pool, RESET_BEFORE_HEADERS, Slot};
use super::protocol::Protocol;
use super::tape::{Spot, Tape, Track};
use super::upgrade;

/// The parts that all requests of a sidecar share.
pub(super) struct Service {
    pub(super) routes: Routes,
    pub(super) upstream_protocol: UpstreamProtocol,
    pub(super) http1_trailers: bool,
    pub(super) direction: i64,
    /// Time for the upstream to begin its response.
    pub(super) timeout: Duration,
    pub(super) vm: Current,
    pub(super) pool: Pool,
    pub(super) tape: Option<Tape>,
}

/// Both ends of a client's connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peers {
    pub(super) client: SocketAddr,
    pub(super) local: SocketAddr,
}

/// One stream in the VMs, which ends with this value.
struct Exchange {
    link: Link,
    http1_trailers: bool,
    upload: Option<AbortHandle>,
    /// The client's end of the WebSocket that it asks for, and the direction of the request.
    upgrade: Option<(OnUpgrade, Pump)>,
    track: Option<Track>,
    /// The response's place on its connection.
    slot: Option<Slot>,
    is_ended: bool,
}

/// Serves one request. An error resets the client's stream.
pub(super) async fn serve(
    service: Arc<Service>,
    peers: Peers,
    mut request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let on_upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let protocol = Protocol::of(parts.version);
    let is_upgrade = upgrade::is_asked(&parts);
    let headers = message::of_request(&parts);
    // Begun in front of the stream, so that a reload in between forgets it rather than keeps it for the wrong filters.
    let tape = service.tape.as_ref();
    let track = tape.and_then(|tape| tape.begin(protocol, is_upgrade));
    let mut exchange = Exchange::open(&service, peers, protocol, &headers).await?;
    exchange.track = track;
    let source = match is_upgrade {
        true => Source::Waiting,
        false => exchange.source(body, protocol),
    };
    let mut pump = exchange.pump(Side::Request, source);
    let (headers, end_of_stream) = match pump.head(headers).await? {
        Head::Pass(headers, end_of_stream) => (headers, end_of_stream),
        Head::Reply => return exchange.reply_here(Ending::Complete).await,
        Head::Reset => return exchange.break_off(Ending::Complete),
        Head::SourceBroken => return exchange.break_off(Ending::ClientAbort),
    };
    let authority = headers.text(":authority").unwrap_or_default();
    let Some(address) = service.routes.find(&authority) else {
        let reply = LocalReply::new(404, "route_not_found");
        return exchange.reply(reply, Ending::Complete).await;
    };
    let mut protocol = service.upstream_protocol.to(protocol);
    let (body, upload) = if end_of_stream == EndOfStream::Yes {
        (message::empty(), None)
    } else if is_upgrade {
        protocol = Protocol::Http1;
        exchange.upgrade = Some((on_upgrade, pump));
        (message::empty(), None)
    } else {
        let (body, upload) = exchange.upload(pump);
        (body, Some(upload))
    };
    let request = match message::to_request(&headers, protocol, body) {
        Ok(request) => request,
        Err(error) => {
            log::warn!("a request that the filters let through cannot be sent: {error}");
            return exchange
                .reply(LocalReply::new(400, "invalid_request"), Ending::Complete)
                .await;
        }
    };
    let address = address.to_string();
    // The timeout starts after the upload, as Envoy counts, because a slow upload is the client's and not the
    // upstream's.
    let too_late = async {
        if let Some(upload) = upload {
            // The upload's task only fails by being aborted or by panicking, and then nothing more is sent either.
            let _ = upload.await;
        }
        tokio::time::sleep(service.timeout).await;
    };
    let response = tokio::select! {
        response = service.pool.send(&address, protocol, request) => Some(response),
        () = too_late => None,
        signs = exchange.link.over() => {
            return if signs.replied && !signs.reset {
                exchange.reply_here(Ending::Complete).await
            } else {
                exchange.break_off(Ending::Complete)
            };
        }
    };
    // A local reply cuts the body short, and with it the request to the upstream.
    let is_answered = exchange.link.signs.borrow().replied;
    match response {
        Some(Ok((response, slot))) => {
            exchange.slot = Some(slot);
            exchange.respond(response).await
        }
        Some(Err(_)) if is_answered => exchange.reply_here(Ending::Complete).await,
        Some(Err(error)) => {
            log::debug!("no response from {address}: {error}");
            let (reply, ending) = no_response(&error);
            exchange.reply(reply, ending).await
        }
        None => {
            let reply = LocalReply::new(504, "response_timeout").body("upstream request timeout");
            exchange.reply(reply, Ending::UpstreamTimeout).await
        }
    }
}

/// Returns the answer of Envoy's router, and the stream's ending.
fn no_response(error: &NoResponse) -> (LocalReply, Ending) {
    let reason = error.reset_reason();
    let ending = match error {
        NoResponse::Address(_) | NoResponse::Connect(_) => Ending::ConnectFailure,
        NoResponse::Broken(_) => Ending::UpstreamTermination,
    };
    let text = format!("{RESET_BEFORE_HEADERS}. reset reason: {reason}");
    (LocalReply::new(503, &error.details()).body(text), ending)
}

impl Exchange {
    async fn open(
        service: &Service,
        peers: Peers,
        protocol: Protocol,
        headers: &Headers,
    ) -> io::Result<Self> {
        let ip = |address: SocketAddr| (address.ip().to_string(), address.port());
        let ((client, client_port), (local, local_port)) = (ip(peers.client), ip(peers.local));
        let mut properties = StreamProperties::new()
            .source(&client, client_port)
            .destination(&local, local_port)
            .listener_direction(service.direction)
            .set("request.protocol", protocol.name());
        // The filter sees the address once the request goes on; a filter that rewrites the authority sees the address
        // of the old authority.
        if let Some(upstream) = service
            .routes
            .find(&headers.text(":authority").unwrap_or_default())
        {
            let (upstream, port) = ip(upstream);
            properties = properties.upstream(&upstream, port);
        }
        let opened = service.vm.open(&properties).await;
        let (vm, id, signs) = opened.ok_or_else(|| broken("the VM has ended"))?;
        Ok(Self {
            link: Link { vm, id, signs },
            http1_trailers: service.http1_trailers,
            upload: None,
            upgrade: None,
            track: None,
            slot: None,
            is_ended: false,
        })
    }

    fn pump(&self, side: Side, source: Source) -> Pump {
        Pump::new(self.link.clone(), side, source, self.track.clone())
    }

    fn source(&self, body: Incoming, protocol: Protocol) -> Source {
        Source::Body {
            body,
            protocol,
            has_trailers: self.http1_trailers,
        }
    }

    /// Carries the request's body from now on; the task ends with it.
    fn upload(&mut self, mut pump: Pump) -> (Body, JoinHandle<()>) {
        let (pieces, piped) = message::pipe();
        let (link, track) = (self.link.clone(), self.track.clone());
        let upload = tokio::spawn(async move {
            // A client that goes away before the body's end ends the stream.
            if pump.body(&pieces).await == Carried::SourceBroken {
                end(&link, track, Ending::ClientAbort);
            }
        });
        self.upload = Some(upload.abort_handle());
        (piped, upload)
    }

    /// Sends the upstream's response through the filters to the client.
    async fn respond(mut self, mut response: Response<Incoming>) -> io::Result<Response<Body>> {
        let upstream = hyper::upgrade::on(&mut response);
        let (parts, body) = response.into_parts();
        let headers = message::of_response(&parts);
        let is_agreed = self.upgrade.is_some() && upgrade::is_agreed(&headers);
        let source = match is_agreed {
            true => Source::Waiting,
            false => self.source(body, Protocol::of(parts.version)),
        };
        let mut pump = self.pump(Side::Response, source);
        let (headers, end_of_stream) = match pump.head(headers).await? {
            Head::Pass(headers, end_of_stream) => (headers, end_of_stream),
            Head::Reply => return self.reply_here(Ending::Complete).await,
            Head::Reset => return self.break_off(Ending::Complete),
            Head::SourceBroken => return self.break_off(Ending::UpstreamReset),
        };
        let tunnel = self.upgrade.take().filter(|_| is_agreed);
        if let Some((client, upload)) = tunnel.filter(|_| upgrade::is_agreed(&headers)) {
            tokio::spawn(async move {
                let ending = tunnel::carry((client, upload), (upstream, pump)).await;
                self.end(ending);
            });
            return message::to_response(&headers, message::empty());
        }
        if end_of_stream == EndOfStream::Yes {
            self.end(Ending::Complete);
            return message::to_response(&headers, message::empty());
        }
        let (pieces, piped) = message::pipe();
        // This task owns the exchange from here on, because the body outlives the service's future.
        tokio::spawn(async move {
            let ending = match pump.body(&pieces).await {
                Carried::All | Carried::Stopped => Ending::Complete,
                Carried::SourceBroken => Ending::UpstreamReset,
                Carried::SinkClosed => Ending::ClientAbort,
            };
            self.end(ending);
        });
        message::to_response(&headers, piped)
    }

    /// Sends a local reply through the filters, in place of the upstream's response.
    async fn reply(self, reply: LocalReply, ending: Ending) -> io::Result<Response<Body>> {
        let id = self.link.id;
        let _ = self
            .link
            .vm
            .run_for(id, move |worker| worker.chain.local_reply(id, reply))
            .await;
        self.reply_here(ending).await
    }

    /// Returns the local reply for the client.
    async fn reply_here(mut self, ending: Ending) -> io::Result<Response<Body>> {
        let Some(reply) = self.link.take_reply().await? else {
            return self.break_off(ending);
        };
        if let Some(track) = &self.track {
            track.passed(Spot::Downstream, &reply);
        }
        self.end(ending);
        let trailers = reply.trailers.as_ref().map(message::to_map);
        let headers = reply.headers.unwrap_or_default();
        message::to_response(&headers, message::whole(reply.body, trailers))
    }

    fn break_off(mut self, ending: Ending) -> io::Result<Response<Body>> {
        self.end(ending);
        Err(broken("the filters have reset the stream"))
    }

    fn end(&mut self, ending: Ending) {
        if !std::mem::replace(&mut self.is_ended, true) {
            end(&self.link, self.track.take(), ending);
        }
        self.slot = None;
        // Aborting an upload whose response nobody awaits resets the upstream's request.
        if let Some(upload) = self.upload.take() {
            upload.abort();
        }
    }
}

/// Ends a stream in the VMs, unless it has ended.
fn end(link: &Link, track: Option<Track>, ending: Ending) {
    let id = link.id;
    link.vm.tell(move |worker| {
        let ended = worker.end(id, ending);
        if let Some(track) = track {
            track.end(ending, ended);
        }
    });
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.end(Ending::ClientAbort);
    }
}
