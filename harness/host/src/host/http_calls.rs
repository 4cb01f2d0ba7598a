//! HTTP calls of the guest, from the caller's side: taken, then answered or failed.

use super::vm::Host;
use crate::abi_types::MapType;
use crate::headers::Headers;
use crate::host_call::word;
use crate::inline_headers;
use crate::vm_state::{CallToken, HttpCall, NoSuchCall, Reply};

impl Host {
    /// Takes the calls that the guest has made since this function was last called. Calls stay in flight until they are
    /// answered.
    pub fn calls(&mut self) -> Vec<HttpCall> {
        self.state_mut().calls.take_fresh()
    }

    /// Returns the number of calls that are not answered yet.
    pub fn calls_in_flight(&self) -> usize {
        self.state().calls.in_flight()
    }

    /// Answers a call with a response, for `proxy_on_http_call_response` on the root context. Headers that Envoy keeps once
    /// are joined.
    ///
    /// # Errors
    /// [`NoSuchCall`] if the call was answered, has timed out, or was given up with its root context.
    pub fn reply(
        &mut self,
        token: CallToken,
        headers: impl Into<Headers>,
        body: impl Into<Vec<u8>>,
        trailers: impl Into<Headers>,
    ) -> Result<(), NoSuchCall> {
        let headers = inline_headers::arrived(MapType::ResponseHeaders, headers.into());
        let trailers = inline_headers::arrived(MapType::ResponseTrailers, trailers.into());
        let trailers = (!trailers.is_empty()).then_some(trailers);
        self.answer(
            token,
            Reply {
                headers,
                body: body.into(),
                trailers,
            },
        )
    }

    pub(super) fn answer(&mut self, token: CallToken, reply: Reply) -> Result<(), NoSuchCall> {
        let root = self.state_mut().calls.end(token)?;
        let counts = [
            reply.headers.len(),
            reply.body.len(),
            reply.trailers.as_ref().map_or(0, Headers::len),
        ];
        self.set_reply(root, Some(reply));
        self.tell(root, token, counts.map(word));
        self.set_reply(root, None);
        Ok(())
    }

    /// Fails a call: the guest sees no headers, no body and no trailers, and `proxy_get_status` gives 11 "reset".
    ///
    /// # Errors
    /// [`NoSuchCall`] if the call was answered, has timed out, or was given up with its root context.
    pub fn fail_call(&mut self, token: CallToken) -> Result<(), NoSuchCall> {
        const BROKEN_CONNECTION: u32 = 11;
        let root = self.state_mut().calls.end(token)?;
        self.set_status(root, BROKEN_CONNECTION, "reset");
        self.tell(root, token, [0; 3]);
        // Envoy clears the text and keeps the code.
        self.set_status(root, BROKEN_CONNECTION, "");
        Ok(())
    }

    fn tell(&mut self, root: u32, token: CallToken, [headers, body, trailers]: [u32; 3]) {
        let parameters = (root, token.0, headers, body, trailers);
        // After a trap there is no guest to call.
        let _ = self.enter(|guest| &guest.http_call_response, root, parameters, ());
        self.run_deferred();
        self.tell_queues();
    }

    fn set_reply(&mut self, root: u32, reply: Option<Reply>) {
        if let Some(root) = self.state_mut().roots.get_mut(&root) {
            root.reply = reply;
        }
    }

    pub(super) fn set_status(&mut self, root: u32, code: u32, text: &str) {
        if let Some(root) = self.state_mut().roots.get_mut(&root) {
            root.status = (code, text.to_owned());
        }
    }
}
