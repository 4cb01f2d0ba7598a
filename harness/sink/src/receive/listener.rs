//! A listening address that speaks HTTP/1 and HTTP/2, in the clear or within TLS.
//!
//! Invariant: when `close` returns, no connection of that listener is open.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::service::Service;
use super::tls::Tls;

/// The most connections of one address, because each takes some memory before it has sent anything.
const MAX_CONNECTIONS: usize = 8_192;
/// The time in which a connection must begin to speak, and finish its handshake.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time in which the head of the next request must come: longer than the 60 s after which SDKs export metrics by
/// default, so that their connection is open then.
const IDLE: Duration = Duration::from_secs(300);
/// The time in which a client must answer a ping of HTTP/2.
const PONG: Duration = Duration::from_secs(20);
/// The most requests at once on one connection of HTTP/2.
const MAX_STREAMS: u32 = 128;
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// One listening address; dropping the listener closes it soon, `close` at once.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Binds the address and serves it on the current runtime.
    pub(crate) async fn open(
        address: SocketAddr,
        service: Service,
        tls: Option<&Tls>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let tls = tls.map(Tls::acceptor);
        let task = tokio::spawn(accept(listener, service, tls, stopped));
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    /// Returns the address with its real port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and breaks every connection.
    pub(crate) async fn close(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            log::error!("the listener on {} ended badly: {error}", self.address);
        }
    }
}

async fn accept(
    listener: TcpListener,
    service: Service,
    tls: Option<TlsAcceptor>,
    mut stopped: oneshot::Receiver<()>,
) {
    let service = Arc::new(service);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok(_) if connections.len() >= MAX_CONNECTIONS => {
                    service.ingest().counters().refused_connection();
                }
                Ok((stream, _)) => {
                    service.ingest().counters().connection();
                    connections.spawn(connection(stream, Arc::clone(&service), tls.clone()));
                }
                Err(error) => {
                    log::warn!("cannot accept a connection: {error}");
                    // Most likely there are no file descriptors left: without a pause this loop would take a whole core.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(mut stream: TcpStream, service: Arc<Service>, tls: Option<TlsAcceptor>) {
    // Answers are written whole, so waiting for more only delays them. Not every system can set this option.
    let _ = stream.set_nodelay(true);
    let mut first = [0; 1];
    let Ok(Ok(1)) = timeout(PATIENCE, stream.peek(&mut first)).await else {
        return;
    };
    let speaks_tls = first == [HANDSHAKE];
    match tls {
        None if !speaks_tls => serve(stream, service).await,
        None => failed(
            &service,
            "it speaks TLS to a port without: give it an address with http://",
        ),
        Some(_) if !speaks_tls => {
            failed(
                &service,
                "it speaks no TLS to a port with TLS: give it an address with https://",
            );
            // Whoever does not listen to the answer has the log.
            let _ = stream.write_all(NO_TLS).await;
        }
        Some(acceptor) => match timeout(PATIENCE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => serve(stream, service).await,
            Ok(Err(error)) => failed(&service, &error.to_string()),
            Err(_) => failed(&service, "it did not finish in time"),
        },
    }
}

/// Counts a client without a handshake, and logs the cause the first time, the second, the fourth, and so on.
fn failed(service: &Service, cause: &str) {
    let count = service.ingest().counters().failed_handshake();
    if count.is_power_of_two() {
        log::warn!("no TLS handshake with {count} clients, the last because {cause}");
    }
}

const NO_TLS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\
content-length: 31\r\n\r\n400 this port takes https alone";

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: Arc<Service>,
) {
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { service.answer(request).await }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PATIENCE)
        .keep_alive_timeout(PONG)
        .max_concurrent_streams(MAX_STREAMS);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), answer).await {
        log::debug!("a connection ended: {error}");
    }
}
