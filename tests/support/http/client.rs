//! The client, which sends a request as exactly these bytes.

use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::message::{self, Headers, Side};

/// A request, line by line.
#[derive(Clone, Debug)]
pub struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    /// Makes a `GET` without any header but `host`.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// Makes a `POST` with this body.
    pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::with_body("POST", path, body)
    }

    /// Makes a request of any method with this body.
    pub fn with_body(method: &str, path: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        Self {
            body,
            ..Self::new(method, path)
        }
        .header("content-length", length)
    }

    /// Makes a request of any method.
    pub fn new(method: &str, path: &str) -> Self {
        Self::to(method, "sidespan.test", path)
    }

    /// Makes a request of any method to a host by its name.
    pub fn to(method: &str, host: &str, path: &str) -> Self {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n").into_bytes();
        Self {
            head,
            body: Vec::new(),
        }
    }

    /// Adds `name: value`, byte for byte.
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.line([name.as_bytes(), b": ", value.as_ref()].concat())
    }

    /// Adds a header line as it is.
    pub fn line(mut self, line: impl AsRef<[u8]>) -> Self {
        self.head.extend_from_slice(line.as_ref());
        self.head.extend_from_slice(b"\r\n");
        self
    }

    /// Adds several headers.
    pub fn headers<'a>(self, headers: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Self {
        headers
            .into_iter()
            .fold(self, |request, (name, value)| request.header(name, value))
    }

    /// Returns the bytes of the request.
    pub fn bytes(&self) -> Vec<u8> {
        [self.head.as_slice(), b"\r\n", &self.body].concat()
    }
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The response's headers.
    pub headers: Headers,
    /// The response's body.
    pub body: Vec<u8>,
}

/// A connection that carries one request after the other.
#[derive(Debug)]
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// When nothing listens at the address.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request and reads the response.
    ///
    /// # Errors
    /// When the connection ends before the response does.
    pub fn exchange(&mut self, request: &Request) -> io::Result<Response> {
        self.exchange_bytes(&request.bytes())
    }

    /// Sends a request whose bytes were made before, as a load generator does.
    ///
    /// # Errors
    /// As [`Connection::exchange`].
    pub fn exchange_bytes(&mut self, request: &[u8]) -> io::Result<Response> {
        self.0.get_mut().write_all(request)?;
        let message =
            message::read(&mut self.0, Side::Response)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = message
            .first
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        Ok(Response {
            status,
            headers: message.headers,
            body: message.body,
        })
    }

    /// Sends a request and closes the connection once `until` returns, without waiting for the response.
    ///
    /// # Errors
    /// When the request cannot be sent.
    pub fn abandon(mut self, request: &Request, until: impl FnOnce()) -> io::Result<()> {
        self.0.get_mut().write_all(&request.bytes())?;
        until();
        self.0.get_ref().shutdown(Shutdown::Both)
    }
}

/// Sends a request on a connection of its own and returns the response.
///
/// # Panics
/// When there is no response.
pub fn send(address: SocketAddr, request: &Request) -> Response {
    let answer = Connection::open(address).and_then(|mut connection| connection.exchange(request));
    answer.unwrap_or_else(|error| panic!("{error}\n{}", request.head.escape_ascii()))
}

/// The time limit of a read: longer than any response of these tests, so that none waits for ever.
const PATIENCE: Duration = Duration::from_secs(30);
