//! Ticks and timeouts. With virtual time they come one after the other, each at its own moment.

use std::time::Duration;

use super::vm::Host;
use crate::clock::nanos;

impl Host {
    /// Lets virtual time pass, with every tick and timeout that falls into it, in order.
    ///
    /// With a real clock it only does what is due, as [`Host::run_due`].
    pub fn advance(&mut self, duration: Duration) {
        let target = self.state().time.now().saturating_add(nanos(duration));
        while let Some(due) = self.state().next_due().filter(|due| *due <= target) {
            self.state_mut().time.move_to(due);
            if self.state().time.now() < due {
                break;
            }
            self.run_due();
        }
        self.state_mut().time.move_to(target);
    }

    /// Returns how long it is to the next tick or timeout; nothing while none is set.
    pub fn due_in(&self) -> Option<Duration> {
        let due = self.state().next_due()?;
        Some(Duration::from_nanos(
            due.saturating_sub(self.state().time.now()),
        ))
    }

    /// Does what is due now: the timeouts of calls first, then a tick of each root context that is due one.
    pub fn run_due(&mut self) {
        let now = self.state().time.now();
        while let Some((token, reply)) = self.state().calls.timed_out(now) {
            // It was in flight a moment ago.
            let _ = self.answer(token, reply);
        }
        let due: Vec<u32> = self
            .state()
            .ticks
            .iter()
            .filter(|(_, tick)| tick.due <= now)
            .map(|(root, _)| *root)
            .collect();
        for root in due {
            self.tick(root);
        }
    }

    fn tick(&mut self, root: u32) {
        let function = self.guest().map(|guest| guest.tick.clone());
        // After a trap there is nobody to tell, and no tick to set again.
        let _ = function.and_then(|function| self.enter("proxy_on_tick", root, function, root, ()));
        self.run_deferred();
        // Envoy sets the timer again when the callback has returned, so that ticks drift.
        let now = self.state().time.now();
        if let Some(tick) = self.state_mut().ticks.get_mut(&root) {
            tick.due = now + tick.period;
        }
    }
}
