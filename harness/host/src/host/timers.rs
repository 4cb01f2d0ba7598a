//! Ticks and timeouts; with virtual time each comes at its own moment, in order.

use std::time::Duration;

use super::vm::Host;
use crate::clock::nanos;

impl Host {
    /// Advances virtual time, and runs every tick and timeout on the way in order.
    ///
    /// With a real clock this function only runs due ticks and timeouts, as [`Host::run_due`] does.
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

    /// Steps the clock that the guest reads back, as whoever corrects a machine's clock does. Ticks, timeouts and durations come as before,
    /// because a proxy measures them by another clock; a real clock stays as it is.
    pub fn step_clock_back(&mut self, by: Duration) {
        self.state_mut().time.step_back(nanos(by));
    }

    /// Returns the time until the next tick or timeout, 0 if an item waits in a queue of the guest; `None` while there is
    /// nothing to wait for.
    pub fn due_in(&self) -> Option<Duration> {
        if self.state().shared.has_queue_ready(self.state().number) {
            return Some(Duration::ZERO);
        }
        let due = self.state().next_due()?;
        Some(Duration::from_nanos(
            due.saturating_sub(self.state().time.now()),
        ))
    }

    /// Tells of items in queues and runs due timers: first the timeouts of calls, then one tick of each root context whose
    /// tick is due.
    pub fn run_due(&mut self) {
        self.tell_queues();
        let now = self.state().time.now();
        while let Some((token, reply)) = self.state().calls.timed_out(now) {
            // The call is in flight, because `timed_out` has just found it.
            let _ = self.answer(token, reply);
        }
        while let Some(token) = self.state().grpc.timed_out(now) {
            self.time_out_grpc(token);
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
        // After a trap there is no guest to call, and no tick to set again.
        let _ = self.enter(|guest| &guest.tick, root, root, ());
        self.run_deferred();
        // Envoy sets the timer again when the callback has returned, so that ticks drift.
        let now = self.state().time.now();
        if let Some(tick) = self.state_mut().ticks.get_mut(&root) {
            tick.due = now + tick.period;
        }
        self.tell_queues();
    }
}
