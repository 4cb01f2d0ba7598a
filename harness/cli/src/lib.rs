//! Sidespan on the command line, and what its tests share with it.
//!
//! A subcommand is a module with its arguments and one function `run`, which returns the exit code: 0 fine, 1 the thing
//! checked is not, 2 wrong use.

pub mod bench;
pub mod check;
pub mod demo;
mod envoy;
mod interrupt;
pub mod output;
pub mod run;
pub mod sidecar;

/// The compiled filter.
pub const FILTER: &[u8] = include_bytes!(env!("SIDESPAN_FILTER_WASM"));

/// The least that a tracing filter can do, compiled: what `bench` measures the filter by. Its configuration is the list of
/// steps that its own documentation explains.
pub const FLOOR: &[u8] = include_bytes!(env!("SIDESPAN_FLOOR_WASM"));

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_filters_are_found_whatever_folder_cargo_was_given() {
        let found = [
            (env!("SIDESPAN_FILTER_WASM"), super::FILTER),
            (env!("SIDESPAN_FLOOR_WASM"), super::FLOOR),
        ];
        for (file, module) in found {
            assert!(Path::new(file).is_absolute(), "{file}");
            assert!(module.starts_with(b"\0asm"), "{file}");
        }
    }
}
