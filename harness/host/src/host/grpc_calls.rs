//! gRPC calls and streams of the guest, from the caller's side: taken, then answered piece by piece.

use super::vm::Host;
use crate::abi_types::MapType;
use crate::headers::Headers;
use crate::host_call::word;
use crate::inline_headers;
use crate::vm_state::{GrpcCall, GrpcKind, GrpcSent, GrpcToken, NoSuchCall};

/// gRPC's status UNAVAILABLE.
const UNAVAILABLE: u32 = 14;

/// An answer to a gRPC call, or a part of the answer to a stream.
///
/// ```
/// use sidespan_host::GrpcReply;
///
/// let to_a_call = GrpcReply::new().message(b"\x0a\x02ok");
/// let to_a_stream = GrpcReply::new().message("one").message("two").status(0, "");
/// let failure = GrpcReply::new().status(14, "no healthy upstream");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct GrpcReply {
    initial_metadata: Option<Headers>,
    messages: Vec<Vec<u8>>,
    trailing_metadata: Option<Headers>,
    end: Option<(u32, String)>,
    details: Option<String>,
}

impl GrpcReply {
    /// Returns an answer with nothing in it. A stream then has only its initial metadata.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the initial metadata of a stream, by default `:status: 200` and the content type; none if the stream fails at
    /// once. Calls do not show theirs.
    pub fn initial_metadata(mut self, headers: impl Into<Headers>) -> Self {
        self.initial_metadata = Some(headers.into());
        self
    }

    /// Adds a message, without gRPC's five bytes in front. A call has one.
    pub fn message(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.messages.push(bytes.as_ref().to_vec());
        self
    }

    /// Sets the trailing metadata of a stream, by default those of its status. Calls do not show theirs.
    pub fn trailing_metadata(mut self, headers: impl Into<Headers>) -> Self {
        self.trailing_metadata = Some(headers.into());
        self
    }

    /// Ends the stream, or fails the call, with gRPC's status (0 is OK) and its text. A call that is answered needs none.
    pub fn status(mut self, status: u32, text: impl Into<String>) -> Self {
        self.end = Some((status, text.into()));
        self
    }

    /// Sets the details of the response, which Envoy adds to the text in braces: `via_upstream` by default, or
    /// `no_healthy_upstream`, `upstream_reset_before_response_started{…}` where there was no answer.
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// Returns the text that the guest reads with `proxy_get_status`.
    fn close_text(&self, text: &str) -> String {
        let details = self.details.as_deref().unwrap_or("via_upstream");
        match (text, details) {
            (text, "") => text.to_owned(),
            ("", details) => details.to_owned(),
            (text, details) => format!("{text}{{{details}}}"),
        }
    }
}

impl Host {
    /// Takes the gRPC calls and streams that the guest has begun since this function was last called. They stay in flight
    /// until they are answered.
    pub fn grpc_calls(&mut self) -> Vec<GrpcCall> {
        self.state_mut().grpc.take_fresh()
    }

    /// Takes what the guest has sent on its streams since this function was last called, in order.
    pub fn grpc_sent(&mut self) -> Vec<(GrpcToken, GrpcSent)> {
        self.state_mut().grpc.take_sent()
    }

    /// Returns the number of gRPC calls and streams that are not answered to the end yet.
    pub fn grpc_calls_in_flight(&self) -> usize {
        self.state().grpc.in_flight()
    }

    /// Answers a gRPC call, or answers a part of a stream, in Envoy's order.
    ///
    /// A call gets `proxy_on_grpc_receive` with its message, or `proxy_on_grpc_close` if it fails, never both; without
    /// message or status it fails with 13 (INTERNAL), as in Envoy. A stream gets
    /// `proxy_on_grpc_receive_initial_metadata` once, `proxy_on_grpc_receive` for each message, and, with a status,
    /// `proxy_on_grpc_receive_trailing_metadata` and `proxy_on_grpc_close`.
    ///
    /// # Errors
    /// [`NoSuchCall`] if the call or stream has ended, timed out, or was given up with its root context.
    pub fn grpc_reply(&mut self, token: GrpcToken, reply: GrpcReply) -> Result<(), NoSuchCall> {
        let root = self.state().grpc.root(token.0).ok_or(NoSuchCall)?;
        match GrpcKind::of_token(token.0) {
            Some(GrpcKind::Call) => self.answer_call(root, token, reply),
            _ => self.answer_stream(root, token, reply),
        }
        self.tell_queues();
        Ok(())
    }

    fn answer_call(&mut self, root: u32, token: GrpcToken, reply: GrpcReply) {
        const INTERNAL: u32 = 13;
        self.state_mut().grpc.end(token.0);
        let message = reply.messages.first();
        match (&reply.end, message) {
            (None | Some((0, _)), Some(message)) => self.receive(root, token, message.clone()),
            (Some((status, text)), _) if *status != 0 => {
                self.grpc_close(root, token, *status, &reply.close_text(text));
            }
            _ => self.grpc_close(root, token, INTERNAL, ""),
        }
    }

    fn answer_stream(&mut self, root: u32, token: GrpcToken, mut reply: GrpcReply) {
        let begins = self.state_mut().grpc.begins_to_answer(token.0);
        // gRPC calls it "trailers only": there are no headers but those that end the stream.
        let is_trailers_only = begins
            && reply.initial_metadata.is_none()
            && reply.messages.is_empty()
            && matches!(reply.end, Some((status, _)) if status != 0);
        let usual = [(":status", "200"), ("content-type", "application/grpc")];
        if begins {
            let headers = match reply.initial_metadata.take() {
                Some(headers) => inline_headers::arrived(MapType::ResponseHeaders, headers),
                None if is_trailers_only => Headers::new(),
                None => Headers::from(usual),
            };
            let name = "proxy_on_grpc_receive_initial_metadata";
            self.receive_metadata(name, root, token, headers);
        }
        for message in std::mem::take(&mut reply.messages) {
            // The guest may have cancelled the stream in the callback before.
            if self.state().grpc.root(token.0).is_some() {
                self.receive(root, token, message);
            }
        }
        let Some((status, text)) = reply.end.take() else {
            return;
        };
        let close_text = reply.close_text(&text);
        if self.state().grpc.root(token.0).is_none() {
            return;
        }
        let given = reply.trailing_metadata;
        let given = given.map(|it| inline_headers::arrived(MapType::ResponseTrailers, it));
        let trailers = given.unwrap_or_else(|| {
            let mut trailers = match is_trailers_only {
                true => Headers::from(usual),
                false => Headers::new(),
            };
            trailers.add("grpc-status", status.to_string());
            if !text.is_empty() {
                trailers.add("grpc-message", text.as_str());
            }
            trailers
        });
        let name = "proxy_on_grpc_receive_trailing_metadata";
        self.receive_metadata(name, root, token, trailers);
        if self.state().grpc.root(token.0).is_some() {
            self.state_mut().grpc.end(token.0);
            self.grpc_close(root, token, status, &close_text);
        }
    }

    /// Answers a call whose time is up, as Envoy's router does.
    pub(super) fn time_out_grpc(&mut self, token: GrpcToken) {
        let reply = GrpcReply::new()
            .status(UNAVAILABLE, "upstream request timeout")
            .details("response_timeout");
        // The call is in flight, because its deadline has just been found.
        let _ = self.grpc_reply(token, reply);
    }

    /// Reports the failure of a call that Envoy has refused because of its cluster.
    pub(super) fn fail_unavailable(&mut self, root: u32, token: u32, why: &str) {
        self.grpc_close(root, GrpcToken(token), UNAVAILABLE, why);
    }

    fn receive(&mut self, root: u32, token: GrpcToken, message: Vec<u8>) {
        let size = word(message.len());
        self.show(root, |shown| shown.message = Some(message));
        // After a trap there is no guest to call.
        let _ = self.enter(|guest| &guest.grpc.receive, root, (root, token.0, size), ());
        self.run_deferred();
        self.show(root, |shown| shown.message = None);
    }

    fn receive_metadata(
        &mut self,
        name: &'static str,
        root: u32,
        token: GrpcToken,
        metadata: Headers,
    ) {
        let count = word(metadata.len());
        let is_initial = name == "proxy_on_grpc_receive_initial_metadata";
        self.show(root, |shown| match is_initial {
            true => shown.initial_metadata = Some(metadata),
            false => shown.trailing_metadata = Some(metadata),
        });
        // After a trap there is no guest to call.
        let _ = self.enter(
            |guest| match is_initial {
                true => &guest.grpc.receive_initial_metadata,
                false => &guest.grpc.receive_trailing_metadata,
            },
            root,
            (root, token.0, count),
            (),
        );
        self.run_deferred();
        self.show(root, |shown| {
            shown.initial_metadata = None;
            shown.trailing_metadata = None;
        });
    }

    fn grpc_close(&mut self, root: u32, token: GrpcToken, status: u32, text: &str) {
        let has_callback = self
            .guest()
            .is_ok_and(|guest| guest.grpc.close.function.is_some());
        if !has_callback {
            return;
        }
        self.set_status(root, status, text);
        let arguments = (root, token.0, status);
        // After a trap there is no guest to call.
        let _ = self.enter(|guest| &guest.grpc.close, root, arguments, ());
        self.run_deferred();
        // Envoy clears the text and keeps the code.
        self.set_status(root, status, "");
    }

    fn show(&mut self, root: u32, change: impl FnOnce(&mut crate::vm_state::GrpcShown)) {
        if let Some(root) = self.state_mut().roots.get_mut(&root) {
            change(&mut root.grpc);
        }
    }
}
