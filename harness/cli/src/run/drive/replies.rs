//! Answers to the calls of filters, and to requests, in the host's form: of collectors, and of Envoy's router for a peer that
//! fails.

use sidespan_host::{GrpcReply, Headers};

use crate::run::answers::{Grpc, Parts};
use crate::run::framing;
use crate::run::passed::Message;
use crate::run::scenario::Fault;

/// The router's text for a stream that was reset by its peer.
pub(super) const RESET: &str =
    "upstream connect error or disconnect/reset before headers. reset reason: remote reset";
/// Its text for a connection that the peer has closed, and its details.
pub(super) const TERMINATED: &str = "upstream connect error or disconnect/reset before headers. reset reason: connection termination";
pub(super) const TERMINATED_DETAILS: &str =
    "upstream_reset_before_response_started{connection_termination}";
/// Its text for a cluster at whose address nothing listens.
pub(super) const AWAY: &str = "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
/// Its text for a stream that the peer could not read.
pub(super) const UNREADABLE: &str =
    "upstream connect error or disconnect/reset before headers. reset reason: protocol error";

/// Returns the router's answer to a call in place of its peer.
pub(super) fn router(status: &str, text: &str) -> Parts {
    Parts {
        headers: Headers::from([
            (":status", status),
            ("content-length", text.len().to_string().as_str()),
            ("content-type", "text/plain"),
        ]),
        body: text.into(),
        ..Parts::default()
    }
}

/// The router's answer to a call that it cannot send, or that the peer cannot read.
#[derive(Debug)]
pub(super) struct Refusal {
    status: &'static str,
    text: String,
    details: String,
}

impl Refusal {
    /// Returns the answer to this call; `None` if the peer can read it.
    pub(super) fn of(message: &Message) -> Option<Self> {
        if let Some(text) = framing::unsendable(&message.headers) {
            let why = text.replace(' ', "_");
            return Some(Self {
                status: "503",
                text,
                details: format!("filter_removed_required_request_headers{{{why}}}"),
            });
        }
        framing::is_unreadable(message).then(|| Self {
            status: "502",
            text: UNREADABLE.into(),
            details: "upstream_reset_before_response_started{protocol_error}".into(),
        })
    }

    /// Returns the answer to an HTTP call.
    pub(super) fn parts(&self) -> Parts {
        router(self.status, &self.text)
    }

    /// Returns the answer to a gRPC call or stream.
    pub(super) fn grpc(&self) -> GrpcReply {
        let reply = GrpcReply::new().status(UNAVAILABLE, self.text.as_str());
        reply.details(self.details.as_str())
    }
}

/// Returns the answer to a gRPC call as the host takes it.
pub(super) fn grpc_reply(outcome: Result<Parts, Fault>) -> GrpcReply {
    let (text, details) = match outcome {
        Ok(parts) => {
            let Some(grpc) = parts.grpc else {
                return GrpcReply::new();
            };
            let reply = grpc
                .messages
                .iter()
                .fold(GrpcReply::new(), GrpcReply::message);
            return reply
                .initial_metadata(parts.headers)
                .trailing_metadata(parts.trailers)
                .status(grpc.status, grpc.text);
        }
        Err(Fault::Reset) => (
            RESET,
            "upstream_reset_before_response_started{remote_reset}",
        ),
        Err(Fault::Unreachable | Fault::NoHosts | Fault::Silence) => (
            AWAY,
            "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}",
        ),
    };
    GrpcReply::new().status(UNAVAILABLE, text).details(details)
}

/// Returns a collector's answer by gRPC.
pub(super) fn grpc(status: &str) -> Parts {
    Parts {
        headers: Headers::from([(":status", "200"), ("content-type", "application/grpc")]),
        // An empty message in its frame, then the trailers.
        body: vec![0; 5],
        trailers: Headers::from([("grpc-status", status)]),
        grpc: Some(Grpc {
            messages: vec![Vec::new()],
            status: u32::from(status == "14") * 14,
            text: String::new(),
        }),
    }
}

/// Returns a collector's answer by HTTP.
pub(super) fn http(status: &str, kind: Option<&str>) -> Parts {
    let mut headers = Headers::from([(":status", status)]);
    if let Some(kind) = kind {
        headers.add("content-type", kind);
    }
    Parts {
        headers,
        ..Parts::default()
    }
}

/// gRPC's status for a peer that is away.
const UNAVAILABLE: u32 = 14;
