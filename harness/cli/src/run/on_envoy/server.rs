//! A server behind Envoy: the upstream, which follows the present request's script, or a cluster that filters call.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use hyper::body::Bytes;
use hyper::http;
use sidespan_host::Headers;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::http2;
use crate::run::answers::Answers;
use crate::run::convert::add;
use crate::run::passed::{Call, Message};
use crate::run::pattern::Known;
use crate::run::scenario::{Ending, Fault, Step};

/// A running server.
pub(super) struct Server {
    name: String,
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// The reaction to one request.
#[derive(Clone, Debug)]
pub(super) struct Script {
    after: Duration,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    Respond {
        headers: Headers,
        chunks: Vec<(Duration, Vec<u8>)>,
        trailers: Headers,
        /// True if the stream is reset in place of its end.
        breaks_off: bool,
        /// True if the response does not wait for the end of the request, as in a gRPC stream.
        is_early: bool,
    },
    Reset,
    Silence,
}

struct Shared {
    name: String,
    source: Mutex<Source>,
    arrived: Mutex<Vec<Arrival>>,
    count: watch::Sender<usize>,
}

/// A request, as far as it has come.
struct Arrival {
    /// Its place among those of all servers.
    order: u64,
    message: Message,
    is_complete: bool,
}

enum Source {
    Script(Script),
    Answers(Answers),
}

impl Server {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn start(name: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            name: name.into(),
            source: Mutex::new(Source::Script(Script {
                after: Duration::ZERO,
                act: Act::Silence,
            })),
            arrived: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&accepting)));
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

    /// Answers all requests from now on in this way.
    pub(super) fn follow(&self, script: Script) {
        *lock(&self.shared.source) = Source::Script(script);
    }

    /// Answers each request with the next answer of the cluster.
    pub(super) fn answer_with(&self, answers: Answers) {
        *lock(&self.shared.source) = Source::Answers(answers);
    }

    /// Returns a counter of the requests that have arrived.
    pub(super) fn arrivals(&self) -> watch::Receiver<usize> {
        self.shared.count.subscribe()
    }

    /// Takes the newest request, if it has come to its end, and forgets all.
    pub(super) fn take_last(&self) -> Option<Message> {
        let arrived = std::mem::take(&mut *lock(&self.shared.arrived));
        let last = arrived.into_iter().next_back();
        last.filter(|arrival| arrival.is_complete)
            .map(|arrival| arrival.message)
    }

    /// Returns the calls that have arrived, each with its place among those of all servers.
    pub(super) fn calls(&self) -> Vec<(u64, Call)> {
        let arrived = lock(&self.shared.arrived);
        let calls = arrived.iter().map(|arrival| {
            let mut message = arrival.message.clone();
            message
                .headers
                .retain(|(name, _)| !OF_ENVOY.contains(&name.as_str()));
            let call = Call {
                cluster: self.name.clone(),
                message,
            };
            (arrival.order, call)
        });
        calls.collect()
    }

    /// Returns true if the server leaves a call without an answer.
    pub(super) fn is_silent(&self) -> bool {
        matches!(&*lock(&self.shared.source), Source::Answers(answers) if answers.has_silence(&self.name))
    }
}

impl Script {
    /// Returns the upstream's reaction to one request of a scenario.
    ///
    /// # Errors
    /// When a header uses a name that stands for nothing.
    pub(super) fn new(step: &Step, known: &Known) -> anyhow::Result<Self> {
        let response = &step.response;
        let mut headers = Headers::from([(":status", response.status.to_string())]);
        add(&mut headers, &response.headers, known)?;
        let mut trailers = Headers::new();
        add(&mut trailers, &response.trailers, known)?;
        let act = match step.ending {
            Ending::UpstreamReset => Act::Reset,
            Ending::UpstreamTimeout | Ending::ClientAbort | Ending::ConnectFailure => Act::Silence,
            Ending::Complete | Ending::ResponseReset => Act::Respond {
                headers,
                chunks: response
                    .chunks()
                    .into_iter()
                    .map(|chunk| (chunk.after, chunk.bytes.clone()))
                    .collect(),
                trailers,
                breaks_off: step.ending == Ending::ResponseReset,
                is_early: false,
            },
        };
        Ok(Self {
            after: response.after.0,
            act,
        })
    }
}

impl Shared {
    /// Returns the reaction to the next request.
    fn next(&self) -> Script {
        let silence = Script {
            after: Duration::ZERO,
            act: Act::Silence,
        };
        match &mut *lock(&self.source) {
            Source::Script(script) => script.clone(),
            Source::Answers(answers) => match answers.next(&self.name) {
                Ok(Some(reply)) => Script {
                    after: reply.after,
                    act: match reply.outcome {
                        Ok(parts) => Act::Respond {
                            is_early: parts.grpc.is_some(),
                            chunks: parts.chunks(),
                            headers: parts.headers,
                            trailers: parts.trailers,
                            breaks_off: false,
                        },
                        Err(Fault::Reset) => Act::Reset,
                        Err(Fault::Unreachable | Fault::Silence) => Act::Silence,
                    },
                },
                // Headers of a scenario's calls are filled in when it is read.
                Ok(None) | Err(_) => silence,
            },
        }
    }
}

async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    let _ = socket.set_nodelay(true);
    let Ok(mut connection) = h2::server::handshake(socket).await else {
        return;
    };
    // An error is Envoy's end of the connection.
    while let Some(Ok((request, response))) = connection.accept().await {
        tokio::spawn(answer(request, response, Arc::clone(&shared)));
    }
}

async fn answer(
    request: http::Request<RecvStream>,
    mut response: SendResponse<Bytes>,
    shared: Arc<Shared>,
) {
    let (parts, mut body) = request.into_parts();
    let order = ORDER.fetch_add(1, Ordering::Relaxed);
    let headers = http2::of_request(&parts);
    let message = Message {
        headers,
        ..Message::default()
    };
    lock(&shared.arrived).push(Arrival {
        order,
        message,
        is_complete: false,
    });
    shared.count.send_modify(|count| *count += 1);
    let script = shared.next();
    let is_early = matches!(script.act, Act::Respond { is_early: true, .. });
    let receiving = Arc::clone(&shared);
    let receive = async move { receive(&mut body, &receiving, order).await };
    if is_early {
        tokio::spawn(receive);
    } else if receive.await.is_err() {
        return;
    }
    sleep(script.after).await;
    match script.act {
        Act::Reset => response.send_reset(Reason::INTERNAL_ERROR),
        Act::Silence => std::future::pending().await,
        act @ Act::Respond { .. } => {
            // A stream that Envoy has reset meanwhile needs no answer.
            let _ = respond(act, &mut response).await;
        }
    }
}

async fn receive(body: &mut RecvStream, shared: &Shared, order: u64) -> Result<(), h2::Error> {
    let with = |change: &dyn Fn(&mut Arrival)| {
        let mut arrived = lock(&shared.arrived);
        let found = arrived.iter_mut().find(|arrival| arrival.order == order);
        if let Some(arrival) = found {
            change(arrival);
        }
    };
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        with(&|arrival| arrival.message.body.extend_from_slice(&data));
    }
    if let Some(trailers) = body.trailers().await? {
        with(&|arrival| arrival.message.trailers = http2::fields(&trailers));
    }
    with(&|arrival| arrival.is_complete = true);
    Ok(())
}

async fn respond(act: Act, response: &mut SendResponse<Bytes>) -> anyhow::Result<()> {
    let Act::Respond {
        headers,
        chunks,
        trailers,
        breaks_off,
        ..
    } = act
    else {
        return Ok(());
    };
    let has_trailers = !trailers.is_empty();
    let is_end = chunks.is_empty() && !has_trailers && !breaks_off;
    let mut stream = response.send_response(http2::response(&headers)?, is_end)?;
    let count = chunks.len();
    for (at, (after, bytes)) in chunks.into_iter().enumerate() {
        sleep(after).await;
        let is_end = at + 1 == count && !has_trailers && !breaks_off;
        stream.send_data(Bytes::from(bytes), is_end)?;
    }
    if breaks_off {
        // The frames before have to leave first.
        sleep(Duration::from_millis(30)).await;
        stream.send_reset(Reason::INTERNAL_ERROR);
    } else if has_trailers {
        stream.send_trailers(http2::map(&trailers)?)?;
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts the requests to all servers, for their order.
static ORDER: AtomicU64 = AtomicU64::new(0);

/// Headers that Envoy adds to a filter's call behind the filter.
const OF_ENVOY: [&str; 5] = [
    "x-envoy-internal",
    "x-envoy-expected-rq-timeout-ms",
    "x-forwarded-for",
    "x-forwarded-proto",
    ":scheme",
];
