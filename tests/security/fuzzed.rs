//! The compiled filter under a fuzzer: whatever comes in, at any moment of a stream, of a call or of a configuration, the VM lives,
//! every stream goes on, and every span is accounted for.
//!
//! What coverage of the filter as native code has found (`filter/fuzz/corpus`) is where the bytes come from; here they are
//! changed once more, mixed, and given to the module that is shipped.
//!
//! A million steps: `SIDESPAN_LOAD=1000000 cargo test -p sidespan-tests security::fuzzed -- --nocapture`; after
//! `cargo +nightly fuzz run --fuzz-dir filter/fuzz --target-dir target/fuzz spans` the corpus is a larger one. A failure names the seed that begins
//! with the life that failed.

mod inputs;
mod life;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use inputs::Inputs;
use life::{Life, Tried};
use sidespan_tests::effort;

use super::hostile::seed;

/// The steps of the short form.
const STEPS: u64 = 30_000;
/// Steps of one VM, from its start to its end.
const LIFE: u64 = 400;

#[test]
fn nothing_that_comes_in_ends_the_guest() {
    let inputs = Inputs::read();
    let first = seed();
    let lives = effort::requests(STEPS).div_ceil(LIFE);
    let mut sum = Tried::default();
    for seed in first..first + lives {
        let lived = AssertUnwindSafe(|| Life::new(seed, &inputs).run(LIFE));
        sum += catch_unwind(lived).unwrap_or_else(|panic| {
            eprintln!("SIDESPAN_SEED={seed} begins with what failed");
            resume_unwind(panic)
        });
    }
    println!(
        "{} inputs of {} targets; {lives} lives of {LIFE} steps: {sum:?}",
        inputs.len(),
        inputs.targets()
    );
    let Tried {
        streams,
        answers,
        applied,
        refused,
        spans,
    } = sum;
    // A tenth of what the lives of any seed try, in whole lives: fewer means that steps do nothing.
    for (tried, of_a_hundred_lives, what) in [
        (streams, 1_000, "streams"),
        (answers, 40, "answers to calls"),
        (applied, 12, "good configurations"),
        (refused, 15, "refused configurations"),
        (spans, 800, "spans"),
    ] {
        let least = lives * of_a_hundred_lives / 100;
        assert!(tried >= least, "{tried} {what} in {lives} lives");
    }
}
