//! One request and its response, through the filter.
//!
//! Invariant: an [`Exchange`] owns its stream in the VM and ends it exactly once; an exchange that is dropped, because
//! the client went away, ends as a client abort.

mod link;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use sidespan_host::{EndOfStream, Ending, Headers, LocalReply, StreamProperties};
use tokio::task::AbortHandle;

use link::{Carried, Link, Passed, Side, Verdict, broken, end_of_stream};

use super::config::Routes;
use super::message::{self, Body, Protocol};
use super::pool::{NoResponse, Pool};
use super::vm::Vm;

/// The parts that all requests of a sidecar share.
pub(super) struct Service {
    pub(super) routes: Routes,
    pub(super) direction: i64,
    /// Time for the upstream to begin its response.
    pub(super) timeout: Duration,
    pub(super) vm: Vm,
    pub(super) pool: Pool,
}

/// Both ends of a client's connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peers {
    pub(super) client: SocketAddr,
    pub(super) local: SocketAddr,
}

/// One stream in the VM, which ends with this value.
struct Exchange {
    link: Link,
    upload: Option<AbortHandle>,
    is_ended: bool,
}

/// Serves one request. An error resets the client's stream.
pub(super) async fn serve(
    service: Arc<Service>,
    peers: Peers,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let protocol = Protocol::of(parts.version);
    let headers = message::of_request(&parts);
    let mut exchange = Exchange::open(&service, peers, protocol, &headers).await?;
    let end_of_stream = end_of_stream(&body);
    let passed = match exchange
        .link
        .headers(Side::Request, headers, end_of_stream)
        .await?
    {
        Verdict::Pass(passed) => passed,
        Verdict::Reply => return exchange.reply_here(Ending::Complete).await,
        Verdict::Reset => return exchange.break_off(Ending::Complete),
    };
    let headers = passed.headers.unwrap_or_default();
    let authority = headers.text(":authority").unwrap_or_default();
    let Some(address) = service.routes.find(&authority) else {
        let reply = LocalReply::new(404, "route_not_found");
        return exchange.reply(reply, Ending::Complete).await;
    };
    let (body, upload) = if end_of_stream == EndOfStream::Yes {
        (message::empty(), None)
    } else {
        let (pieces, piped) = message::pipe();
        let upload = tokio::spawn(exchange.link.clone().upload(body, pieces));
        exchange.upload = Some(upload.abort_handle());
        (piped, Some(upload))
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
    match response {
        Some(Ok(response)) => exchange.respond(response).await,
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
    let (reason, ending) = match error {
        NoResponse::Address(_) | NoResponse::Connect(_) => {
            ("remote connection failure", Ending::ConnectFailure)
        }
        NoResponse::Broken(_) => ("connection termination", Ending::UpstreamReset),
    };
    let details = format!("upstream_reset_before_response_started{{{reason}}}");
    let text = format!(
        "upstream connect error or disconnect/reset before headers. reset reason: {reason}"
    );
    (LocalReply::new(503, &details).body(text), ending)
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
        let vm = service.vm.clone();
        let opened = vm.run(|worker| worker.open(properties)).await;
        let (id, signs) = opened.map_err(|_| broken("the VM has ended"))?;
        Ok(Self {
            link: Link { vm, id, signs },
            upload: None,
            is_ended: false,
        })
    }

    /// Sends the upstream's response through the filter to the client.
    async fn respond(mut self, response: Response<Incoming>) -> io::Result<Response<Body>> {
        let (parts, body) = response.into_parts();
        let headers = message::of_response(&parts);
        let end_of_stream = end_of_stream(&body);
        let headers = match self
            .link
            .headers(Side::Response, headers, end_of_stream)
            .await?
        {
            Verdict::Pass(passed) => passed.headers.unwrap_or_default(),
            Verdict::Reply => return self.reply_here(Ending::Complete).await,
            Verdict::Reset => return self.break_off(Ending::Complete),
        };
        if end_of_stream == EndOfStream::Yes {
            self.end(Ending::Complete);
            return message::to_response(&headers, message::empty());
        }
        let (pieces, piped) = message::pipe();
        let link = self.link.clone();
        // This task owns the exchange from here on, because the body outlives the service's future.
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

    /// Sends a local reply through the filter, in place of the upstream's response.
    async fn reply(self, reply: LocalReply, ending: Ending) -> io::Result<Response<Body>> {
        let id = self.link.id;
        let _ = self
            .link
            .vm
            .run(move |worker| worker.host.local_reply(id, reply))
            .await;
        self.reply_here(ending).await
    }

    /// Returns the local reply for the client.
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
        // Aborting an upload whose response nobody awaits resets the upstream's request.
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
