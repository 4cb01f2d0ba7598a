//! The filter's spans, taken by code that is not ours: OpenTelemetry's protobuf types in Python, and a collector of
//! somebody else's. That our own sink takes them proves less, for what one hand wrote the same hand reads.

mod messages;
mod rotel;
mod traffic;
