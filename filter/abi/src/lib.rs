//! From the proxy's callbacks to the contexts they are about (proxy-wasm ABI 0.2.1): the part of proxy-wasm's Rust SDK that
//! this filter has a use for, with the same names, so that either can stand for the other.
//!
//! ```text
//!   proxy_on_…  (exports)  ->  contexts  by their ids  ->  RootContext, HttpContext  (traits)
//!   hostcalls::dispatch_http_call  ->  the token, and whose it is  ->  on_http_call_response
//! ```
//!
//! What the SDK has besides was an eighth of the guest: gRPC, TCP and queues, 60 methods for each kind of context, and three
//! hash maps to look a stream up in. A callback that is not exported is not called either, which spares every request with
//! a body one call for each part of it. And the SDK ends the VM, with all its requests, where the proxy names a context or a call
//! that it does not know; here nothing happens, but for a connection where a request was meant.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

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
pub mod traits;
pub mod types;

pub use contexts::set_root_context;

/// What the proxy calls first: the block is to say which root context there is.
#[macro_export]
macro_rules! main {
    ($code:block) => {
        #[cfg(target_os = "wasi")]
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }

        #[unsafe(no_mangle)]
        extern "C" fn _initialize() {
            // SAFETY: called once, before anything else, as WASI's reactors are to.
            #[cfg(target_os = "wasi")]
            unsafe {
                __wasm_call_ctors()
            };
            $code;
        }
    };
}
