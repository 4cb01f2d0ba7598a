//! How much the big tests do: what is proved, or as much as `SIDESPAN_LOAD` asks for while one works on something else.

use std::env;
use std::time::Duration;

/// The number of requests that `SIDESPAN_LOAD` gives, of the full number.
///
/// # Panics
/// When it is no number.
pub fn requests(full: u64) -> u64 {
    env::var("SIDESPAN_LOAD").ok().map_or(full, |text| {
        text.parse().expect("SIDESPAN_LOAD: a number of requests")
    })
}

/// How long it may take: as long as it takes, where `SIDESPAN_LOAD` asks for a number.
pub fn patience(usual: Duration) -> Duration {
    match env::var_os("SIDESPAN_LOAD") {
        Some(_) => Duration::from_secs(3600),
        None => usual,
    }
}

/// The same share of something else: all of it, or at least `least`.
pub fn share(all: u64, least: u64) -> u64 {
    const FULL: u64 = 100_000;
    (all * requests(FULL).min(FULL) / FULL).max(least)
}
