//! The time to load a module of 4 MB: out of the cache, and compiled.
//!
//! `cargo bench -p sidespan-host --bench loading`.

use std::fmt::Write;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use sidespan_host::{Module, ModuleCache};

const BYTES: usize = 4 * 1024 * 1024;

/// Returns a module of this size, with functions like those of a compiler's: some arithmetic, loads and stores.
fn module() -> Vec<u8> {
    let mut text = String::from(
        r#"(module
            (memory (export "memory") 2)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 4096))"#,
    );
    let step = "(local.set $b (i32.add (i32.load (local.get $a)) (local.get $b)))
        (i32.store offset=64 (local.get $a) (i32.xor (local.get $b) (i32.const 77)))
        (if (i32.gt_u (local.get $b) (i32.const 1000)) (then (local.set $a (i32.shr_u (local.get $a) (i32.const 1)))))";
    // A step is 36 bytes of wasm.
    for number in 0..BYTES / (36 * 20) {
        let body = step.repeat(20);
        let _ = write!(
            text,
            "(func $f{number} (param $a i32) (result i32) (local $b i32) {body} (local.get $b))"
        );
    }
    text.push(')');
    wat::parse_str(text).expect("valid text")
}

fn loading(criterion: &mut Criterion) {
    let wasm = module();
    println!("{} bytes of wasm", wasm.len());
    let folder = tempfile::tempdir().expect("a folder");
    let cached = Module::builder().cache(ModuleCache::directory(folder.path()));
    cached.compile(&wasm).expect("a module that Envoy loads");
    let mut group = criterion.benchmark_group("loading");
    group.bench_function("from the cache", |bencher| {
        bencher.iter(|| cached.compile(&wasm).expect("the same module"));
    });
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(30));
    let compiled = Module::builder().cache(ModuleCache::off());
    group.bench_function("compiled", |bencher| {
        bencher.iter(|| compiled.compile(&wasm).expect("the same module"));
    });
    group.finish();
}

criterion_group!(benches, loading);
criterion_main!(benches);
