//! The compiled filters inside the program, which is therefore enough by itself; `build.rs` builds them.

/// The compiled filter.
pub const FILTER: &[u8] = include_bytes!(env!("SIDESPAN_FILTER_WASM"));

/// The compiler's flags by which the filter was built, as cargo's variable `CARGO_ENCODED_RUSTFLAGS` takes them: whoever
/// builds with them gets the bytes of [`FILTER`].
pub const FILTER_FLAGS: &str = env!("SIDESPAN_FILTER_FLAGS");

/// The version of the program, and the SHA-256 of [`FILTER`], by which people find the module that a proxy runs.
pub const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nfilter sha256 ",
    env!("SIDESPAN_FILTER_SHA256")
);

/// The compiled floor filter of the SDK, which makes the calls that a tracing filter needs, and which `bench` compares the
/// filter with. Its configuration is a list of steps, documented in the crate `sidespan-floor`.
pub const FLOOR: &[u8] = include_bytes!(env!("SIDESPAN_FLOOR_WASM"));

/// The compiled filter that does the least for a trace, written by hand without an SDK, which `bench` compares the filter
/// with. Its configuration is documented in the crate `sidespan-least`.
pub const LEAST: &[u8] = include_bytes!(env!("SIDESPAN_LEAST_WASM"));

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_filters_are_found_whatever_folder_cargo_was_given() {
        let found = [
            (env!("SIDESPAN_FILTER_WASM"), super::FILTER),
            (env!("SIDESPAN_FLOOR_WASM"), super::FLOOR),
            (env!("SIDESPAN_LEAST_WASM"), super::LEAST),
        ];
        for (file, module) in found {
            assert!(Path::new(file).is_absolute(), "{file}");
            assert!(module.starts_with(b"\0asm"), "{file}");
        }
    }
}
