//! The processor time that a real Envoy takes to load the filter, beside a module on proxy-wasm's SDK. Envoy's main thread does
//! nothing else meanwhile, because V8 compiles every function at once with its optimising compiler. Its time should follow the
//! bytes of the code, which `cost::budget::shape` bounds; `filter/README.md` has the figures.
//!
//! Not wall time, which is five times as long on a machine where others compute.

use std::fs;
use std::time::Duration;

use serde_json::json;
use sidespan::bench::cpu;
use sidespan_envoy::{Bootstrap, HttpFilter, Listener, Node, Route, Wasm};
use sidespan_tests::envoy::{self, filter};
use wasmparser::{Parser, Payload};

/// The starts of each Envoy, of which the one counts that was disturbed least.
const STARTS: usize = 3;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_byte_of_the_filters_code_takes_at_most_half_as_long_again_to_load_as_one_on_the_sdk() {
    let folder = tempfile::tempdir().expect("a folder");
    let floor = folder.path().join("floor.wasm");
    fs::write(&floor, sidespan::FLOOR).expect("the module");
    let chains = [
        None,
        Some(Wasm::new("floor", &floor).root_id("floor").filter()),
        Some(filter(&json!({})).filter()),
    ];
    let mut least = [Duration::MAX; 3];
    for _ in 0..STARTS {
        for (least, chain) in least.iter_mut().zip(&chains) {
            *least = (*least).min(start(chain.clone()));
        }
    }
    let [without, floor, ours] = least;
    let of_byte = |with: Duration, module: &[u8]| {
        let loading = with.checked_sub(without).expect("a module takes time");
        (loading, loading.as_secs_f64() * 1e9 / code_bytes(module))
    };
    let (floor, ours) = (
        of_byte(floor, sidespan::FLOOR),
        of_byte(ours, sidespan::FILTER),
    );
    println!(
        "the filter is loaded in {:?} of processor time, {:.0} ns a byte of code; on the SDK {:?}, {:.0} ns",
        ours.0, ours.1, floor.0, floor.1
    );
    assert!(ours.1 <= 1.5 * floor.1);
}

/// Returns the processor time of an Envoy until it serves.
fn start(filter: Option<HttpFilter>) -> Duration {
    let listener = Listener::new("in").route(Route::answer(200, ""));
    let listener = filter.into_iter().fold(listener, Listener::filter);
    let bootstrap = Bootstrap::new(Node::plain("node", "cluster"))
        .concurrency(1)
        .listener(listener);
    let envoy = envoy::start(&bootstrap);
    cpu::used(envoy.pid()).expect("a process")
}

/// Returns the bytes of all function bodies of a module.
fn code_bytes(module: &[u8]) -> f64 {
    let functions =
        Parser::new(0)
            .parse_all(module)
            .filter_map(|payload| match payload.expect("a module") {
                Payload::CodeSectionEntry(body) => Some(body.range().len()),
                _ => None,
            });
    f64::from(u32::try_from(functions.sum::<usize>()).expect("a module's size"))
}
