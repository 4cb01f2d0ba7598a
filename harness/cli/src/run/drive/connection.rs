//! A TCP connection through the filter of a scenario, step by step.

use sidespan_host::{Action, ClosedBy, ConnectionId, EndOfStream, Host};

use super::running::Drive;
use crate::run::convert::tcp_properties;
use crate::run::passed::Tcp;
use crate::run::scenario::{Connection, Peer, TcpStep};

/// The bytes at the two ends of a connection, as far as they have come.
#[derive(Debug)]
struct Ends {
    id: ConnectionId,
    tcp: Tcp,
    /// The peers that send nothing more, in their order.
    ended: Vec<Peer>,
    is_closed: bool,
}

impl Drive {
    /// Opens a connection and takes it through its steps.
    ///
    /// # Errors
    /// When an export cannot be read.
    pub(super) fn connect(&mut self, connection: &Connection) -> anyhow::Result<Tcp> {
        let id = self.host().open_connection(tcp_properties());
        let mut ends = Ends {
            id,
            tcp: Tcp::default(),
            ended: Vec::new(),
            is_closed: false,
        };
        self.answer_calls()?;
        self.collect(&mut ends);
        for step in &connection.steps {
            for body in step.client.iter().chain(&step.upstream) {
                self.wait(body.after)?;
            }
            self.step(&mut ends, step);
            self.answer_calls()?;
            self.collect(&mut ends);
            self.take_logs();
        }
        let mut tcp = ends.tcp.clone();
        tcp.upstream_ends &= tcp.upstream.is_some();
        // A client that has done everything goes away, and so does its upstream then.
        for peer in [Peer::Client, Peer::Upstream] {
            self.end(&mut ends, peer);
            self.collect(&mut ends);
        }
        if !ends.is_closed {
            self.host().close_connection(id, ClosedBy::Client);
        }
        self.take_logs();
        Ok(tcp)
    }

    fn step(&mut self, ends: &mut Ends, step: &TcpStep) {
        let id = ends.id;
        if let Some(body) = &step.client {
            let _: Action = self
                .host()
                .downstream_data(id, &body.bytes, EndOfStream::No);
        }
        if let Some(body) = &step.upstream {
            let _: Action = self.host().upstream_data(id, &body.bytes, EndOfStream::No);
        }
        // Envoy sees the same of a peer that goes away and of one that only sends nothing more.
        if let Some(peer) = step.ends.or(step.closes) {
            self.end(ends, peer);
        }
    }

    fn end(&mut self, ends: &mut Ends, peer: Peer) {
        let is_held = self
            .host()
            .connection(ends.id)
            .is_some_and(|it| it.is_held());
        let is_known = peer == Peer::Client || !is_held;
        if ends.is_closed || ends.ended.contains(&peer) || !is_known {
            return;
        }
        ends.ended.push(peer);
        let _: Action = match peer {
            Peer::Client => self.host().downstream_data(ends.id, b"", EndOfStream::Yes),
            Peer::Upstream => self.host().upstream_data(ends.id, b"", EndOfStream::Yes),
        };
    }

    /// Takes the bytes that have passed, and closes what has ended on both sides.
    fn collect(&mut self, ends: &mut Ends) {
        let id = ends.id;
        let host = self.host();
        let Some(state) = host.connection(id) else {
            return;
        };
        let is_closed = state.is_closed();
        ends.tcp.upstream_ends |= is_closed || state.from_client().has_ended();
        ends.tcp.downstream_ends |= is_closed || state.from_upstream().has_ended();
        let has_upstream = state.has_upstream();
        let bytes = host.take_downstream_data(id);
        if has_upstream {
            ends.tcp.upstream.get_or_insert_default().extend(bytes);
        }
        let bytes = host.take_upstream_data(id);
        ends.tcp.downstream.extend(bytes);
        if is_closed || ends.tcp.upstream_ends && ends.tcp.downstream_ends {
            let by = match ends.ended.last() {
                Some(Peer::Client) => ClosedBy::Client,
                Some(Peer::Upstream) | None => ClosedBy::Proxy,
            };
            host.close_connection(id, by);
            ends.is_closed = true;
        }
    }

    /// Returns the VM of the first filter, which is the only one of a scenario with connections.
    fn host(&mut self) -> &mut Host {
        &mut self.chain.vms_mut()[0]
    }
}
