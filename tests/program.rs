//! The command line, the examples, the manifests, and the log that a person reads.

mod command_line;
mod debug_log;
mod examples;
mod external;
mod manifests;
