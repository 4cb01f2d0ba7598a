//! The Sidespan filter as a proxy-wasm module: `sidespan_filter.wasm`.
//!
//! The crate holds only the entry point. The linker's optimiser treats the whole module by this crate's optimisation level,
//! so the entry point is a crate of its own, compiled for size.

sidespan_abi::main! {{
    sidespan_hot::start();
}}
