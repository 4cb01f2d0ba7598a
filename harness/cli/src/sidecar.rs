//! `sidespan sidecar`: one proxy-wasm module in front of or behind one service, on real sockets.
//!
//! ```text
//! client ─ HTTP/1.1 or h2c ─► accept ─► exchange ─► pool ─ the same protocol ─► upstream
//!                                          │ ▲
//!                                          ▼ │ one thread
//!                                          VM ─► call ─► cluster
//! ```
//!
//! The VM lives on one thread of its own, because host calls are synchronous; everything else is tokio. A stream of the
//! filter ends exactly once, whatever happens to its sockets. There is no TLS and no retry, and protocol upgrades are
//! not passed on. Nothing here depends on the module's purpose.

mod accept;
mod arguments;
mod call;
mod config;
mod exchange;
mod message;
mod pool;
mod running;
#[cfg(test)]
mod tests;
mod vm;

pub use arguments::{SidecarArgs, run};
pub use config::{Direction, Routes, SidecarConfig};
pub use running::Sidecar;
