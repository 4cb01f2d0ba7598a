//! A client of Envoy's admin interface: one request, one answer, one connection.
//!
//! The client speaks HTTP/1.1 with `connection: close`, because Envoy answers HTTP/1.0 with 426 and its longer answers come
//! in chunks.
//!
//! The client is written here, because an HTTP client crate is a larger dependency than one blocking request to this
//! machine is code.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The answer of the admin interface.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Sends one request without a body and reads the whole answer.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(text: &str) -> io::Result<Answer> {
    let bad = |what: &str| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("admin interface: {what}"),
        )
    };
    let (head, rest) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| bad("no end of headers"))?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| bad("no status"))?;
    let chunked = head
        .to_ascii_lowercase()
        .contains("\r\ntransfer-encoding: chunked");
    let body = if chunked {
        join(rest).ok_or_else(|| bad("broken chunks"))?
    } else {
        rest.to_owned()
    };
    Ok(Answer { status, body })
}

fn join(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.push_str(after.get(..size)?);
        rest = after.get(size..)?.strip_prefix("\r\n")?;
    }
}

/// The limit of each connect, read and write, because the admin interface runs on Envoy's main thread, which a start or a
/// large configuration keeps busy for a while.
const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::{Answer, parse};

    #[test]
    fn reads_a_plain_answer() {
        let answer =
            parse("HTTP/1.1 503 Service Unavailable\r\nx: y\r\n\r\nPRE_INITIALIZING\n").unwrap();
        assert_eq!(
            answer,
            Answer {
                status: 503,
                body: "PRE_INITIALIZING\n".into()
            }
        );
    }

    #[test]
    fn joins_chunks() {
        let answer = parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na: 1\r\n1\r\n\n\r\n0\r\n\r\n").unwrap();
        assert_eq!(answer.body, "a: 1\n");
    }

    #[test]
    fn refuses_an_answer_that_was_cut() {
        for cut in [
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\na",
        ] {
            assert!(parse(cut).is_err(), "{cut:?}");
        }
    }
}
