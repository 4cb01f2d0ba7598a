//! The limit on the real time of one callback: a guest that does not return within the limit traps.
//!
//! Wasmtime compiles a check of a counter, the epoch, into every loop and function; one thread of the process increments
//! the epochs of all engines. Neither the guest nor its fuel sees the epoch, so that a guest that returns in time runs as
//! it would without a limit.

use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// The default limit, far beyond what a callback may take in a proxy, because all requests of a worker wait for the
/// callback.
pub(crate) const DEFAULT_LIMIT: Duration = Duration::from_secs(10);

const TICK: Duration = Duration::from_millis(100);

static ENGINES: Mutex<Vec<EngineWeak>> = Mutex::new(Vec::new());

/// Increments the epoch of an engine for as long as the engine is in use.
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

/// Returns the number of ticks that take at least this long, however soon the first tick comes.
pub(crate) fn ticks(limit: Duration) -> u64 {
    let ticks = limit.as_millis().div_ceil(TICK.as_millis());
    // Wasmtime adds the deadline to the current epoch; half the range leaves room for the sum.
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
