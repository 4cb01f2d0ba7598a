//! Randomness of the proxy, by WASI.

use sidespan_core::id_generator::Random;

/// Randomness from WASI's `random_get`, which the proxy fills from its cryptographic source.
#[derive(Debug)]
pub(crate) struct WasiRandom;

impl Random for WasiRandom {
    #[inline]
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        getrandom::fill(bytes).is_ok()
    }
}
