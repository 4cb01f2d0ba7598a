//! The processor time that a real Envoy takes to load the filter, beside a module on proxy-wasm's SDK. Envoy's main thread does
//! nothing else meanwhile, because V8 compiles every function at once with its optimising compiler. Its time should follow the
//! bytes of the code, which `cost::budget::shape` bounds; `filter/README.md` has the figures.
//!
//! Not wall time, which is five times as long on a machine where others compute.

use std::fs;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::json;
use sidespan::bench::cpu;
use sidespan_envoy::{Bootstrap, HttpFilter, Listener, Node, Route, Wasm};
use sidespan_tests::envoy::{self, filter};
use wasmparser::{Parser, Payload};

/// The starts of each Envoy, of which the one counts that was disturbed least: on a busy machine more of them are needed until one is not.
const STARTS: RangeInclusive<usize> = 3..=10;

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
    for done in 1..=*STARTS.end() {
        for (least, chain) in least.iter_mut().zip(&chains) {
            *least = (*least).min(start(chain.clone()));
        }
        let [without, floor, ours] = least;
        let floor = of_byte(without, floor, sidespan::FLOOR);
        let ours = of_byte(without, ours, sidespan::FILTER);
        println!(
            "{done} starts, {least:?} of processor time without a module, with one on the SDK and with the filter: a byte of code {floor:.0} ns and {ours:.0} ns"
        );
        if done >= *STARTS.start() && floor > 0.0 && ours <= 1.5 * floor {
            return;
        }
    }
    panic!("the filter takes longer");
}

/// Returns the nanoseconds that a byte of a module's code adds.
fn of_byte(without: Duration, with: Duration, module: &[u8]) -> f64 {
    let loading = with.saturating_sub(without);
    loading.as_secs_f64() * 1e9 / code_bytes(module)
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
