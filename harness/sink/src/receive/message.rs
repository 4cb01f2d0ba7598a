//! A message as it came: its bytes, and how to read them.

use hyper::body::Bytes;

use super::compression::Compression;
use super::media::Media;
use super::memory::Share;

/// The format of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// OTLP, in either encoding.
    Otlp(Media),
    /// Zipkin's second version, in JSON.
    Zipkin,
}

/// A message as it came, with the memory that it takes.
#[derive(Debug)]
pub(crate) struct Message {
    /// The bytes, which may be compressed.
    pub(crate) body: Bytes,
    /// The compression.
    pub(crate) compression: Compression,
    /// The format.
    pub(crate) format: Format,
    /// The memory.
    pub(crate) share: Share,
}
