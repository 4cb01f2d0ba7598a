//! The time of one host call, beside that of a bare function in a linker of wasmtime's: the rest is this crate's.
//!
//! `cargo bench -p sidespan-host --bench calls`. Each figure is of a thousand calls in one callback.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use sidespan_host::{EndOfStream, Headers, Host, Module, StreamProperties};
use wasmtime::{Config, Engine, Linker, Store};

/// The calls in one callback.
const CALLS: u64 = 1_000;

/// Calls of host functions: name, type, arguments.
const CALLED: [(&str, &str, &str); 7] = [
    ("proxy_set_effective_context", "i32", "(i32.const 0)"),
    ("proxy_get_log_level", "i32", "(i32.const 8)"),
    ("proxy_get_current_time_nanoseconds", "i32", "(i32.const 8)"),
    (
        "proxy_get_header_map_value",
        "i32 i32 i32 i32 i32",
        "(i32.const 0) (i32.const 64) (i32.const 12) (i32.const 8) (i32.const 12)",
    ),
    (
        "proxy_replace_header_map_value",
        "i32 i32 i32 i32 i32",
        "(i32.const 0) (i32.const 64) (i32.const 12) (i32.const 96) (i32.const 22)",
    ),
    (
        "proxy_get_header_map_pairs",
        "i32 i32 i32",
        "(i32.const 0) (i32.const 8) (i32.const 12)",
    ),
    (
        "proxy_get_property",
        "i32 i32 i32 i32",
        "(i32.const 128) (i32.const 12) (i32.const 8) (i32.const 12)",
    ),
];

/// Returns a guest that makes a thousand calls in `proxy_on_request_headers`.
fn guest(name: &str, parameters: &str, arguments: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "env" "{name}" (func $call (param {parameters}) (result i32)))
            (memory (export "memory") 2)
            (data (i32.const 64) "x-request-id")
            (data (i32.const 96) "a value of some length")
            (data (i32.const 128) "request\00path")
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 4096))
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                (local $left i32)
                (local.set $left (i32.const {CALLS}))
                (loop $next
                    (if (call $call {arguments}) (then unreachable))
                    (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
                (i32.const 0)))"#
    );
    wat::parse_str(text).expect("valid text")
}

fn bare(group: &mut BenchmarkGroup<'_, WallTime>) {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).expect("a processor that wasmtime knows");
    let wasm = guest("bare", "i32", "(i32.const 0)");
    let module = wasmtime::Module::new(&engine, wasm).expect("a valid module");
    let mut linker: Linker<u32> = Linker::new(&engine);
    linker
        .func_wrap("env", "bare", |value: u32| value)
        .expect("one function");
    let mut store = Store::new(&engine, 0);
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = linker.instantiate(&mut store, &module).expect("a start");
    let run =
        instance.get_typed_func::<(u32, u32, u32), u32>(&mut store, "proxy_on_request_headers");
    let run = run.expect("the export");
    group.bench_function("a bare function of wasmtime", |bencher| {
        bencher.iter(|| run.call(&mut store, (1, 0, 0)).expect("no trap"));
    });
}

fn calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("calls");
    group.throughput(Throughput::Elements(CALLS));
    bare(&mut group);
    let headers: Headers = [
        (":method", "GET"),
        (":path", "/"),
        (":authority", "shop"),
        ("x-request-id", "2f1c7a2e-6d0a-9f0e-8a55-1f1d9b1e2c3d"),
    ]
    .into();
    for (name, parameters, arguments) in CALLED {
        let wasm = guest(name, parameters, arguments);
        let module = Module::compile(&wasm).expect("a module that Envoy loads");
        let mut host = Host::builder(&module).start().expect("a start");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let stream = host.open_stream(StreamProperties::new());
                let _ = host.request_headers(stream, headers.clone(), EndOfStream::Yes);
                host.end(stream, sidespan_host::Ending::Complete)
            });
        });
        assert_eq!(host.trap(), None, "{name}");
    }
    group.finish();
}

criterion_group!(benches, calls);
criterion_main!(benches);
