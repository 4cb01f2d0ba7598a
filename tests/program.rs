//! The program: its command line, the examples, the manifests, and the filter's log.

pub(crate) mod asked;
mod check_size;
mod command_line;
mod debug_log;
mod demo_page;
mod envelope;
mod examples;
mod external;
mod manifests;
mod schema;
