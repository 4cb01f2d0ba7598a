//! A server behind Envoy: the upstream, which follows the present request's script, or a cluster that filters call.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::run::answers::Answers;
use crate::run::passed::{Call, Message};
use crate::run::scenario::Protocol;

mod http1;
mod http2;
mod script;
mod shared;

pub(super) use script::Script;
use script::Source;
use shared::{Shared, lock};

/// A running server.
pub(super) struct Server {
    name: String,
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn start(name: &str, protocol: Protocol) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            name: name.into(),
            source: Mutex::new(Source::Scripts(Vec::new())),
            arrived: Mutex::default(),
            counts: watch::Sender::new(Vec::new()),
        });
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                let shared = Arc::clone(&accepting);
                match protocol {
                    Protocol::Http1 => tokio::spawn(http1::serve(socket, shared)),
                    Protocol::Http2 => tokio::spawn(http2::serve(socket, shared)),
                };
            }
        });
        Ok(Self {
            name: name.into(),
            address,
            shared,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests from now on in these ways, each the one for its path. A filter may have written another path: then
    /// the first way that has had no request yet is taken, or the last.
    pub(super) fn follow(&self, scripts: Vec<(Vec<u8>, Script)>) {
        self.shared.counts.send_replace(vec![0; scripts.len()]);
        *lock(&self.shared.source) = Source::Scripts(scripts);
    }

    /// Answers each request with the next answer of the cluster.
    pub(super) fn answer_with(&self, answers: Answers) {
        *lock(&self.shared.source) = Source::Answers(answers);
    }

    /// Returns counters of the requests that have arrived for each script.
    pub(super) fn arrivals(&self) -> watch::Receiver<Vec<usize>> {
        self.shared.counts.subscribe()
    }

    /// Takes for each script the first request that has come to its end, and the number of all requests if there is one;
    /// forgets all.
    pub(super) fn take(&self) -> Vec<(Option<Message>, usize)> {
        let counts = self.shared.counts.borrow().clone();
        let mut taken: Vec<_> = counts.into_iter().map(|count| (None, count)).collect();
        for arrival in std::mem::take(&mut *lock(&self.shared.arrived)) {
            if let Some((message, _)) = taken.get_mut(arrival.script)
                && arrival.is_complete
            {
                message.get_or_insert(arrival.message);
            }
        }
        for (message, count) in &mut taken {
            *count = if message.is_some() { *count } else { 0 };
        }
        taken
    }

    /// Returns the calls that have arrived, each with its place among those of all servers.
    pub(super) fn calls(&self) -> Vec<(u64, Call)> {
        let arrived = lock(&self.shared.arrived);
        let calls = arrived.iter().map(|arrival| {
            let call = Call::new(&self.name, arrival.message.clone());
            (arrival.order, call)
        });
        calls.collect()
    }

    /// Returns true if the server leaves a call without an answer.
    pub(super) fn is_silent(&self) -> bool {
        matches!(&*lock(&self.shared.source), Source::Answers(answers) if answers.has_silence(&self.name))
    }
}
