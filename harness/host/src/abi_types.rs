//! The numbers of the proxy-wasm ABI (statuses, versions, map types), and the failures of a host function. This file
//! imports no other file of the crate.

use std::borrow::Cow;
use std::fmt;

/// The answer of a host function (`proxy_status_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Status {
    /// Number 0.
    Ok,
    /// Number 1.
    NotFound,
    /// Number 2.
    BadArgument,
    /// Number 3.
    SerializationFailure,
    /// Number 4.
    ParseFailure,
    /// Number 6.
    InvalidMemoryAccess,
    /// Number 7.
    Empty,
    /// Number 8.
    CasMismatch,
    /// Number 10.
    InternalFailure,
    /// Number 12.
    Unimplemented,
}

impl Status {
    /// Returns the number on the wire.
    pub fn to_wire(self) -> u32 {
        match self {
            Self::Ok => 0,
            Self::NotFound => 1,
            Self::BadArgument => 2,
            Self::SerializationFailure => 3,
            Self::ParseFailure => 4,
            Self::InvalidMemoryAccess => 6,
            Self::Empty => 7,
            Self::CasMismatch => 8,
            Self::InternalFailure => 10,
            Self::Unimplemented => 12,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ok => "OK",
            Self::NotFound => "NOT_FOUND",
            Self::BadArgument => "BAD_ARGUMENT",
            Self::SerializationFailure => "SERIALIZATION_FAILURE",
            Self::ParseFailure => "PARSE_FAILURE",
            Self::InvalidMemoryAccess => "INVALID_MEMORY_ACCESS",
            Self::Empty => "EMPTY",
            Self::CasMismatch => "CAS_MISMATCH",
            Self::InternalFailure => "INTERNAL_FAILURE",
            Self::Unimplemented => "UNIMPLEMENTED",
        })
    }
}

/// The version of the ABI that a module declares by an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AbiVersion {
    /// `proxy_abi_version_0_1_0`.
    V0_1_0,
    /// `proxy_abi_version_0_2_0`.
    V0_2_0,
    /// `proxy_abi_version_0_2_1`.
    V0_2_1,
}

impl AbiVersion {
    /// Returns the version that an export of this name declares.
    pub(crate) fn from_export(name: &str) -> Option<Self> {
        match name {
            "proxy_abi_version_0_1_0" => Some(Self::V0_1_0),
            "proxy_abi_version_0_2_0" => Some(Self::V0_2_0),
            "proxy_abi_version_0_2_1" => Some(Self::V0_2_1),
            _ => None,
        }
    }
}

/// A kind of header map (`proxy_map_type_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapType {
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
    ResponseTrailers,
    GrpcInitialMetadata,
    GrpcTrailingMetadata,
    HttpCallResponseHeaders,
    HttpCallResponseTrailers,
}

impl MapType {
    pub(crate) fn from_wire(kind: u32) -> Option<Self> {
        Some(match kind {
            0 => Self::RequestHeaders,
            1 => Self::RequestTrailers,
            2 => Self::ResponseHeaders,
            3 => Self::ResponseTrailers,
            4 => Self::GrpcInitialMetadata,
            5 => Self::GrpcTrailingMetadata,
            6 => Self::HttpCallResponseHeaders,
            7 => Self::HttpCallResponseTrailers,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RequestHeaders => "request headers",
            Self::RequestTrailers => "request trailers",
            Self::ResponseHeaders => "response headers",
            Self::ResponseTrailers => "response trailers",
            Self::GrpcInitialMetadata => "initial metadata of a gRPC call",
            Self::GrpcTrailingMetadata => "trailing metadata of a gRPC call",
            Self::HttpCallResponseHeaders => "response headers of an HTTP call",
            Self::HttpCallResponseTrailers => "response trailers of an HTTP call",
        }
    }
}

/// The failure of a host function.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A status other than OK, and the reason for it.
    Status(Status, Cow<'static, str>),
    /// A trap in the guest's allocator, after which the guest gets no answer.
    Trap(wasmtime::Error),
}

/// The result of a host function's body.
pub(crate) type Answer<T = ()> = Result<T, Failure>;

/// Returns a refusal: a status and the reason for it.
pub(crate) fn refuse<T>(status: Status, reason: impl Into<Cow<'static, str>>) -> Answer<T> {
    Err(Failure::Status(status, reason.into()))
}
