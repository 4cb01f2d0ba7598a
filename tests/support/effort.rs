//! How much the big tests do: what is proved, or as much as `SIDESPAN_LOAD` asks for while one works on something else.

use std::env;

/// The number of requests that `SIDESPAN_LOAD` gives, of the full number.
///
/// # Panics
/// When it is no number.
pub fn requests(full: u64) -> u64 {
    env::var("SIDESPAN_LOAD").ok().map_or(full, |text| {
        text.parse().expect("SIDESPAN_LOAD: a number of requests")
    })
}

/// The same share of something else: all of it, or at least `least`.
pub fn share(all: u64, least: u64) -> u64 {
    const FULL: u64 = 100_000;
    (all * requests(FULL).min(FULL) / FULL).max(least)
}
