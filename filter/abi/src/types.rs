//! The numbers of proxy-wasm ABI 0.2.1, named as in its Rust SDK.
//!
//! Numbers from the proxy are read with a fallback, because a proxy may know more of them than this crate.

/// The next step of the proxy with a part of a request or a response.
///
/// The SDK's `Pause` is left out, because a tracing filter never makes a request wait, and because a type with one value
/// costs no instruction (`tests/cost/budget.rs` counts them).
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The part goes on.
    Continue = 0,
}

/// The status of a hostcall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Success.
    Ok,
    /// No such value, header or metric.
    NotFound,
    /// An argument that the proxy refuses; for an HTTP call, an unknown cluster.
    BadArgument,
    /// A value that the proxy cannot serialise.
    SerializationFailure,
    /// A value that the proxy cannot read.
    ParseFailure,
    /// An empty result.
    Empty,
    /// A shared value that another worker has set since it was read.
    CasMismatch,
    /// A failure of the proxy, and every number that is not listed here.
    InternalFailure,
}

impl Status {
    /// Returns `Ok` for the number of [`Status::Ok`], and the status as an error for every other number.
    ///
    /// # Errors
    /// The status, if it is not [`Status::Ok`].
    #[inline]
    pub fn check(number: u32) -> Result<(), Self> {
        match Self::from(number) {
            Self::Ok => Ok(()),
            status => Err(status),
        }
    }
}

impl From<u32> for Status {
    #[inline]
    fn from(number: u32) -> Self {
        match number {
            0 => Self::Ok,
            1 => Self::NotFound,
            2 => Self::BadArgument,
            3 => Self::SerializationFailure,
            4 => Self::ParseFailure,
            7 => Self::Empty,
            8 => Self::CasMismatch,
            _ => Self::InternalFailure,
        }
    }
}

/// A map of headers, trailers or metadata.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapType {
    /// The headers of the current stream's request.
    HttpRequestHeaders = 0,
    /// The trailers of the current stream's request.
    HttpRequestTrailers = 1,
    /// The headers of the current stream's response.
    HttpResponseHeaders = 2,
    /// The trailers of the current stream's response.
    HttpResponseTrailers = 3,
    /// The headers of the answer to an HTTP call.
    HttpCallResponseHeaders = 6,
    /// The trailers of the answer to an HTTP call.
    HttpCallResponseTrailers = 7,
}

/// A buffer of bytes.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferType {
    /// The part of the current stream's request body that has arrived.
    HttpRequestBody = 0,
    /// The part of the current stream's response body that has arrived.
    HttpResponseBody = 1,
    /// The body of the answer to an HTTP call.
    HttpCallResponseBody = 4,
    /// The configuration of the VM.
    VmConfiguration = 6,
    /// The configuration of the plugin.
    PluginConfiguration = 7,
}

/// A kind of metric.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// A number that only grows.
    Counter = 0,
    /// A number that goes up and down.
    Gauge = 1,
    /// A distribution of numbers.
    Histogram = 2,
}

/// The level of a line in the proxy's log.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Single steps.
    Trace = 0,
    /// Details for finding a fault.
    Debug = 1,
    /// Normal events.
    Info = 2,
    /// A fault that the program survives.
    Warn = 3,
    /// A failed operation.
    Error = 4,
    /// A failure of the whole program.
    Critical = 5,
}

impl LogLevel {
    /// Returns the level of this number, or `None` for a number that is not listed here.
    pub fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Trace,
            1 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            4 => Self::Error,
            5 => Self::Critical,
            _ => return None,
        })
    }
}
