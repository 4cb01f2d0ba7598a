//! Sidespan on the command line, and what its tests share with it.
//!
//! A subcommand is a module with its arguments and one function `run`, which returns the exit code: 0 fine, 1 the thing
//! checked is not, 2 wrong use.

pub mod check;
pub mod demo;
pub mod output;
pub mod run;
pub mod sidecar;

/// The compiled filter.
pub const FILTER: &[u8] = include_bytes!(env!("SIDESPAN_FILTER_WASM"));

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_filter_is_found_whatever_folder_cargo_was_given() {
        let file = Path::new(env!("SIDESPAN_FILTER_WASM"));
        assert!(file.is_absolute(), "{}", file.display());
        assert!(super::FILTER.starts_with(b"\0asm"));
    }
}
