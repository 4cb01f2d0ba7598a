//! Requests a second through one VM on one core, callbacks and host calls included.
//!
//! `cargo bench -p sidespan-host --bench requests`. A filter of your own is measured beside the built-in guests:
//!
//! ```text
//! FILTER=filter.wasm CONFIGURATION='{}' cargo bench -p sidespan-host --bench requests -- own
//! ```

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sidespan_host::{Action, EndOfStream, Ending, Headers, Host, Module, StreamProperties};

const REQUEST: [(&str, &str); 10] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "cart.shop.svc.cluster.local:8080"),
    (":path", "/api/v1/cart/7?currency=EUR"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-request-id", "2f1c7a2e-6d0a-9f0e-8a55-1f1d9b1e2c3d"),
];
const RESPONSE: [(&str, &str); 3] = [
    (":status", "200"),
    ("content-type", "application/json"),
    ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
];

/// The two callbacks that nearly every filter has, empty.
const TWO: &str = r#"
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0))
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (i32.const 0))"#;
/// The callbacks of a stream beside those of headers, empty.
const OTHERS: &str = r#"
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) (i32.const 0))
    (func (export "proxy_on_done") (param i32) (result i32) (i32.const 1))
    (func (export "proxy_on_log") (param i32))
    (func (export "proxy_on_delete") (param i32))"#;
/// Reads the whole map and adds one header.
const HEADER: &str = r#"
    (import "env" "proxy_get_header_map_pairs" (func $pairs (param i32 i32 i32) (result i32)))
    (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
    (data (i32.const 64) "x-added")
    (data (i32.const 96) "a value of some length")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (if (call $pairs (i32.const 0) (i32.const 8) (i32.const 12)) (then unreachable))
        (call $add (i32.const 0) (i32.const 64) (i32.const 7) (i32.const 96) (i32.const 22)))
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (i32.const 0))"#;

fn guest(fields: &[&str]) -> Host {
    let wasm = wat::parse_str(format!(
        r#"(module {}
            (memory (export "memory") 2)
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 4096)))"#,
        fields.concat()
    ));
    let module = Module::compile(&wasm.expect("valid text")).expect("a module that Envoy loads");
    Host::builder(&module)
        .start()
        .expect("a guest that does nothing at its start")
}

fn own() -> Option<Host> {
    let file = std::env::var_os("FILTER")?;
    let wasm = std::fs::read(file).expect("the file that FILTER names");
    let module = Module::compile(&wasm).expect("a module that Envoy loads");
    let configuration = std::env::var("CONFIGURATION").unwrap_or_default();
    let host = Host::builder(&module)
        .plugin_configuration(configuration)
        .any_cluster()
        .start();
    Some(host.expect("a good CONFIGURATION"))
}

fn request(host: &mut Host, request: &Headers, response: &Headers) {
    let stream = host.open_stream(StreamProperties::new());
    let actions = [
        host.request_headers(stream, request.clone(), EndOfStream::Yes),
        host.response_headers(stream, response.clone(), EndOfStream::No),
        host.response_body(stream, b"{}", EndOfStream::Yes),
    ];
    assert_eq!(actions, [Action::Continue; 3]);
    black_box(host.end(stream, Ending::Complete));
}

fn requests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("requests");
    group.throughput(Throughput::Elements(1));
    let (asked, answered) = (Headers::from(REQUEST), Headers::from(RESPONSE));
    for (name, fields) in [
        ("two empty callbacks", &[TWO][..]),
        ("all callbacks, empty", &[TWO, OTHERS]),
        ("all callbacks, map read, header written", &[HEADER, OTHERS]),
    ] {
        let mut host = guest(fields);
        group.bench_function(name, |bencher| {
            bencher.iter(|| request(&mut host, &asked, &answered));
        });
    }
    if let Some(mut host) = own() {
        let mut count = 0_u32;
        group.bench_function("own", |bencher| {
            bencher.iter(|| {
                request(&mut host, &asked, &answered);
                count += 1;
                // What the filter sends is answered, with gRPC's OK, as often as a collector would be asked.
                if count.is_multiple_of(256) {
                    host.advance(Duration::from_secs(5));
                    for call in host.calls() {
                        let headers = [(":status", "200"), ("grpc-status", "0")];
                        host.reply(call.token, headers, vec![0_u8; 5], Headers::new())
                            .expect("a call in flight");
                    }
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, requests);
criterion_main!(benches);
