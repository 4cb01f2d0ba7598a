//! One TCP connection through the filter: the order of its callbacks, and the effect of each answer.
//!
//! ```text
//! proxy_on_context_create, proxy_on_new_connection
//! proxy_on_downstream_data …             from the client
//! proxy_on_upstream_data …               from the upstream
//! proxy_on_upstream_connection_close     right after the upstream's end of stream, always with 0, "unknown"
//! proxy_on_downstream_connection_close   1 if the proxy closes, 2 if the client does
//! proxy_on_done, proxy_on_log, proxy_on_delete   in this order, unlike that of HTTP
//! ```
//!
//! A callback that stops leaves its bytes where they are, and the next one sees them again in front of the new ones.

use super::vm::{Failed, Host};
use crate::host_call::word;
use crate::settings::FailurePolicy;
use crate::stream::{
    Action, ClosedBy, Connection, ConnectionId, EndOfStream, Flow, StreamId, StreamProperties,
};

/// `proxy_on_upstream_connection_close` is always told this: Envoy sees the end of stream, not its maker.
const UNKNOWN_PEER: u32 = 0;

/// A direction of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    FromClient,
    FromUpstream,
}

impl Host {
    /// Opens a TCP connection from a client: `proxy_on_context_create` and `proxy_on_new_connection`. A filter can hold the
    /// connection ([`Connection::is_held`]).
    ///
    /// ```
    /// # use sidespan_host::{Action, ClosedBy, EndOfStream, Host, Module, StreamProperties};
    /// # let wasm = wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
    /// #     (func (export "malloc") (param i32) (result i32) (i32.const 1024)))"#)?;
    /// # let module = Module::compile(&wasm)?;
    /// let mut host = Host::builder(&module).start()?;
    /// let connection = host.open_connection(StreamProperties::new().source("10.0.0.1", 40000));
    /// assert_eq!(host.downstream_data(connection, b"ping", EndOfStream::No), Action::Continue);
    /// assert_eq!(host.take_downstream_data(connection), b"ping");
    /// assert_eq!(host.upstream_data(connection, b"pong", EndOfStream::Yes), Action::Continue);
    /// assert_eq!(host.take_upstream_data(connection), b"pong");
    /// host.close_connection(connection, ClosedBy::Client);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_connection(&mut self, properties: StreamProperties) -> ConnectionId {
        let id = self.open_stream(properties);
        if let Some(stream) = self.stream_mut(id) {
            stream.connection = Some(Connection::default());
        }
        let answer = match self.is_failed(id) {
            true => Err(Failed),
            false => self
                .create(id)
                .and_then(|()| self.enter(|guest| &guest.network.new_connection, id.0, id.0, 0)),
        };
        match answer {
            Ok(answer) => {
                if let Some(connection) = self.connection_mut(id) {
                    connection.is_held = answer != 0;
                    connection.has_upstream = answer == 0;
                }
                self.run_deferred();
                if let Some(connection) = self.connection_mut(id) {
                    // One that the filter has closed at once never comes to the proxy of TCP.
                    connection.has_upstream &= !connection.is_closed;
                }
                self.tell_queues_now();
            }
            Err(Failed) => self.fail_connection(id),
        }
        ConnectionId(id.0)
    }

    /// Gives the filter bytes from the client, or the end of what the client sends.
    pub fn downstream_data(
        &mut self,
        id: ConnectionId,
        bytes: &[u8],
        end_of_stream: EndOfStream,
    ) -> Action {
        let id = StreamId(id.0);
        let ends = end_of_stream == EndOfStream::Yes;
        if let Some(connection) = self.connection_mut(id).filter(|it| it.is_held) {
            let (unread, end) = connection.unread.get_or_insert_with(Default::default);
            unread.extend_from_slice(bytes);
            *end = ends;
            return Action::Pause;
        }
        self.data(id, Direction::FromClient, bytes, ends)
    }

    /// Gives the filter bytes from the upstream, or the end of what the upstream sends, after which
    /// `proxy_on_upstream_connection_close` comes.
    pub fn upstream_data(
        &mut self,
        id: ConnectionId,
        bytes: &[u8],
        end_of_stream: EndOfStream,
    ) -> Action {
        let id = StreamId(id.0);
        let ends = end_of_stream == EndOfStream::Yes;
        let action = self.data(id, Direction::FromUpstream, bytes, ends);
        if let Some(stream) = self.stream_mut(id) {
            stream.response.count_body(bytes.len());
        }
        if ends && action != Action::Reset {
            let arguments = (id.0, UNKNOWN_PEER);
            // After a trap there is no guest to call.
            let _ = self.enter(|guest| &guest.network.upstream_close, id.0, arguments, ());
            self.run_deferred();
            self.tell_queues_now();
        }
        action
    }

    /// Closes a connection: `proxy_on_downstream_connection_close`, `proxy_on_done`, `proxy_on_log`, `proxy_on_delete`, unless
    /// the guest has closed the connection before. Returns the connection's last state.
    pub fn close_connection(&mut self, id: ConnectionId, by: ClosedBy) -> Option<Connection> {
        let id = StreamId(id.0);
        self.stream(id)?.connection.as_ref()?;
        self.close_tcp(id, by);
        let stream = self.state_mut().streams.remove(id.0)?;
        self.end_retired(stream.root);
        self.tell_queues_now();
        stream.connection
    }

    /// Returns an open connection; `None` once [`Host::close_connection`] has returned it.
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.stream(StreamId(id.0))?.connection.as_ref()
    }

    /// Takes the bytes from the client that have passed the filter.
    pub fn take_downstream_data(&mut self, id: ConnectionId) -> Vec<u8> {
        let connection = self.connection_mut(StreamId(id.0));
        connection.map_or_else(Vec::new, |connection| connection.from_client.take())
    }

    /// Takes the bytes from the upstream that have passed the filter.
    pub fn take_upstream_data(&mut self, id: ConnectionId) -> Vec<u8> {
        let connection = self.connection_mut(StreamId(id.0));
        connection.map_or_else(Vec::new, |connection| connection.from_upstream.take())
    }

    fn connection_mut(&mut self, id: StreamId) -> Option<&mut Connection> {
        self.stream_mut(id)?.connection.as_mut()
    }

    fn flow_mut(&mut self, id: StreamId, direction: Direction) -> Option<&mut Flow> {
        let connection = self.connection_mut(id).filter(|it| !it.is_closed)?;
        Some(match direction {
            Direction::FromClient => &mut connection.from_client,
            Direction::FromUpstream => &mut connection.from_upstream,
        })
    }

    fn data(&mut self, id: StreamId, direction: Direction, bytes: &[u8], ends: bool) -> Action {
        let Some(flow) = self.flow_mut(id, direction) else {
            return Action::Reset;
        };
        flow.show(bytes, ends);
        let size = word(flow.shown.len());
        if let Some(stream) = self
            .stream_mut(id)
            .filter(|_| direction == Direction::FromClient)
        {
            stream.request.count_body(bytes.len());
        }
        let answer = self.enter(
            |guest| match direction {
                Direction::FromClient => &guest.network.downstream_data,
                Direction::FromUpstream => &guest.network.upstream_data,
            },
            id.0,
            (id.0, size, u32::from(ends)),
            0,
        );
        match answer {
            Ok(answer) => {
                if let Some(flow) = self.flow_mut(id, direction) {
                    flow.is_paused = answer != 0;
                }
                self.run_deferred();
                if let Some(flow) = self.flow_mut(id, direction).filter(|_| answer == 0) {
                    flow.pass();
                    flow.is_shown = false;
                }
                self.tell_queues_now();
            }
            Err(Failed) => self.fail_connection(id),
        }
        match self.flow_mut(id, direction) {
            None => Action::Reset,
            Some(flow) if flow.is_paused => Action::Pause,
            Some(_) => Action::Continue,
        }
    }

    /// Lets a connection, or the client's bytes that the guest holds, go on. The bytes do not come back to the guest, even if
    /// the callback that has called for this then stops.
    pub(super) fn continue_connection(&mut self, id: StreamId) {
        let Some(connection) = self.connection_mut(id).filter(|it| !it.is_closed) else {
            return;
        };
        if connection.is_held {
            connection.is_held = false;
            connection.has_upstream = true;
            if let Some((bytes, ends)) = connection.unread.take() {
                let _ = self.data(id, Direction::FromClient, &bytes, ends);
            }
        } else {
            connection.from_client.pass();
        }
    }

    /// Tells the guest that the connection with the client is closed, once, and ends the guest's context.
    pub(super) fn close_tcp(&mut self, id: StreamId, by: ClosedBy) {
        let Some(connection) = self.connection_mut(id).filter(|it| !it.is_closed) else {
            return;
        };
        connection.is_closed = true;
        // A connection whose VM has failed is not told of, because no guest is left.
        let _ = self.tell_of_close(id, by);
        if let Some(stream) = self.stream_mut(id) {
            stream.orphaned = true;
        }
    }

    fn tell_of_close(&mut self, id: StreamId, by: ClosedBy) -> Result<(), Failed> {
        let arguments = (id.0, by.to_wire());
        self.enter(|guest| &guest.network.downstream_close, id.0, arguments, ())?;
        self.run_deferred();
        self.enter(|guest| &guest.done, id.0, id.0, 1)?;
        self.run_deferred();
        self.enter(|guest| &guest.log, id.0, id.0, ())?;
        self.run_deferred();
        self.enter(|guest| &guest.delete, id.0, id.0, ())?;
        self.run_deferred();
        Ok(())
    }

    /// Closes a connection whose VM has failed, or lets it pass where the policy says so.
    fn fail_connection(&mut self, id: StreamId) {
        let is_open = match self.policy(id) {
            FailurePolicy::FailClosed | FailurePolicy::FailReload { .. } => false,
            // A connection that the VM knew when it failed has a filter in Envoy, and one that fails.
            FailurePolicy::FailOpen => self.stream(id).is_some_and(|stream| !stream.created),
            FailurePolicy::FailOpenField => true,
        };
        let Some(connection) = self.connection_mut(id) else {
            return;
        };
        if is_open {
            connection.has_upstream |= !connection.is_closed;
            connection.is_held = false;
            connection.from_client.pass();
            connection.from_upstream.pass();
        } else {
            connection.is_closed = true;
        }
    }
}

#[cfg(test)]
mod tests;
