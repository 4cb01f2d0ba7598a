//! A sign that a worker has come to the end of what it was given: it takes what arrives in its order, so that its answer to a
//! request shows that everything before has been read, went through the filters, and was written.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, ensure};

use super::names::PATIENCE;

/// A connection to a listener of the same worker that answers by itself.
pub(super) struct Fence(TcpStream);

impl Fence {
    /// Connects to the listener.
    ///
    /// # Errors
    /// When nothing listens.
    pub(super) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(socket))
    }

    /// Waits until the worker has done everything that follows from what has arrived so far.
    ///
    /// # Errors
    /// When the worker does not answer.
    pub(super) fn pass(&mut self) -> anyhow::Result<()> {
        (0..ROUNDS).try_for_each(|_| self.round())
    }

    fn round(&mut self) -> anyhow::Result<()> {
        self.0.write_all(b"GET / HTTP/1.1\r\nhost: fence\r\n\r\n")?;
        let mut answer = Vec::new();
        let mut buffer = [0; 1024];
        // The answer has no body.
        while !answer.ends_with(b"\r\n\r\n") {
            let count = match self.0.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.context("Envoy's worker does not answer")?,
            };
            ensure!(count > 0, "Envoy's worker has closed its connection");
            answer.extend_from_slice(&buffer[..count]);
        }
        Ok(())
    }
}

/// Turns of the worker's loop that one step may take: a connection is accepted, its upstream is connected, bytes that have
/// waited for that leave, and one is closed.
const ROUNDS: usize = 4;
