//! Notations of bytes and numbers that know nothing of traces: hexadecimal, base64, protocol buffers, gzip, SHA-256.

pub(crate) mod ascii;
pub(crate) mod base64;
pub mod gzip;
pub mod hex;
pub(crate) mod http_date;
pub(crate) mod number;
pub(crate) mod percent;
pub mod protobuf;
pub(crate) mod quote;
pub(crate) mod scan;
pub(crate) mod sha256;
