//! Waiting for a condition, up to a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// Calls `look` again and again until it returns a value, for at most `limit`; returns `None` if it never did.
///
/// `look` is called at once and once more after the limit, so that a slow machine cannot turn a fact into a timeout.
pub fn wait_for<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        let late = Instant::now() >= deadline;
        if let Some(found) = look() {
            return Some(found);
        }
        if late {
            return None;
        }
        thread::park_timeout(INTERVAL);
    }
}

/// The pause between two calls: short beside anything that Envoy does, long beside one request to its admin interface.
const INTERVAL: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::wait_for;
    use std::time::Duration;

    #[test]
    fn answers_as_soon_as_the_condition_holds() {
        let mut looks = 0;
        let found = wait_for(Duration::from_secs(60), || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(found, Some(3));
    }

    #[test]
    fn gives_up_at_the_deadline() {
        assert_eq!(wait_for(Duration::ZERO, || None::<()>), None);
    }
}
