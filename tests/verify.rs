//! `sidespan verify`: the hop that broke, the cause, expectations and probes.

mod command;
mod endpoint;
mod examples;
mod external;
mod program;
mod spans;
mod tempo;
