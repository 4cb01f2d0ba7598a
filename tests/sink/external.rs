//! Other projects' exporters, which send to the sink.

mod rotel;
mod sdks;
