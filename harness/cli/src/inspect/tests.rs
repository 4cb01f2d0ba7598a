//! Reports on modules that are written for one finding each, and on those that are built here.

use std::path::Path;

use serde_json::Value;

use super::findings::Kind;
use super::origin::Sdk;
use super::print;
use super::report::Report;

/// A module without a fault; `more` is added to it.
fn report(more: &str) -> Report {
    let text = format!(
        r#"(module {more}
            (memory (export "memory") 2 8)
            (data (i32.const 64) "listener_metadata\00of no use")
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1024))))"#
    );
    Report::new(Path::new("some.wasm"), &wat::parse_str(text).unwrap())
}

fn kinds(report: &Report) -> Vec<Kind> {
    report.findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn tells_what_a_module_is() {
    let report = report(r#"(import "env" "proxy_get_log_level" (func (param i32) (result i32)))"#);
    let json = serde_json::to_value(&report).unwrap();
    let at = |pointer: &str| json.pointer(pointer).unwrap().clone();
    assert_eq!(at("/file"), "some.wasm");
    assert_eq!(at("/loads"), true);
    assert_eq!(at("/envoy_says"), Value::Array(Vec::new()));
    assert_eq!(at("/abi"), "0.2.1");
    assert_eq!(at("/allocator"), "malloc");
    assert_eq!(at("/imports/0"), "env.proxy_get_log_level");
    assert_eq!(at("/other_exports/0"), "malloc");
    assert_eq!(at("/memory/initial_pages"), 2);
    assert_eq!(at("/memory/maximum_pages"), 8);
    assert_eq!(at("/size/functions"), 2);
    assert_eq!(at("/size/data"), 27);
    assert_eq!(at("/language"), Value::Null);
    assert_eq!(at("/needs_envoy"), Value::Null);
    assert_eq!(at("/removed_properties/0/since"), "xds.listener_metadata");
    assert_eq!(kinds(&report), [Kind::RemovedProperty]);
}

#[test]
fn runs_nothing_of_a_module() {
    let traps = report(r#"(func $trap unreachable) (start $trap)"#);
    assert!(traps.loads, "{:?}", traps.envoy_says);
    let endless = report(r#"(func (export "_initialize") (loop $ever (br $ever)))"#);
    assert!(endless.loads, "{:?}", endless.envoy_says);
}

#[test]
fn says_why_envoy_refuses_a_module_and_still_what_it_is() {
    let report = report(r#"(import "env" "proxy_nothing" (func))"#);
    assert!(!report.loads);
    assert_eq!(
        report.envoy_says,
        [
            "Failed to load Wasm module due to a missing import: env.proxy_nothing",
            "Wasm VM failed Failed to initialize Wasm code"
        ]
    );
    assert_eq!(report.imports, ["env.proxy_nothing"]);
    let text = print::text(&[report]);
    assert!(text.contains("refuses it"), "{text}");
    assert!(text.contains("missing import: env.proxy_nothing"), "{text}");
}

#[test]
fn finds_what_needs_a_newer_envoy() {
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        let import =
            format!(r#"(import "{module}" "fd_tell" (func (param i32 i32) (result i32)))"#);
        let found = report(&import);
        assert_eq!(found.needs_envoy, Some("1.38"));
        assert!(kinds(&found).contains(&Kind::NeedsEnvoy));
        let text = print::text(&[found]);
        assert!(
            text.contains("needs Envoy 1.38 or later: fd_tell"),
            "{text}"
        );
    }
    let old = report(r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))"#);
    assert_eq!(old.needs_envoy, None);
}

#[test]
fn finds_callbacks_that_cost_an_entry_for_nothing_and_misspelt_ones() {
    let found = report(
        r#"(func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) i32.const 0)
           (func (export "proxy_on_done") (param i32) (result i32) local.get 0)
           (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
           (func (export "proxy_on_request_header") (param i32 i32) (result i32) i32.const 0)"#,
    );
    let idle: Vec<_> = found
        .findings
        .iter()
        .filter(|finding| finding.kind == Kind::IdleCallback)
        .collect();
    assert_eq!(idle.len(), 1, "{:?}", found.findings);
    assert_eq!(
        idle[0].what,
        "proxy_on_response_body only returns; Envoy calls it for each piece of a response's body, and its end"
    );
    let unknown = found
        .findings
        .iter()
        .find(|finding| finding.kind == Kind::UnknownCallback);
    assert_eq!(
        unknown.unwrap().what,
        "Envoy never calls proxy_on_request_header"
    );
    let names: Vec<_> = found
        .callbacks
        .iter()
        .map(|callback| (callback.name, callback.is_idle))
        .collect();
    assert_eq!(
        names,
        [
            ("proxy_on_vm_start", true),
            ("proxy_on_response_body", true),
            ("proxy_on_done", false)
        ]
    );
}

#[test]
fn finds_two_allocators_and_functions_without_files() {
    let found = report(
        r#"(import "wasi_snapshot_preview1" "fd_read" (func (param i32 i32 i32 i32) (result i32)))
           (func (export "proxy_on_memory_allocate") (param i32) (result i32) local.get 0)"#,
    );
    assert_eq!(
        kinds(&found),
        [
            Kind::RemovedProperty,
            Kind::TwoAllocators,
            Kind::Unsupported
        ]
    );
    assert_eq!(found.allocator, Some("malloc"));
}

#[test]
fn names_under_xds_and_parts_of_longer_words_are_no_removed_properties() {
    for data in [
        "xds.route_name",
        "xds\\00route_name",
        "my_route_name",
        "route_names",
        "route-name",
    ] {
        let found = report(&format!(r#"(data (i32.const 0) "{data}\00")"#));
        let names: Vec<_> = found
            .removed_properties
            .iter()
            .map(|removed| removed.name)
            .collect();
        assert_eq!(names, ["listener_metadata"], "{data}");
    }
}

#[test]
fn knows_the_modules_that_are_built_here() {
    let of = |name: &str, wasm: &[u8]| Report::new(Path::new(name), wasm);
    let filter = of("sidespan_filter.wasm", crate::FILTER);
    assert_eq!(filter.origin.language, Some("Rust"));
    assert_eq!(filter.origin.sdk, None);
    assert!(filter.loads);
    let idle: Vec<_> = filter
        .findings
        .iter()
        .filter(|finding| finding.kind == Kind::IdleCallback)
        .collect();
    assert!(idle.is_empty(), "{idle:?}");
    let floor = of("sidespan_floor.wasm", crate::FLOOR);
    assert_eq!(
        (floor.origin.language, floor.origin.sdk),
        (Some("Rust"), Some(Sdk::Rust))
    );
    assert!(kinds(&floor).contains(&Kind::SdkPanics));
    assert!(
        floor
            .producers
            .iter()
            .any(|tool| tool.starts_with("rustc 1.")),
        "{:?}",
        floor.producers
    );
}

#[test]
fn knows_languages_by_what_their_compilers_leave() {
    let of = |more: &str| report(more).origin.language;
    let text = |text: &str| of(&format!(r#"(data (i32.const 0) "{text}")"#));
    assert_eq!(text("/rustc/59807616/library/core"), Some("Rust"));
    assert_eq!(text("Go buildinf:"), Some("Go"));
    assert_eq!(
        text(r"~\00l\00i\00b\00/\00r\00t\00"),
        Some("AssemblyScript")
    );
    assert_eq!(text("nothing"), None);
    // TinyGo's runtime names C as its language, and its fork of LLVM as the tool.
    let producers = r"\02\08language\01\03C99\00\0cprocessed-by\01\05clang\0dtinygo-org/11";
    assert_eq!(
        of(&format!(r#"(@custom "producers" "{producers}")"#)),
        Some("TinyGo")
    );
    let c = r"\01\08language\01\03C99\00";
    assert_eq!(of(&format!(r#"(@custom "producers" "{c}")"#)), Some("C"));
    let cpp = r"\01\08language\01\0eC_plus_plus_14\00";
    assert_eq!(
        of(&format!(r#"(@custom "producers" "{cpp}")"#)),
        Some("C++")
    );
}

#[test]
fn a_text_of_the_module_cannot_move_the_cursor() {
    let found = report(r#"(func (export "proxy_on_\1b[2J") (param i32))"#);
    let text = print::text(&[found]);
    let shown = anstream::adapter::strip_str(&text).to_string();
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert!(shown.contains("proxy_on_\u{fffd}[2J"), "{shown:?}");
}

#[test]
fn a_file_that_is_no_module_is_told_as_envoy_tells_it() {
    let report = Report::new(Path::new("notes.txt"), b"hello");
    assert_eq!(
        report.envoy_says,
        [
            "Wasm VM failed Missing or unknown Proxy-Wasm ABI version",
            "Wasm VM failed Failed to load Wasm code"
        ]
    );
    assert_eq!(report.size.module, 5);
}
