//! Mixed load with faults on a mesh of six services, each with an Envoy of its own: every answer is the expected one, every span is
//! accounted for in every sidecar, memory stays, no VM starts again, and behind it all traces are whole.
//!
//! Five minutes: `SIDESPAN_SOAK=5m cargo test -p sidespan-tests security::external::soak -- --nocapture`; an hour: `SIDESPAN_SOAK=1h`. `SIDESPAN_SEED`
//! draws other faults.

mod mesh;
mod service;

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mesh::Mesh;
use sidespan_tests::draw::Draw;
use sidespan_tests::under_fire::assert_memory_stays;

use super::End;
use crate::security::hostile::seed;

/// The time of the short form.
const SHORT: &str = "20s";
const CALLERS: u64 = 2;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_mesh_under_load_and_faults_loses_no_answer_and_counts_every_span() {
    let (seed, time) = (seed(), time());
    println!("SIDESPAN_SEED={seed}, {time:?}");
    let mut mesh = Mesh::start();
    let start = mesh.memory_kib();
    let is_enough = AtomicBool::new(false);
    let mut half = Vec::new();
    let (requests, faults): (u64, u64) = thread::scope(|scope| {
        let _end = End(&is_enough);
        let running: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (way_in, is_enough) = (mesh.way_in(), &is_enough);
                scope.spawn(move || service::load(&mut Draw::of(seed, caller), way_in, is_enough))
            })
            .collect();
        let begin = Instant::now();
        let mut draw = Draw::of(seed, CALLERS);
        while begin.elapsed() < time {
            mesh.something_happens(&mut draw);
            if half.is_empty() && begin.elapsed() > time / 2 {
                half = mesh.memory_kib();
            }
        }
        is_enough.store(true, Ordering::Relaxed);
        let ended = running.into_iter().map(|load| load.join());
        let sent = ended.map(|sent| sent.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        sent.fold((0, 0), |sum, sent| (sum.0 + sent.0, sum.1 + sent.1))
    });
    mesh.calms_down();
    let spans = mesh.balance();
    for _ in 0..20 {
        mesh.traces_a_request_whole();
    }
    let end = mesh.memory_kib();
    println!(
        "{requests} requests, {faults} of them with a fault of a service, {}; {spans}; KiB of memory of the sidecars {start:?} at the \
         start, {half:?} at half and {end:?} at the end; no VM started again",
        mesh.figures()
    );
    assert!(requests > 100 && faults > 0, "{requests}, {faults}");
    assert_eq!(half.len(), end.len(), "{time:?} has no second half");
    for (half, end) in half.into_iter().zip(end) {
        assert_memory_stays(half, end);
    }
}

/// Returns how long the load goes on.
fn time() -> Duration {
    let text = env::var("SIDESPAN_SOAK").unwrap_or_else(|_| SHORT.into());
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => panic!("SIDESPAN_SOAK: a number and s, m or h, as in 5m"),
    };
    let number: u64 = number
        .parse()
        .expect("SIDESPAN_SOAK: a number before its unit");
    Duration::from_secs(number * unit)
}
