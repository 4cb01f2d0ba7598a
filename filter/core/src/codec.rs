//! Notations of bytes and numbers, which know nothing of traces: hexadecimal, base64, JSON, protocol buffers, gzip, SHA-256.

pub(crate) mod base64;
pub(crate) mod decimal;
pub mod gzip;
pub(crate) mod http_date;
pub(crate) mod json;
pub mod protobuf;
pub(crate) mod scan;
pub(crate) mod sha256;
