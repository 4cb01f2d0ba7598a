//! The demo, the examples and the manifests on real Envoys, and the newcomer's page with cargo.

mod command_line;
mod examples;
mod first_filter;
mod inspect;
mod manifests;
