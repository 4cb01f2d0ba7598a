//! The pinned Envoy, installed and run, so that promises about a proxy are tested on the proxy.
//!
//! ```no_run
//! use std::path::Path;
//! use sidespan_envoy::{Bootstrap, Cluster, Envoy, Listener, Node, Route};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let binary = sidespan_envoy::install(Path::new("target"))?;
//! let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
//!     .listener(Listener::new("inbound").route(Route::to("app")))
//!     .cluster(Cluster::new("app", "127.0.0.1:8080".parse()?));
//! let envoy = Envoy::start(&binary, &bootstrap)?;
//! println!("send requests to 127.0.0.1:{}", envoy.port("inbound")?);
//! # Ok(())
//! # }
//! ```
//!
//! The crate knows nothing of any filter: a wasm module is a file to it. The crate is synchronous, because it only starts a
//! program and observes it.

mod admin;
mod bootstrap;
mod extension;
mod install;
mod leash;
mod process;
mod wait;

pub use bootstrap::Bootstrap;
pub use bootstrap::cluster::{Cluster, Protocol};
pub use bootstrap::filter::{FailurePolicy, HttpFilter, Wasm};
pub use bootstrap::listener::{Direction, Listener, Route};
pub use bootstrap::node::Node;
pub use bootstrap::tracer::{Tracer, ZipkinContext};
pub use extension::{ExtensionFile, Verdict};
pub use install::{InstallError, VERSION, install};
pub use leash::Leash;
pub use process::{Envoy, EnvoyError};
pub use wait::wait_for;
