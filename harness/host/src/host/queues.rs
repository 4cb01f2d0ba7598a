//! Items of shared queues, told to the guest that listens: `proxy_on_queue_ready`.

use super::vm::Host;

impl Host {
    /// Tells the guest of the items that its queues have got, one callback an item, as Envoy does as soon as the present
    /// callback is over. Other hosts on one [`Shared`](crate::Shared) put items in as well: `run_due` and `advance` tell of
    /// those.
    pub(super) fn tell_queues(&mut self) {
        for _ in 0..MAX_CALLBACKS {
            let Some(ready) = self.state().shared.take_queue_ready(self.state().number) else {
                return;
            };
            if !self.state().roots.contains_key(&ready.root) {
                continue;
            }
            let arguments = (ready.root, ready.token);
            // After a trap there is no guest to call.
            let _ = self.enter(|guest| &guest.queue_ready, ready.root, arguments, ());
            self.run_deferred();
        }
    }
}

/// A bound that Envoy's event loop does not need, for a guest that puts an item in whenever it is told of one. What is left
/// is told by the next call.
const MAX_CALLBACKS: usize = 1_000;
