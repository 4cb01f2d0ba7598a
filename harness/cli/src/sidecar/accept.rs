//! Connections from clients: accepted until the stop, then closed when their requests are done.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::config::{Direction, SidecarConfig};
use super::current::Current;
use super::exchange::{Peers, Service, serve};
use super::pool::Pool;

/// The listening side of a sidecar.
pub(super) struct Front {
    service: Arc<Service>,
    local: SocketAddr,
    drain: Duration,
}

impl Front {
    pub(super) fn new(config: SidecarConfig, local: SocketAddr, vm: Current) -> Self {
        let direction = match config.direction {
            Direction::None => 0,
            Direction::Inbound => 1,
            Direction::Outbound => 2,
        };
        let service = Service {
            routes: config.routes,
            upstream_protocol: config.upstream_protocol,
            http1_trailers: config.http1_trailers,
            direction,
            timeout: config.timeout,
            vm,
            pool: Pool::default(),
            tape: config.tape,
        };
        Self {
            service: Arc::new(service),
            local,
            drain: config.drain,
        }
    }

    /// Serves until the stop; then waits for open requests, but not for ever.
    pub(super) async fn run(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let front = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, client)) => {
                        connections.spawn(Arc::clone(&front).connection(stream, client, stop.clone()));
                    }
                    // An error such as too many open files passes, and retrying at once would not help.
                    Err(error) => {
                        log::warn!("no connection taken: {error}");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                () = stopped(&mut stop) => break,
            }
        }
        drop(listener);
        let done = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(front.drain, done).await.is_err() {
            log::warn!("requests that did not end in time are cut off");
        }
        connections.shutdown().await;
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        client: SocketAddr,
        mut stop: watch::Receiver<bool>,
    ) {
        // Messages are written whole, so waiting for more only adds latency. Not every system can set this option.
        let _ = stream.set_nodelay(true);
        let peers = Peers {
            client,
            local: self.local,
        };
        let service = service_fn(|request| serve(Arc::clone(&self.service), peers, request));
        let server = auto::Builder::new(TokioExecutor::new());
        let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            log::debug!("the connection with {client} broke: {error}");
        }
    }
}

/// Waits for the stop, or for the end of the sidecar itself.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|is_stopped| *is_stopped).await);
}
