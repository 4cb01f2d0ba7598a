//! The filter's spans, read by other projects' code: OpenTelemetry's protobuf types in Python, and another collector. Our
//! own sink proves less, because it could share a misreading with the filter.

mod messages;
mod rotel;
mod traffic;
