//! TCP through Envoy: a client and an upstream that send and receive bytes as a scenario says.
//!
//! A step may have no effect at all, so that none can be waited for: what has arrived counts once the worker has passed a fence.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use sidespan_envoy::wait_for;

use super::fence::Fence;
use super::names::PATIENCE;
use crate::run::passed::Tcp;
use crate::run::scenario::{Connection, Peer, TcpStep};

/// An upstream that takes connections one after another.
pub(super) struct TcpServer {
    listener: TcpListener,
    address: SocketAddr,
}

/// One end of a connection, and what has come to it.
struct End {
    socket: Option<TcpStream>,
    received: Vec<u8>,
    has_ended: bool,
}

/// A connection through Envoy.
struct Through<'a> {
    server: &'a TcpServer,
    fence: Fence,
    client: End,
    upstream: Option<End>,
}

impl TcpServer {
    /// Starts the upstream on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a connection through Envoy and takes it through its steps.
    ///
    /// # Errors
    /// When Envoy does not listen or answer.
    pub(super) fn connect(
        &self,
        envoy: SocketAddr,
        fence: SocketAddr,
        connection: &Connection,
    ) -> anyhow::Result<Tcp> {
        let fence = Fence::open(fence)?;
        let mut through = Through {
            server: self,
            fence,
            client: End::new(TcpStream::connect(envoy)?)?,
            upstream: None,
        };
        through.settle()?;
        for step in &connection.steps {
            through.step(step)?;
            through.settle()?;
        }
        let mut tcp = Tcp {
            downstream: through.client.received.clone(),
            downstream_ends: through.client.has_ended,
            ..Tcp::default()
        };
        if let Some(upstream) = &through.upstream {
            tcp.upstream = Some(upstream.received.clone());
            tcp.upstream_ends = upstream.has_ended;
        }
        // A client that has done everything goes away, and so does its upstream then.
        through.client.close();
        through.settle()?;
        through.upstream = None;
        through.fence.pass()?;
        Ok(tcp)
    }

    /// Takes a connection, if one has come.
    fn accept(&self) -> anyhow::Result<Option<End>> {
        match self.listener.accept() {
            Ok((socket, _)) => End::new(socket).map(Some),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Through<'_> {
    fn step(&mut self, step: &TcpStep) -> anyhow::Result<()> {
        for body in step.client.iter().chain(&step.upstream) {
            std::thread::sleep(body.after);
        }
        if let Some(body) = &step.client {
            self.send(Peer::Client, &body.bytes)?;
        }
        if let Some(body) = &step.upstream {
            self.send(Peer::Upstream, &body.bytes)?;
        }
        let ends = step.ends.map(|peer| (peer, false));
        let act = |end: &mut End, goes: bool| if goes { end.close() } else { end.end() };
        match ends.or(step.closes.map(|peer| (peer, true))) {
            Some((Peer::Client, goes)) => act(&mut self.client, goes),
            Some((Peer::Upstream, goes)) => {
                if let Some(upstream) = self.upstream() {
                    act(upstream, goes);
                }
            }
            None => {}
        }
        Ok(())
    }

    /// Sends bytes, as far as Envoy takes them.
    fn send(&mut self, from: Peer, bytes: &[u8]) -> anyhow::Result<()> {
        let mut left = bytes;
        let mut is_idle = false;
        loop {
            let end = match from {
                Peer::Client => Some(&mut self.client),
                Peer::Upstream => self.upstream(),
            };
            let count = end.map_or(0, |end| end.send(left));
            left = &left[count..];
            if left.is_empty() || is_idle && count == 0 {
                return Ok(());
            }
            // Bytes that leave at the other end make room for more.
            is_idle = !self.settle()?;
        }
    }

    /// Waits until the worker has done what follows from what has come to it, and takes what has come to both ends; returns
    /// true if there was anything.
    fn settle(&mut self) -> anyhow::Result<bool> {
        let mut has_changed = false;
        loop {
            self.fence.pass()?;
            let mut is_new = false;
            if self.upstream.is_none() {
                self.upstream = self.server.accept()?;
                is_new |= self.upstream.is_some();
            }
            is_new |= self.client.take();
            is_new |= self.upstream.as_mut().is_some_and(End::take);
            if !is_new {
                return Ok(has_changed);
            }
            has_changed = true;
        }
    }

    /// Returns the upstream's end of the connection, once there is one.
    fn upstream(&mut self) -> Option<&mut End> {
        if self.upstream.is_none() {
            let server = self.server;
            self.upstream = wait_for(PATIENCE, || server.accept().ok().flatten());
        }
        self.upstream.as_mut()
    }
}

impl End {
    fn new(socket: TcpStream) -> anyhow::Result<Self> {
        // Bytes go out as they are written.
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: Some(socket),
            received: Vec::new(),
            has_ended: false,
        })
    }

    /// Sends as many of the bytes as there is room for, and returns their number. Those for a peer that has gone are lost.
    fn send(&mut self, bytes: &[u8]) -> usize {
        let written = self.socket.as_mut().map(|socket| socket.write(bytes));
        match written {
            Some(Ok(count)) => count,
            Some(Err(error)) if error.kind() == ErrorKind::WouldBlock => 0,
            Some(Err(_)) | None => bytes.len(),
        }
    }

    fn end(&mut self) {
        if let Some(socket) = &self.socket {
            let _ = socket.shutdown(Shutdown::Write);
        }
    }

    fn close(&mut self) {
        self.socket = None;
    }

    /// Takes what has come; returns true if there was anything.
    fn take(&mut self) -> bool {
        let before = (self.received.len(), self.has_ended);
        let mut buffer = vec![0; 1 << 16];
        while let Some(socket) = &mut self.socket
            && !self.has_ended
        {
            match socket.read(&mut buffer) {
                Ok(0) => self.has_ended = true,
                Ok(count) => self.received.extend(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.has_ended = true,
            }
        }
        before != (self.received.len(), self.has_ended)
    }
}
