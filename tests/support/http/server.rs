//! The server: it keeps every request as it came and answers as it is told.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::message::{self, Headers, Message, Side};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its method.
    pub method: String,
    /// Its path, with the query.
    pub path: String,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with this status, these header lines and this body.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// Closes the connection instead of an answer.
    HangUp,
    /// Closes the connection in the middle of an answer with status 200.
    Cut,
    /// Begins an answer with status 200 and says no more until the peer goes away.
    Stall,
    /// Says nothing until the peer goes away.
    Silence,
    /// Answers with these bytes, whatever they are, and closes the connection.
    Bytes(Vec<u8>),
    /// The same, and instead of closing sends back whatever comes until the peer goes away.
    Echo(Vec<u8>),
}

impl Reply {
    /// An answer that is a status and nothing else.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }
}

/// A running server. It ends with this value; connections end with their peers.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Answers everything with 200.
    pub fn ok() -> Self {
        Self::start(|_| Reply::status(200))
    }

    /// Answers as `reply` says.
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

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests came.
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
    /// When there was none, or another.
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
        // The accepting thread looks at the flag when somebody connects; a failure means that it has gone.
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
            // How a connection ends is the peer's affair: a proxy resets connections as it likes.
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

/// Requests kept: more than any test asks for, and little beside what a load test sends.
const KEPT: usize = 4096;
