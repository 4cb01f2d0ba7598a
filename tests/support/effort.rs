//! The size of the big tests: the full one, or the number of requests that `SIDESPAN_LOAD` asks for during development.

use std::env;
use std::time::Duration;

/// Returns the number of requests that `SIDESPAN_LOAD` gives, or else the full number.
///
/// # Panics
/// When the variable is no number.
pub fn requests(full: u64) -> u64 {
    env::var("SIDESPAN_LOAD").ok().map_or(full, |text| {
        text.parse().expect("SIDESPAN_LOAD: a number of requests")
    })
}

/// Returns the time limit: the usual one, or an hour where `SIDESPAN_LOAD` asks for a number.
pub fn patience(usual: Duration) -> Duration {
    match env::var_os("SIDESPAN_LOAD") {
        Some(_) => Duration::from_secs(3600),
        None => usual,
    }
}

/// Returns the share of `all` that `SIDESPAN_LOAD` asks for, and at least `least`.
pub fn share(all: u64, least: u64) -> u64 {
    const FULL: u64 = 100_000;
    (all * requests(FULL).min(FULL) / FULL).max(least)
}
