//! Faults by a seeded schedule, on a real Envoy: of the collector, of the upstream, of the callers, of the configuration, and an overload of
//! the proxy, several at once. Each request is answered as past the filter, and each span is in one counter.
//!
//! A million requests: `SIDESPAN_LOAD=1000000 cargo test -p sidespan-tests security::external::faults -- --nocapture`. `SIDESPAN_SEED` begins
//! elsewhere; a failure prints the command that repeats it.

pub(super) mod collector;
pub(super) mod configurations;
mod scene;
mod traffic;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use scene::Scene;
use sidespan_tests::draw::Draw;
use sidespan_tests::effort;
use sidespan_tests::under_fire::assert_memory_stays;

use crate::security::hostile::{SEED, seed};

/// The requests of the short form, each of which is sent twice: past the filter and through it.
const REQUESTS: u64 = 1_800;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_schedule_of_faults_costs_neither_an_answer_nor_the_count_of_a_span() {
    let seed = seed();
    let rounds = effort::requests(REQUESTS).div_ceil(scene::REQUESTS);
    let mut scene = Scene::start();
    let mut memory = 0;
    for number in 0..rounds {
        let tried = AssertUnwindSafe(|| scene.round(&mut Draw::of(seed, number)));
        catch_unwind(tried).unwrap_or_else(|panic| {
            let load = (number + 1) * scene::REQUESTS;
            eprintln!(
                "in round {number}; SIDESPAN_SEED={seed} SIDESPAN_LOAD={load} \
                 cargo test -p sidespan-tests security::external::faults repeats it"
            );
            resume_unwind(panic)
        });
        if number == rounds / 2 {
            memory = scene.memory_kib();
        }
    }
    scene.settles();
    let last = scene.memory_kib();
    println!(
        "SIDESPAN_SEED={seed}: {rounds} rounds, {}; {memory} KiB of memory at half and {last} at the end",
        scene.figures()
    );
    if seed == SEED && rounds >= REQUESTS / scene::REQUESTS {
        scene.has_tried_everything();
    }
    assert_memory_stays(memory, last);
    println!("{}", scene.ends_under_load());
}
