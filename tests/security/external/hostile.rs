//! Generated hostile requests to a real Envoy, by HTTP/1.1 and HTTP/2: each is answered as without the filter, what goes upstream
//! differs in nothing but the context, which is one, the VM lives, and Envoy's memory stays.
//!
//! 200,000 of them: `SIDESPAN_LOAD=200000 cargo test -p sidespan-tests security::external::hostile -- --nocapture`. `SIDESPAN_SEED` begins elsewhere;
//! a failure names the seed and the number of its request.

mod scene;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use scene::{Answer, Protocol, Scene};
use sidespan_tests::effort;
use sidespan_tests::envoy::{counter, settle, wait_until_accounted};
use sidespan_tests::under_fire::{assert_memory_stays, assert_no_trap, memory_kib};

use crate::security::hostile::contexts::{Line, agreed, is_context, shown, spans};
use crate::security::hostile::generate::{Generated, request};
use crate::security::hostile::seed;

/// The requests of the short form, of both protocols together.
const REQUESTS: u64 = 3_000;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn no_generated_request_is_answered_otherwise() {
    let seed = seed();
    let mut scene = Scene::start();
    let all = effort::requests(REQUESTS);
    let (mut passed, mut finished, mut memory) = (0, 0, 0);
    for number in 0..all {
        let protocol = [Protocol::Http1, Protocol::Http2][usize::from(number % 2 == 1)];
        let generated = request(seed, number);
        let tried = AssertUnwindSafe(|| compare(&mut scene, protocol, &generated));
        let made = catch_unwind(tried).unwrap_or_else(|panic| {
            eprintln!("SIDESPAN_SEED={seed}, request {number}, {protocol:?}: {generated}");
            resume_unwind(panic)
        });
        passed += u64::from(made.is_some());
        finished += made.unwrap_or(0);
        if number == all / 2 {
            memory = memory_kib(&scene.envoy);
        }
    }
    settle(&scene.envoy);
    wait_until_accounted(&scene.envoy, finished);
    let last = memory_kib(&scene.envoy);
    println!(
        "{all} requests, {passed} went upstream, {finished} spans, {memory} KiB of memory at half and {last} at the end"
    );
    assert_eq!(counter(&scene.envoy, "export.failures"), 0);
    assert_memory_stays(memory, last);
    assert!(passed > all / 3 && passed < all, "both are tried");
    assert_no_trap(&scene.envoy);
}

/// Sends a request through the filter and past it; returns how many spans it is to make, if it went upstream.
fn compare(scene: &mut Scene, protocol: Protocol, generated: &Generated) -> Option<u64> {
    let [(bare, past), (answer, through)] = scene.exchange(protocol, generated);
    assert_eq!(answer, bare);
    let (Some(past), Some(through)) = (&past, &through) else {
        // Envoy itself answered, a gRPC call even with 200.
        assert!(past.is_none() && through.is_none(), "{past:?}, {through:?}");
        return None;
    };
    assert_eq!(answer, Answer::Status(generated.status));
    assert!(
        others(past).eq(others(through)),
        "past the filter:\n{}\nthrough it:\n{}",
        shown(past),
        shown(through)
    );
    Some(spans(&agreed(generated, through), generated.direction))
}

/// Returns the lines that are no context; `baggage` may be rewritten, and Envoy makes a new request id each time.
fn others(lines: &[Line]) -> impl Iterator<Item = &Line> {
    lines
        .iter()
        .filter(|(name, _)| name != b"baggage" && name != b"x-request-id" && !is_context(name))
}
