//! The Sidespan filter as a proxy-wasm module: `sidespan_filter.wasm`.
//!
//! Nothing but where it begins. How this crate is compiled is how the linker's optimiser treats all others, so it is a crate of
//! its own, and compiled to be small.

sidespan_abi::main! {{
    sidespan_hot::start();
}}
