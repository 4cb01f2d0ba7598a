//! Callbacks that Envoy or its extensions call beside those of streams: HTTP/2 METADATA, foreign functions, DNS.

use std::net::IpAddr;
use std::time::Duration;

use super::statistics::Statistics;
use super::vm::Host;
use crate::headers::Headers;
use crate::host_call::word;
use crate::stream::{Side, StreamId};
use crate::vm_state::{DnsQuery, NoSuchCall, dns_answer};

impl Host {
    /// Tells the filter of a METADATA frame of HTTP/2 in the request: `proxy_on_request_metadata` with the number of entries,
    /// which no host function shows. The answer has no effect. A stream that has not begun is not told of.
    pub fn request_metadata(&mut self, id: StreamId, metadata: impl Into<Headers>) {
        self.metadata(id, Side::Request, &metadata.into());
    }

    /// Tells the filter of a METADATA frame of HTTP/2 in the response, as [`Host::request_metadata`] does in the request.
    pub fn response_metadata(&mut self, id: StreamId, metadata: impl Into<Headers>) {
        self.metadata(id, Side::Response, &metadata.into());
    }

    fn metadata(&mut self, id: StreamId, side: Side, metadata: &Headers) {
        if self.is_failed(id) || self.stream(id).is_none_or(|stream| !stream.created) {
            return;
        }
        let arguments = (id.0, word(metadata.len()));
        // After a trap there is no guest to call.
        let _ = self.enter(|guest| &guest.half(side).metadata, id.0, arguments, 0);
        self.run_deferred();
        self.tell_queues();
    }

    /// Calls `proxy_on_foreign_function` on the root context of new streams, as an extension of Envoy does. The guest reads the
    /// arguments in buffer 8.
    pub fn call_foreign_function(&mut self, function_id: u32, arguments: impl Into<Vec<u8>>) {
        let (root, arguments) = (self.installed[0].root, arguments.into());
        let size = word(arguments.len());
        self.state_mut().call_data = arguments;
        let arguments = (root, function_id, size);
        // After a trap there is no guest to call.
        let _ = self.enter(|guest| &guest.foreign_function, root, arguments, ());
        self.state_mut().call_data = Vec::new();
        self.run_deferred();
        self.tell_queues();
    }

    /// Calls `envoy_on_stats_update` on the root context of new streams, as Envoy does for a filter that is installed as a
    /// sink of statistics. The guest reads the statistics in buffer 8.
    pub fn stats_update(&mut self, statistics: &Statistics) {
        let (root, bytes) = (self.installed[0].root, statistics.encode());
        let size = word(bytes.len());
        self.state_mut().call_data = bytes;
        // After a trap there is no guest to call.
        let _ = self.enter(|guest| &guest.stats_update, root, (root, size), ());
        self.state_mut().call_data = Vec::new();
        self.run_deferred();
        self.tell_queues();
    }

    /// Takes the names that the guest has asked the resolver for since this function was last called.
    pub fn dns_queries(&mut self) -> Vec<DnsQuery> {
        self.state_mut().dns.take_fresh()
    }

    /// Answers a query with addresses and the times for which they are valid; with none if there is no such name:
    /// `envoy_on_resolve_dns` on the root context. The guest reads the addresses in buffer 8.
    ///
    /// # Errors
    /// [`NoSuchCall`] if the query was answered before.
    pub fn answer_dns(
        &mut self,
        token: u32,
        addresses: &[(IpAddr, Duration)],
    ) -> Result<(), NoSuchCall> {
        let root = self.state_mut().dns.end(token).ok_or(NoSuchCall)?;
        let bytes = dns_answer::encode(addresses);
        let size = word(bytes.len());
        self.state_mut().call_data = bytes;
        // After a trap there is no guest to call.
        let _ = self.enter(|guest| &guest.resolve_dns, root, (root, token, size), ());
        self.state_mut().call_data = Vec::new();
        self.run_deferred();
        self.tell_queues();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
