//! Several filters in one exchange: the request goes through them in order, the response in reverse, as in Envoy.
//!
//! ```text
//! client ── filter 0 ── filter 1 ── … ── upstream
//! ```
//!
//! Invariant: after each event every byte that a filter has passed has come to the next one, and every local reply that a
//! filter has sent has gone through the filters that Envoy shows it to.

mod builder;
mod driven;
mod filter_chain;
mod pump;
mod reply;
mod server;
mod stream;

pub use builder::{ChainBuilder, ChainStartError};
pub use filter_chain::FilterChain;
pub use server::Server;
pub use stream::{ChainStreamId, Ended, Passed};

#[cfg(test)]
mod tests;
