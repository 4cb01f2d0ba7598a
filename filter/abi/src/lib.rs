//! The part of proxy-wasm ABI 0.2.1 that an HTTP filter for tracing needs: exports, contexts and hostcalls, with the names
//! of proxy-wasm's Rust SDK (0.2.5).
//!
//! ```text
//!   proxy_on_…  (exports)  ->  contexts, by their ids  ->  RootContext, HttpContext  (traits)
//!   hostcalls   every call to the proxy, on plain numbers and bytes
//!   hostcalls::dispatch_http_call  ->  the token, and its context  ->  on_http_call_response
//! ```
//!
//! All `unsafe` code of the filter is in this crate. A panic ends the VM and with it every request of the proxy's worker,
//! so for an unknown context, call or status every function returns a value that lets the request pass. The one exception
//! is a connection, which only a network filter gets (`exports.rs`).
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

#[cfg(any(target_family = "wasm", test))]
mod allocator;
mod context_table;
#[cfg_attr(
    test,
    expect(dead_code, reason = "a test has no proxy that would call it")
)]
mod contexts;
#[cfg(not(test))]
mod exports;
#[cfg(not(test))]
pub mod hostcalls;
#[cfg_attr(
    test,
    expect(dead_code, reason = "a test has no proxy that would be asked")
)]
mod owner;
pub mod traits;
pub mod types;

pub use contexts::{NewRootContext, set_root_context};

#[cfg(all(target_family = "wasm", not(test)))]
#[global_allocator]
static ALLOCATOR: allocator::Pool = allocator::Pool::new();

/// Exports `_initialize`, which the proxy calls first and which runs the block. The block must [set the root
/// context](set_root_context).
#[macro_export]
macro_rules! main {
    ($code:block) => {
        #[cfg(target_os = "wasi")]
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }

        #[unsafe(no_mangle)]
        extern "C" fn _initialize() {
            // SAFETY: called once and before all other code, as WASI requires of a reactor.
            #[cfg(target_os = "wasi")]
            unsafe {
                __wasm_call_ctors()
            };
            $code;
        }
    };
}
