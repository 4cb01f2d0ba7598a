//! The server, which stores every request as received and answers as a closure says.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::message::{self, Headers, Message, Side};

/// A request as received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path, with the query.
    pub path: String,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// The server's reaction to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A response with this status, these header lines and this body.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// A closed connection instead of a response.
    HangUp,
    /// A connection that is closed in the middle of a response with status 200.
    Cut,
    /// The beginning of a response with status 200, and then nothing until the peer goes away.
    Stall,
    /// No byte until the peer goes away.
    Silence,
    /// These bytes, whatever they are, and then a closed connection.
    Bytes(Vec<u8>),
    /// These bytes, and then an echo of all that the peer sends, until it goes away.
    Echo(Vec<u8>),
}

impl Reply {
    /// Makes a response of a status and nothing else.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }
}

/// A running server, which ends when this value is dropped; connections end with their peers.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts a server that answers every request with 200.
    pub fn ok() -> Self {
        Self::start(|_| Reply::status(200))
    }

    /// Starts a server that answers as `reply` says.
    pub fn start(reply: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            reply: Box::new(reply),
            kept: Mutex::default(),
            changed: Condvar::new(),
            count: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        });
        let server = Self {
            address,
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || shared.accept(&listener));
        server
    }

    /// Returns the address at which the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counts the requests received.
    pub fn count(&self) -> u64 {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// Returns the newest requests to this path, the oldest of them first.
    pub fn to(&self, path: &str) -> Vec<Received> {
        let kept = self
            .shared
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.iter()
            .filter(|request| request.path == path)
            .cloned()
            .collect()
    }

    /// Returns the only request to this path.
    ///
    /// # Panics
    /// When there was none, or more than one.
    pub fn only(&self, path: &str) -> Received {
        let mut requests = self.to(path);
        assert_eq!(requests.len(), 1, "requests to {path}");
        requests.remove(0)
    }

    /// Returns the newest request.
    ///
    /// # Panics
    /// When there was none.
    pub fn last(&self) -> Received {
        let kept = self
            .shared
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.back().expect("a request").clone()
    }

    /// Waits for a request to this path.
    ///
    /// # Panics
    /// When none comes.
    pub fn wait(&self, path: &str) -> Received {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut kept = self
            .shared
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(request) = kept.iter().find(|request| request.path == path) {
                return request.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no request to {path}");
            let woken = self.shared.changed.wait_timeout(kept, left);
            kept = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // The accepting thread looks at the flag at each connection; a failure means that the thread has ended.
        drop(TcpStream::connect(self.address));
    }
}

struct Shared {
    reply: Box<dyn Fn(&Received) -> Reply + Send + Sync>,
    kept: Mutex<VecDeque<Received>>,
    changed: Condvar,
    count: AtomicU64,
    stopped: AtomicBool,
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
            let shared = Arc::clone(&self);
            // An error of a connection is no failure of a test, because a proxy resets connections at any time.
            thread::spawn(move || stream.and_then(|stream| shared.serve(stream)));
        }
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        while let Some(message) = message::read(&mut stream, Side::Request)? {
            let reply = self.record(message);
            let peer = stream.get_mut();
            match reply {
                Reply::Answer(status, headers, body) => {
                    let mut answer = format!(
                        "HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n",
                        body.len()
                    );
                    for (name, value) in &headers {
                        answer.push_str(&format!("{name}: {value}\r\n"));
                    }
                    peer.write_all(&[answer.as_bytes(), b"\r\n", &body].concat())?;
                }
                Reply::HangUp => return Ok(()),
                Reply::Cut => {
                    return peer
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this");
                }
                Reply::Stall => {
                    peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")?;
                    peer.read_to_end(&mut Vec::new())?;
                    return Ok(());
                }
                Reply::Silence => {
                    peer.read_to_end(&mut Vec::new())?;
                    return Ok(());
                }
                Reply::Bytes(bytes) => return peer.write_all(&bytes),
                Reply::Echo(bytes) => {
                    peer.write_all(&bytes)?;
                    let mut back = peer.try_clone()?;
                    io::copy(&mut stream, &mut back)?;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn record(&self, message: Message) -> Reply {
        let mut words = message.first.split(' ').map(str::to_owned);
        let (method, path) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let request = Received {
            method,
            path,
            headers: message.headers,
            body: message.body,
        };
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(request.clone());
        drop(kept);
        self.changed.notify_all();
        (self.reply)(&request)
    }
}

/// The number of requests that are stored: more than any test asks for, and little beside what a load test sends.
const KEPT: usize = 4096;
