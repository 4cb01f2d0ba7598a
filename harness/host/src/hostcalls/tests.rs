use std::collections::BTreeSet;

use super::{IMPORTS, types};
use crate::stream::{Action, EndOfStream, StreamProperties};
use crate::testing::{Guest, start, texts};

/// Compares with the answers of Envoy 1.40, which has written `pointers.txt` for the same guest: each function with good
/// arguments, with each of them out of range, and with all of them.
#[test]
fn answers_pointers_out_of_range_as_envoy_does_and_lives() {
    let recorded: Vec<(&str, &str)> = include_str!("tests/pointers.txt")
        .lines()
        .map(|line| line.split_once(" => ").unwrap())
        .collect();
    let called = |(call, _): &(&str, &str)| call.split(' ').next().unwrap().to_owned();
    let names: BTreeSet<String> = recorded.iter().map(called).collect();
    let mut imports = String::new();
    for import in IMPORTS.iter().filter(|import| names.contains(import.name)) {
        let (parameters, results) = types(import.signature);
        let words = |count: usize| "i32 ".repeat(count);
        imports += &format!(
            r#"(import "env" "{0}" (func ${0}_ (param {1}) (result {2})))"#,
            import.name,
            words(parameters.len()),
            words(results.len())
        );
    }
    let calls: String = recorded
        .iter()
        .map(|(call, _)| {
            let mut words = call.split(' ');
            let name = words.next().unwrap();
            let arguments: String = words.map(|word| format!("(i32.const {word})")).collect();
            format!("(call $log (call ${name}_ {arguments}))")
        })
        .collect();
    let mut host = start(&Guest {
        imports: &imports,
        data: &[
            (256, "collector"),
            (300, "name"),
            (320, ":path"),
            (330, "x"),
            (340, "plugin_name"),
            (350, "compress"),
            (512, "\\01\\00\\00\\00\\01\\00\\00\\00\\01\\00\\00\\00a\\001\\00"),
        ],
        on_configure: "
            (drop (call $proxy_register_shared_queue_ (i32.const 300) (i32.const 4) (i32.const 8)))
            (drop (call $proxy_define_metric_ (i32.const 0) (i32.const 300) (i32.const 4) (i32.const 8)))",
        more: &format!(
            r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {calls} (i32.const 0))"#
        ),
        ..Guest::default()
    });
    let stream = host.open_stream(StreamProperties::new());
    let headers = [(":method", "GET"), (":path", "/"), (":authority", "shop")];
    let action = host.request_headers(stream, headers, EndOfStream::Yes);
    assert_eq!(action, Action::Continue, "{:?}", host.trap());
    let answers = texts(&mut host);
    // `proxy_log` itself logs a line.
    let answers: Vec<&str> = answers
        .iter()
        .map(String::as_str)
        .filter(|line| *line != "name")
        .collect();
    let expected: Vec<&str> = recorded.iter().map(|(_, answer)| *answer).collect();
    let differing: Vec<String> = recorded
        .iter()
        .zip(&answers)
        .filter(|((_, expected), found)| expected != *found)
        .map(|((call, expected), found)| format!("{call}: {found}, in Envoy {expected}"))
        .collect();
    assert!(differing.is_empty(), "{differing:#?}");
    assert_eq!(answers.len(), expected.len());
}

/// The functions without a row in `pointers.txt` take no address, or belong to ABI 0.1.0.
#[test]
fn tries_every_function_that_takes_an_address() {
    let recorded = include_str!("tests/pointers.txt");
    let untried: Vec<&str> = IMPORTS
        .iter()
        .map(|import| import.name)
        .filter(|name| !recorded.contains(&format!("{name} ")))
        .collect();
    assert_eq!(
        untried,
        [
            "proxy_increment_metric",
            "proxy_record_metric",
            "proxy_get_configuration",
            "proxy_continue_request",
            "proxy_continue_response",
            "proxy_clear_route_cache",
            "pthread_equal",
            "emscripten_notify_memory_growth"
        ]
    );
}
