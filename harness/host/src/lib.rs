//! A host that runs any proxy-wasm module outside Envoy, with Envoy's semantics.
//!
//! A [`Module`] is compiled once. A [`Host`] is one VM that runs the module, as one worker of Envoy would: the host calls
//! the guest's callbacks in Envoy's order and answers its host calls with Envoy's statuses. By default time is virtual and
//! randomness seeded, so that a run is a function of its inputs. No file here knows the purpose of the module, and none
//! but those that load modules does I/O: the caller takes the guest's HTTP and gRPC calls and answers them.
//!
//! A [`FilterChain`] runs several filters in one exchange, and its [`Server`] on all threads of one Envoy.
//! [`Host::explanations`] says why Envoy refuses a call and what that does to traffic, apart from the guest's log.
//!
//! ```
//! use std::time::Duration;
//!
//! use sidespan_host::{Action, Ending, Host, Module, StreamProperties, EndOfStream};
//!
//! // Any proxy-wasm module. This one removes a header and asks for a tick every second.
//! let wasm = wat::parse_str(
//!     r#"(module
//!         (import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))
//!         (import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))
//!         (memory (export "memory") 1)
//!         (data (i32.const 64) "x-secret")
//!         (func (export "proxy_abi_version_0_2_1"))
//!         (func (export "malloc") (param i32) (result i32) (i32.const 1024))
//!         (func (export "proxy_on_configure") (param i32 i32) (result i32)
//!             (drop (call $period (i32.const 1000)))
//!             (i32.const 1))
//!         (func (export "proxy_on_tick") (param i32))
//!         (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
//!             (call $remove (i32.const 0) (i32.const 64) (i32.const 8))))"#,
//! )?;
//! let module = Module::compile(&wasm)?;
//! let mut host = Host::builder(&module).plugin_name("secrets").start()?;
//!
//! let stream = host.open_stream(StreamProperties::new());
//! let headers = [(":method", "GET"), (":path", "/"), (":authority", "shop"), ("x-secret", "42")];
//! assert_eq!(host.request_headers(stream, headers, EndOfStream::Yes), Action::Continue);
//! assert_eq!(host.response_headers(stream, [(":status", "200")], EndOfStream::Yes), Action::Continue);
//!
//! let stream = host.end(stream, Ending::Complete).ok_or("ended twice")?;
//! assert_eq!(stream.request().headers().and_then(|headers| headers.get("x-secret")), None);
//!
//! host.advance(Duration::from_secs(3));
//! assert_eq!(host.transcript().callback_count("proxy_on_tick"), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

/// The examples of the README, which are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod abi_types;
mod builder;
mod callback_deadline;
mod chain;
mod clock;
mod entropy;
mod explanations;
mod guest;
mod header_pairs;
mod headers;
mod host;
mod host_call;
mod hostcalls;
mod inline_headers;
mod load_check;
mod load_error;
mod logs;
mod module;
mod properties;
mod restriction;
mod settings;
mod shared;
mod stream;
#[cfg(test)]
mod testing;
mod transcript;
mod value;
mod vm_state;
mod wasi;

pub use abi_types::{AbiVersion, Status};
pub use builder::HostBuilder;
pub use chain::{ChainBuilder, ChainStartError, ChainStreamId, Ended, FilterChain, Passed, Server};
pub use clock::Clock;
pub use entropy::Entropy;
pub use explanations::{Explanation, Situation};
pub use guest::Trap;
pub use headers::{Fields, Headers};
pub use host::{GrpcReply, Host, Reloads, Shutdown, StartError, StartFailure, Statistics};
pub use hostcalls::{IMPORTS, Import};
pub use load_error::{BadExport, LoadError};
pub use logs::{LogLevel, LogLine};
pub use module::{Fuel, Module, ModuleBuilder, ModuleCache, PackageError};
pub use properties::{Path, Properties};
pub use settings::{EndOfBody, EnvoyVersion, FailurePolicy};
pub use shared::Shared;
pub use stream::{
    Action, ClosedBy, Connection, ConnectionId, EndOfStream, Ending, Flow, LocalReply, Origin,
    Stream, StreamHalf, StreamId, StreamProperties,
};
pub use transcript::{Detail, Refusal, Transcript};
pub use value::Value;
pub use vm_state::{
    CallToken, DnsQuery, GrpcCall, GrpcKind, GrpcSent, GrpcToken, HttpCall, NoSuchCall,
};
pub use wasi::first_version as first_version_of_wasi;
