//! The reader of a message: its first line, its header lines as received, its body.

use std::fmt;
use std::io::{self, BufRead};

/// Header lines in the order received, values verbatim but for the optional white space around them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// Returns every line, in order.
    pub fn lines(&self) -> &[(String, Vec<u8>)] {
        &self.0
    }

    /// Returns the values of all lines of this name, in order. Names are compared without regard to case.
    pub fn all(&self, name: &str) -> Vec<&[u8]> {
        let lines = self
            .0
            .iter()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| value.as_slice()).collect()
    }

    /// Returns the value of the only line of this name as text; `None` when there is none.
    ///
    /// # Panics
    /// When there are several.
    pub fn one(&self, name: &str) -> Option<String> {
        match self.all(name).as_slice() {
            [] => None,
            [value] => Some(String::from_utf8_lossy(value).into_owned()),
            several => panic!("{} lines of `{name}`:\n{self}", several.len()),
        }
    }

    /// Returns the lines whose names are in `names`, in order.
    pub fn only(&self, names: &[&str]) -> Headers {
        let mut lines = self.0.clone();
        lines.retain(|(own, _)| names.iter().any(|name| own.eq_ignore_ascii_case(name)));
        Headers(lines)
    }

    /// Returns the lines whose names are not in `names`, in order.
    pub fn without(&self, names: &[&str]) -> Headers {
        let mut lines = self.0.clone();
        lines.retain(|(own, _)| !names.iter().any(|name| own.eq_ignore_ascii_case(name)));
        Headers(lines)
    }

    /// Returns true if there is a line of this name.
    pub fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.one(name)?.parse().ok()
    }
}

impl fmt::Display for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            writeln!(f, "{name}: {}", value.escape_ascii())?;
        }
        Ok(())
    }
}

/// A message as received.
pub(super) struct Message {
    pub(super) first: String,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

/// The sender of a message. The end of the connection may end the body of a response, but not that of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// Reads one message; `None` when the peer has closed the connection before a first byte.
pub(super) fn read(stream: &mut impl BufRead, side: Side) -> io::Result<Option<Message>> {
    let Some(first) = line(stream)? else {
        return Ok(None);
    };
    let mut lines = Vec::new();
    loop {
        let line = line(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if line.is_empty() {
            break;
        }
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .ok_or(io::ErrorKind::InvalidData)?;
        let name = String::from_utf8_lossy(&line[..colon]).into_owned();
        lines.push((name, line[colon + 1..].trim_ascii().to_vec()));
    }
    let headers = Headers(lines);
    let body = body(stream, &headers, side)?;
    Ok(Some(Message {
        first: String::from_utf8_lossy(&first).into_owned(),
        headers,
        body,
    }))
}

fn body(stream: &mut impl BufRead, headers: &Headers, side: Side) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if headers.one("transfer-encoding").as_deref() == Some("chunked") {
        loop {
            let size = line(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let size = std::str::from_utf8(&size)
                .ok()
                .and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
            let start = body.len();
            body.resize(start + size.ok_or(io::ErrorKind::InvalidData)?, 0);
            stream.read_exact(&mut body[start..])?;
            line(stream)?;
            if start == body.len() {
                return Ok(body);
            }
        }
    }
    match headers.number("content-length") {
        Some(length) => {
            body.resize(length, 0);
            stream.read_exact(&mut body)?;
        }
        None if side == Side::Response => {
            stream.read_to_end(&mut body)?;
        }
        None => {}
    }
    Ok(body)
}

fn line(stream: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim_ascii_end().to_vec()))
}
