//! Randomness, of which the proxy is the source.

use sidespan_core::id_generator::Random;

/// Randomness from WASI's `random_get`, which the proxy fills from its cryptographic source.
#[derive(Debug)]
pub(crate) struct WasiEntropy;

impl Random for WasiEntropy {
    #[inline]
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        getrandom::fill(bytes).is_ok()
    }
}
