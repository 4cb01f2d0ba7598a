//! Items of shared queues, told to the guest that listens: `proxy_on_queue_ready`.

use super::vm::Host;

impl Host {
    /// Tells the guest of the items that its queues have got, one callback an item, as Envoy does as soon as the present
    /// callback is over. Other hosts on one [`Shared`](crate::Shared) put items in as well: `run_due` and `advance` tell of
    /// those. In a chain nothing is told here, because Envoy first calls the other filters.
    pub(super) fn tell_queues(&mut self) {
        if !self.leaves_queues_to_chain {
            self.tell_queues_now();
        }
    }

    /// Tells of the items also where a chain tells of those that come with HTTP streams.
    pub(super) fn tell_queues_now(&mut self) {
        for _ in 0..MAX_CALLBACKS {
            if !self.tell_queue() {
                return;
            }
        }
    }

    /// Tells of the oldest item; returns false if there is none.
    pub(crate) fn tell_queue(&mut self) -> bool {
        let Some(ready) = self.state().shared.take_queue_ready(self.state().number) else {
            return false;
        };
        if self.state().roots.contains_key(&ready.root) {
            let arguments = (ready.root, ready.token);
            // After a trap there is no guest to call.
            let _ = self.enter(|guest| &guest.queue_ready, ready.root, arguments, ());
            self.run_deferred();
        }
        true
    }

    /// Leaves it to the chain to tell of items, once all its filters have had their callbacks.
    pub(crate) fn leave_queues_to_chain(&mut self) {
        self.leaves_queues_to_chain = true;
    }

    /// Returns the place, among these VMs of one [`Shared`](crate::Shared), of the one that hears of the oldest item.
    pub(crate) fn next_queue_listener(vms: &[Self]) -> Option<usize> {
        let shared = &vms.first()?.state().shared;
        let place = |number| vms.iter().position(|vm| vm.state().number == number);
        shared.find_queue_listener(place)
    }
}

/// A bound that Envoy's event loop does not need, for a guest that puts an item in whenever it is told of one. What is left
/// is told by the next call.
pub(crate) const MAX_CALLBACKS: usize = 1_000;
