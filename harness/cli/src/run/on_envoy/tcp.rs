//! TCP through Envoy: a client and an upstream that send and receive bytes as a scenario says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sidespan_envoy::wait_for;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::sleep;

use super::names::PATIENCE;
use crate::run::passed::Tcp;
use crate::run::scenario::{Connection, Peer};

/// An upstream that takes connections one after another.
pub(super) struct TcpServer {
    address: SocketAddr,
    accepted: Arc<Mutex<Option<End>>>,
}

/// One end of a connection: the half that sends, and what was received.
struct End {
    sender: Option<OwnedWriteHalf>,
    received: Arc<Mutex<Received>>,
    /// The task that receives, which has the other half.
    receiver: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Received {
    bytes: Vec<u8>,
    has_ended: bool,
}

impl TcpServer {
    /// Starts the upstream on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let accepted = Arc::new(Mutex::new(None));
        let keep = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                *lock(&keep) = Some(End::new(socket));
            }
        });
        Ok(Self { address, accepted })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a connection through Envoy and takes it through its steps.
    ///
    /// # Errors
    /// When Envoy does not listen.
    pub(super) fn connect(
        &self,
        runtime: &Runtime,
        envoy: SocketAddr,
        connection: &Connection,
    ) -> anyhow::Result<Tcp> {
        *lock(&self.accepted) = None;
        let mut client =
            runtime.block_on(async { TcpStream::connect(envoy).await.map(End::new) })?;
        std::thread::sleep(SETTLING);
        for step in &connection.steps {
            if let Some(body) = &step.client {
                runtime.block_on(async {
                    sleep(body.after).await;
                    client.send(&body.bytes).await;
                });
            }
            if let Some(body) = &step.upstream {
                std::thread::sleep(body.after);
                if let Some(mut upstream) = self.accepted() {
                    runtime.block_on(upstream.send(&body.bytes));
                    *lock(&self.accepted) = Some(upstream);
                }
            }
            match (step.ends, step.closes) {
                (Some(Peer::Client), _) => runtime.block_on(client.end()),
                (Some(Peer::Upstream), _) => {
                    if let Some(mut upstream) = self.accepted() {
                        runtime.block_on(upstream.end());
                        *lock(&self.accepted) = Some(upstream);
                    }
                }
                (_, Some(Peer::Client)) => client.close(),
                (_, Some(Peer::Upstream)) => {
                    if let Some(mut upstream) = self.accepted() {
                        upstream.close();
                        *lock(&self.accepted) = Some(upstream);
                    }
                }
                (None, None) => {}
            }
            std::thread::sleep(SETTLING);
        }
        let mut tcp = Tcp::default();
        {
            let received = lock(&client.received);
            tcp.downstream.clone_from(&received.bytes);
            tcp.downstream_ends = received.has_ended;
        }
        if let Some(upstream) = lock(&self.accepted).as_ref() {
            let received = lock(&upstream.received);
            tcp.upstream = Some(received.bytes.clone());
            tcp.upstream_ends = received.has_ended;
        }
        // A client that has done everything goes away, and so does its upstream then.
        client.close();
        std::thread::sleep(SETTLING);
        *lock(&self.accepted) = None;
        Ok(tcp)
    }

    /// Takes the upstream's end of the connection, once there is one.
    fn accepted(&self) -> Option<End> {
        wait_for(PATIENCE, || lock(&self.accepted).take())
    }
}

impl End {
    fn new(socket: TcpStream) -> Self {
        // Bytes go out as they are written.
        let _ = socket.set_nodelay(true);
        let (reader, sender) = socket.into_split();
        let received = Arc::new(Mutex::new(Received::default()));
        Self {
            sender: Some(sender),
            receiver: tokio::spawn(receive(reader, Arc::clone(&received))),
            received,
        }
    }

    /// Sends bytes, as far as the peer takes them.
    async fn send(&mut self, bytes: &[u8]) {
        if let Some(sender) = &mut self.sender {
            let _ = sender.write_all(bytes).await;
        }
    }

    async fn end(&mut self) {
        if let Some(sender) = &mut self.sender {
            let _ = sender.shutdown().await;
        }
    }

    fn close(&mut self) {
        self.receiver.abort();
        self.sender = None;
    }
}

async fn receive(mut reader: OwnedReadHalf, received: Arc<Mutex<Received>>) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => lock(&received).bytes.extend(&buffer[..count]),
        }
    }
    lock(&received).has_ended = true;
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time that a step gets to have its effect, which shows in no single place: it may be that nothing comes.
const SETTLING: Duration = Duration::from_millis(50);
