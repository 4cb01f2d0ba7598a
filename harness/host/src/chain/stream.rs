//! One stream through a chain: a stream in each filter's VM, and how far each direction has come.

use std::collections::BTreeMap;

use crate::headers::Headers;
use crate::stream::{LocalReply, StreamId};

/// The name of one stream of one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainStreamId(pub(super) u32);

/// The output at one end of a chain that was not taken yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// The headers, as soon as they have passed the last filter; also when they were taken before.
    pub headers: Option<Headers>,
    /// The number of times that the headers have passed: two if a filter has resumed them and then answered Continue. An
    /// upstream then gets a second request without a body, and a client a response that it cannot read.
    pub copies: usize,
    /// The part of the body that was not taken before.
    pub body: Vec<u8>,
    /// The trailers, once the whole message has passed.
    pub trailers: Option<Headers>,
    /// True if everything has passed.
    pub is_complete: bool,
}

/// The end of one stream of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Envoy's response code details.
    pub details: Option<String>,
    /// Envoy's response flags as a number, as the property `response.flags` gives them.
    pub flags: i64,
    /// True if a filter, or a local reply that came too late, has reset the stream.
    pub is_reset: bool,
    /// The local reply that has answered the request.
    pub local_reply: Option<LocalReply>,
}

/// One stream through a chain.
#[derive(Debug, Default)]
pub(super) struct ChainStream {
    /// The stream in each filter's VM, in the order of the filters.
    pub(super) parts: Vec<StreamId>,
    /// The output at the upstream.
    pub(super) request: Passed,
    /// The output at the client.
    pub(super) response: Passed,
    /// The progress from each filter to the next, in the direction of the request and of the response.
    pub(super) request_given: Vec<Given>,
    pub(super) response_given: Vec<Given>,
    /// True once there are response headers at some filter.
    pub(super) has_response: bool,
    pub(super) local_reply: Option<LocalReply>,
    pub(super) is_reset: bool,
    pub(super) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The progress of one message from a filter to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Given {
    pub(super) headers: bool,
    pub(super) end: bool,
}
