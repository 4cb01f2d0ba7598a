//! The demo, the examples and the manifests on real Envoys.

mod command_line;
mod examples;
mod inspect;
mod manifests;
