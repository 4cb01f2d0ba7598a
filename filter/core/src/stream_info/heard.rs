//! What a response said as it passed this filter: status code and `grpc-status`. Filters between the client and this one may
//! change both afterwards; of the two the end of the exchange can only be asked for the code.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::outcome::ResponseOutcome;
use super::source::PassingResponse;
use crate::codec::number;
use crate::headers::pairs::HeaderPairs;

/// The part of a response that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponsePart {
    /// The headers.
    Headers,
    /// The trailers.
    Trailers,
}

/// The response as it passed this filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeardResponse {
    /// The status code; `None` where no response has passed, or nobody asked.
    pub(crate) status_code: Option<u16>,
    /// `grpc-status`, likewise.
    pub(crate) grpc_status: Option<Vec<u8>>,
}

/// The headers of a response that say whether it has failed and who has kept it, found in one pass over all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PassedHeaders<'a> {
    /// The status code.
    pub(crate) status_code: Option<u16>,
    /// `grpc-status`.
    pub(crate) grpc_status: Option<&'a [u8]>,
    /// True if the router has noted how long the upstream took, which it does for an upstream's answer alone.
    pub(crate) is_upstreams: bool,
    /// All lines of `server-timing`, joined as HTTP joins them (RFC 9110, "Field Order").
    pub(crate) server_timing: Option<Cow<'a, [u8]>>,
}

impl<'a> PassedHeaders<'a> {
    /// Reads a block of all headers (`headers::pairs`).
    #[inline]
    pub(crate) fn read(block: &'a [u8]) -> Self {
        let mut said = Self::default();
        for (name, value) in HeaderPairs::new(block) {
            match Passed::of(name) {
                Some(Passed::Status) if said.status_code.is_none() => {
                    said.status_code = number::parse(value);
                }
                Some(Passed::GrpcStatus) if said.grpc_status.is_none() => {
                    said.grpc_status = Some(value);
                }
                Some(Passed::ServerTiming) => said.add_timing(value),
                Some(Passed::ServiceTime) => said.is_upstreams = true,
                _ => {}
            }
        }
        said
    }

    #[cold]
    fn add_timing(&mut self, value: &'a [u8]) {
        self.server_timing = Some(match self.server_timing.take() {
            None => Cow::Borrowed(value),
            Some(before) => Cow::Owned([&before, value].join(&b',')),
        });
    }
}

/// A header that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passed {
    Status,
    GrpcStatus,
    ServerTiming,
    ServiceTime,
}

impl Passed {
    /// Returns the header of this name. Names are compared as numbers, because the comparison of bytes is a loop, and every
    /// header of a response comes by.
    #[inline(always)]
    fn of(name: &[u8]) -> Option<Self> {
        let (is_it, found) = match name.len() {
            7 => (
                half(name, 0, b":sta") && half(name, 3, b"atus"),
                Self::Status,
            ),
            11 => (
                word(name, 0, b"grpc-sta") && half(name, 7, b"atus"),
                Self::GrpcStatus,
            ),
            13 => (
                word(name, 0, b"server-t") && word(name, 5, b"r-timing"),
                Self::ServerTiming,
            ),
            29 => (
                word(name, 0, b"x-envoy-")
                    && word(name, 8, b"upstream")
                    && word(name, 16, b"-service")
                    && word(name, 21, b"ice-time"),
                Self::ServiceTime,
            ),
            _ => return None,
        };
        is_it.then_some(found)
    }
}

/// Returns true if a name has these eight bytes there.
#[inline(always)]
fn word(name: &[u8], at: usize, wanted: &[u8; 8]) -> bool {
    let found = name.get(at..).and_then(|rest| rest.first_chunk());
    found.is_some_and(|bytes| u64::from_le_bytes(*bytes) == u64::from_le_bytes(*wanted))
}

/// Returns true if a name has these four bytes there.
#[inline(always)]
fn half(name: &[u8], at: usize, wanted: &[u8; 4]) -> bool {
    let found = name.get(at..).and_then(|rest| rest.first_chunk());
    found.is_some_and(|bytes| u32::from_le_bytes(*bytes) == u32::from_le_bytes(*wanted))
}

impl ResponsePart {
    /// Returns the first line of this name.
    #[inline]
    pub(crate) fn line(self, response: &impl PassingResponse, name: &str) -> Option<Vec<u8>> {
        match self {
            Self::Headers => response.response_header(name),
            Self::Trailers => response.response_trailer(name),
        }
    }
}

impl HeardResponse {
    /// Reads the part of the response that has arrived: the code where `wants_code`, and `grpc-status` of a call, which is in
    /// the headers of a response without trailers.
    #[inline]
    pub(crate) fn hear(
        &mut self,
        part: ResponsePart,
        response: &impl PassingResponse,
        wants_code: bool,
        is_call: bool,
    ) {
        if wants_code
            && part == ResponsePart::Headers
            && let Some(code) = response.response_header(":status")
        {
            self.status_code = number::parse(&code);
        }
        if is_call && let Some(status) = part.line(response, "grpc-status") {
            self.grpc_status = Some(status);
        }
    }

    /// Returns the outcome that a CLIENT span tells. It is about the upstream's side of the proxy: what has passed, and what
    /// the client got only where nothing has, because Envoy sends some answers of its own past the filters.
    #[inline]
    pub(crate) fn of_upstream(&self, ended: &ResponseOutcome) -> ResponseOutcome {
        ResponseOutcome {
            status_code: self.status_code.or(ended.status_code),
            ..self.of_client(ended)
        }
    }

    /// Returns the outcome that a SERVER span tells. It is about the client: the code that the client got, and the
    /// `grpc-status` that has passed, which the end has no word for.
    #[inline]
    pub(crate) fn of_client(&self, ended: &ResponseOutcome) -> ResponseOutcome {
        ResponseOutcome {
            grpc_status: self.grpc_status.clone(),
            ..*ended
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_memory::header_list::HeaderList;

    #[test]
    fn knows_each_name_and_no_other() {
        for (name, expected) in [
            (":status", Passed::Status),
            ("grpc-status", Passed::GrpcStatus),
            ("server-timing", Passed::ServerTiming),
            ("x-envoy-upstream-service-time", Passed::ServiceTime),
        ] {
            assert_eq!(Passed::of(name.as_bytes()), Some(expected));
            for at in 0..name.len() {
                let mut other = Vec::from(name);
                other[at] ^= 1;
                assert_eq!(Passed::of(&other), None, "{name} {at}");
            }
            assert_eq!(Passed::of(&name.as_bytes()[1..]), None);
        }
    }

    #[test]
    fn one_pass_finds_what_decides() {
        let timing = "server-timing";
        let all = HeaderList::new([
            (":status", "503"),
            ("date", "x"),
            ("grpc-status", "14"),
            (timing, "db;dur=1"),
            ("grpc-status", "0"),
            ("x-envoy-upstream-service-time", "3"),
            (timing, "cache"),
        ]);
        let block = all.to_block();
        let said = PassedHeaders::read(&block);
        assert_eq!(said.status_code, Some(503));
        assert_eq!(said.grpc_status, Some(&b"14"[..]));
        assert!(said.is_upstreams);
        assert_eq!(said.server_timing.as_deref(), Some(&b"db;dur=1,cache"[..]));
        assert_eq!(PassedHeaders::read(&[]), PassedHeaders::default());
    }
}
