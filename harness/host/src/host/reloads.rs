//! The count of reloads, and the back-off from one to the next.

use std::time::Duration;

use crate::clock::nanos;
use crate::entropy::Entropy;
use crate::vm_state::VmState;

/// The reloads of a VM so far: Envoy's statistics `wasm.<plugin>.vm_reload_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reloads {
    /// The VMs that have taken the place of a failed one.
    pub success: u64,
    /// The VMs that did not start.
    pub failure: u64,
    /// The streams that came before the back-off was over.
    pub backoff: u64,
    pub(super) loaded: u64,
    pub(super) jitter: Entropy,
}

impl Reloads {
    pub(super) fn new(state: &VmState) -> Self {
        Self {
            success: 0,
            failure: 0,
            backoff: 0,
            loaded: state.time.now(),
            jitter: state.settings.entropy,
        }
    }

    /// Returns the shortest time from the last load to the next: the base, and a random part of up to half of it.
    pub(super) fn interval(&mut self, base: Duration) -> u64 {
        let base = nanos(base);
        let mut bytes = [0; 8];
        // Without randomness the shortest time is right, too.
        let _ = self.jitter.fill(&mut bytes);
        let part = u64::from_le_bytes(bytes).checked_rem(base / 2).unwrap_or(0);
        base.saturating_add(part)
    }
}
