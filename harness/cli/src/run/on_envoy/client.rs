//! The client in front of Envoy: one connection for each request, which is sent in exactly the given pieces.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::sent::{Received, Sent};
use crate::run::scenario::Protocol;

mod http1;
mod http2;

/// Sends a request at its time and receives its response, as far as it comes.
///
/// # Errors
/// When the request cannot be sent by this protocol, or there is no connection.
pub(super) async fn exchange(
    address: SocketAddr,
    protocol: Protocol,
    sent: Sent<'_>,
    arrivals: watch::Receiver<Vec<usize>>,
) -> anyhow::Result<Received> {
    sleep(sent.wait).await;
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let client = socket.local_addr()?;
    let mut received = match protocol {
        Protocol::Http1 => http1::exchange(socket, sent, arrivals).await,
        Protocol::Http2 => http2::exchange(socket, sent, arrivals).await,
    }?;
    received.client = Some(client);
    Ok(received)
}
