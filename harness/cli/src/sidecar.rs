//! `sidespan sidecar`: proxy-wasm filters in front of or behind one service, on real sockets.
//!
//! ```text
//! client ─ HTTP/1.1 or h2c ─► accept ─► exchange ─► pool ─ HTTP/1.1 or h2c ─► upstream
//!                                          │ ▲
//!                                          ▼ │ one thread
//!                                         VMs ─► call ─► cluster
//! ```
//!
//! The VMs of the chain live on one thread of their own, because host calls are synchronous; everything else is tokio. A
//! stream of the filters ends exactly once, whatever happens to its sockets. A reload starts another chain on a thread of its
//! own, which takes the new streams. There is no TLS and no retry. Nothing here depends on the module's purpose.

mod accept;
mod arguments;
mod call;
mod config;
mod current;
mod exchange;
mod message;
mod pool;
mod protocol;
mod proxy_headers;
mod record;
mod reload;
mod running;
mod tape;
#[cfg(test)]
mod tests;
mod upgrade;
mod vm;

pub use arguments::{SidecarArgs, run};
pub use config::{Direction, Routes, SidecarConfig, UpstreamProtocol};
pub use running::Sidecar;
