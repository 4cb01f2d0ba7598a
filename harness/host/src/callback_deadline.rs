//! A guest that does not return is stopped: each callback has so much real time, and traps when it is over.
//!
//! Wasmtime compiles a look at a counter, the epoch, into every loop and function; one thread of the process counts it up
//! for all engines. Nothing of that reaches the guest or its fuel, so that a guest that returns runs as without.

use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// Far beyond what a callback may take in a proxy, where all requests of a worker wait for it.
pub(crate) const DEFAULT_LIMIT: Duration = Duration::from_secs(10);

const TICK: Duration = Duration::from_millis(100);

static ENGINES: Mutex<Vec<EngineWeak>> = Mutex::new(Vec::new());

/// Counts for this engine as long as it is used.
pub(crate) fn watch(engine: &Engine) {
    static TICKER: Once = Once::new();
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    engines.push(engine.weak());
    TICKER.call_once(|| {
        let ticker = thread::Builder::new().name("sidespan-limit".to_owned());
        if let Err(error) = ticker.spawn(tick) {
            log::warn!("a guest that does not return will not be stopped: {error}");
        }
    });
}

fn tick() {
    loop {
        thread::sleep(TICK);
        let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
        engines.retain(|engine| match engine.upgrade() {
            Some(engine) => {
                engine.increment_epoch();
                true
            }
            None => false,
        });
    }
}

/// Returns how many ticks are at least this long, whenever the next one comes.
pub(crate) fn ticks(limit: Duration) -> u64 {
    let ticks = limit.as_millis().div_ceil(TICK.as_millis());
    // The deadline is added to the count so far.
    u64::try_from(ticks).map_or(u64::MAX / 2, |ticks| ticks.min(u64::MAX / 2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_never_shorter_than_asked_for() {
        for (milliseconds, expected) in [(0, 1), (1, 2), (100, 2), (101, 3), (10_000, 101)] {
            assert_eq!(ticks(Duration::from_millis(milliseconds)), expected);
        }
        assert_eq!(ticks(Duration::MAX), u64::MAX / 2);
    }
}
