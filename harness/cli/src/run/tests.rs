//! Whole scenarios with the real filter, and their printed reports.

use std::path::PathBuf;
use std::{fs, io};

use super::report::Report;
use super::{RunArgs, Runner, run_to};

fn report(scenario: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    fs::write(&file, scenario).unwrap();
    let runner = Runner::new(crate::embedded::FILTER).unwrap();
    let mut reports = runner
        .run_file(&file)
        .unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn failures(scenario: &str) -> Vec<String> {
    let line = |failure: super::report::Failure| {
        format!(
            "{}: expected {}, found {}",
            failure.at, failure.expected, failure.found
        )
    };
    report(scenario).failures.into_iter().map(line).collect()
}

const RECORDED: &str = r#"
name: one recorded request
collector: ok
configuration: {sampling: {percentage: 100}, export: {otlp: {cluster: collector}}}
node: {metadata: {NAMESPACE: payments}}
let: {trace: 4bf92f3577b34da6a3ce929d0e0e4736, caller: 00f067aa0ba902b7}
requests:
  - name: from W3C
    request:
      path: /pay
      headers: {traceparent: "00-{trace}-{caller}-01"}
    response: {after: 20ms}
"#;

#[test]
fn the_same_scenario_gives_the_same_run() {
    let (first, second) = (report(RECORDED), report(RECORDED));
    assert_eq!(first.exchanges[0].upstream, second.exchanges[0].upstream);
    assert_eq!(first.spans, second.spans);
    assert_eq!(first.logs, second.logs);
    assert_eq!(first.spans.len(), 1);
    assert_eq!(first.spans[0].end - first.spans[0].start, 20_000_000);
    let other = report(&format!("seed: 2{RECORDED}"));
    assert_ne!(first.spans[0].span_id, other.spans[0].span_id);
}

#[test]
fn what_is_printed_shows_what_the_filter_did() {
    let mut report = report(&format!("{RECORDED}    expect: {{upstream: {{b3: x}}}}\n"));
    report.file = "scenario.yaml".into();
    let mut printed = Vec::new();
    report
        .print(&mut anstream::StripStream::new(&mut printed))
        .unwrap();
    let printed = String::from_utf8(printed).unwrap();
    let span = &report.spans[0].span_id;
    for part in [
        "scenario.yaml: one recorded request\n  from W3C\n",
        "    - traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
        &format!("    + traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-{span}-01\n"),
        &format!(
            "  spans\n    4bf92f3577b34da6a3ce929d0e0e4736 {span} parent 00f067aa0ba902b7 server "
        ),
        " GET 20000 µs unset\n",
        "  log of the main thread\n    info: ",
        "  counters\n",
        "       1 sidespan.spans.exported\n",
        "  not as expected: requests[0].expect.upstream.b3\n    expected x\n    found    none\n",
    ] {
        assert!(printed.contains(part), "{part:?} in\n{printed}");
    }
}

#[test]
fn each_way_of_ending_reaches_the_filter() {
    for (ending, expected) in [
        (
            "complete",
            "status: unset, attributes: {http.response.status_code: 200}",
        ),
        (
            "connectFailure",
            "status: error, attributes: {http.response.status_code: 503}",
        ),
        (
            "upstreamReset",
            "status: error, attributes: {http.response.status_code: 503}",
        ),
        (
            "upstreamTimeout",
            "status: error, attributes: {http.response.status_code: 504}",
        ),
        (
            "clientAbort",
            "attributes: {http.response.status_code: null}",
        ),
    ] {
        let scenario =
            format!("{RECORDED}    ending: {ending}\nexpect: {{spans: [{{{expected}}}]}}\n");
        assert_eq!(failures(&scenario), [""; 0], "{ending}");
    }
}

#[test]
fn the_collector_is_as_the_scenario_says() {
    for (collector, protocol, counter, exported) in [
        ("ok", "grpc", "sidespan.spans.exported: 1", 1),
        ("ok", "http/protobuf", "sidespan.spans.exported: 1", 1),
        ("unavailable", "grpc", "sidespan.spans.exported: 0", 0),
        (
            "unavailable",
            "http/protobuf",
            "sidespan.spans.exported: 0",
            0,
        ),
        ("unreachable", "grpc", "sidespan.spans.exported: 0", 0),
    ] {
        let scenario = RECORDED.replace(
            "cluster: collector",
            &format!("cluster: c, protocol: {protocol}"),
        );
        let scenario = scenario.replace("collector: ok", &format!("collector: {collector}"));
        let scenario = format!("{scenario}expect: {{counters: {{{counter}}}}}\n");
        let report = report(&scenario);
        assert!(
            report.failures.is_empty(),
            "{collector} {protocol}: {report:#?}"
        );
        assert_eq!(report.spans.len(), exported, "{collector} {protocol}");
        let failed = report
            .counters
            .get("sidespan.export.failures")
            .is_some_and(|count| *count > 0);
        assert_eq!(failed, exported == 0, "{collector} {protocol}");
    }
}

#[test]
fn bytes_that_are_not_text_go_in_and_come_out() {
    let scenario = r#"
requests:
  - request: {headers: {x-binary: [{hex: ff80}, text]}, body: some}
    response: {headers: {x-answer: {hex: fe}}, body: some, trailers: {x-end: "1"}}
    expect:
      unchanged: true
      upstream: {x-binary: [{hex: ff80}, text]}
      downstream: {x-answer: {hex: fe}, ":status": "200"}
"#;
    assert_eq!(failures(scenario), [""; 0]);
}

#[test]
fn the_exit_code_says_how_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let code = |text: &str, module: Option<&str>| {
        let file = folder.path().join("scenario.yaml");
        fs::write(&file, text).unwrap();
        let module = module.map(PathBuf::from);
        let args = RunArgs {
            files: vec![file],
            module,
            json: true,
            ..RunArgs::default()
        };
        let code = run_to(&args, &mut io::sink()).unwrap();
        format!("{code:?}")
    };
    let of = |code: u8| format!("{:?}", std::process::ExitCode::from(code));
    assert_eq!(code("requests: [{}]", None), of(0));
    assert_eq!(
        code("requests: [{expect: {upstream: {b3: x}}}]", None),
        of(1)
    );
    assert_eq!(code("requests: [{}]\nexpcet: {}", None), of(2));
    assert_eq!(code("requests: [{request: {path: '/{x}'}}]", None), of(2));
    assert_eq!(code("requests: [{}]", Some("no/such.wasm")), of(2));
}

#[test]
fn a_file_that_cannot_be_run_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (fine, text) = (folder.path().join("fine"), folder.path().join("text"));
    fs::write(&fine, "name: fine\nrequests: [{}]").unwrap();
    fs::write(
        &text,
        "name: text\nconfiguration: gone.json\nrequests: [{}]",
    )
    .unwrap();
    for json in [true, false] {
        let args = RunArgs {
            files: vec![text.clone(), "no/such.yaml".into(), fine.clone()],
            json,
            ..RunArgs::default()
        };
        let mut printed = Vec::new();
        let code = run_to(&args, &mut printed).unwrap();
        assert_eq!(
            format!("{code:?}"),
            format!("{:?}", std::process::ExitCode::from(2))
        );
        let printed = String::from_utf8(printed).unwrap();
        assert!(printed.contains("fine"), "{printed}");
        if json {
            let object: serde_json::Value = serde_json::from_str(&printed).unwrap();
            assert_eq!(object["as_expected"], false);
            assert_eq!(object["scenarios"][0]["scenario"], "fine");
            assert_eq!(object["errors"][0]["file"], text.display().to_string());
            assert_eq!(object["errors"][1]["file"], "no/such.yaml");
            let message = object["errors"][1]["message"].as_str().unwrap();
            assert!(message.starts_with("cannot read no/such.yaml"), "{message}");
        }
    }
}

#[test]
fn junit_has_a_case_for_each_scenario_and_an_error_for_what_cannot_be_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    let text =
        "name: fine\nrequests: [{}]\n---\nname: not fine\nrequests: [{expect: {details: x}}]\n";
    fs::write(&file, text).unwrap();
    let args = RunArgs {
        files: vec![file, "no/such.yaml".into()],
        junit: Some("-".into()),
        ..RunArgs::default()
    };
    let mut printed = Vec::new();
    run_to(&args, &mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    for part in [
        r#"<testsuites name="sidespan run" tests="3" failures="1" errors="1">"#,
        r#"name="fine""#,
        r#"<failure message="requests[0].expect.details is not as expected""#,
        "expected x\nfound    via_upstream",
        r#"<error message="cannot read no/such.yaml"#,
    ] {
        assert!(printed.contains(part), "{part:?} in\n{printed}");
    }
}

const REMOVES_A_HEADER: &str = r#"(module
    (import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "x-secret")
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (call $remove (i32.const 0) (i32.const 64) (i32.const 8))))"#;

#[test]
fn a_chain_takes_modules_beside_the_scenario_and_named_ones() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    fs::write(folder.path().join("removes.wat"), REMOVES_A_HEADER).unwrap();
    let scenario = "filters: [{module: removes.wat}, {module: named, vmId: b}]\nrequests: [{request: {headers: {x-secret: s}}, expect: {upstream: {x-secret: null}}}]";
    fs::write(&file, scenario).unwrap();
    let runner = Runner::new(crate::embedded::FILTER).unwrap();
    let error = runner.run_file(&file).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("`--guest named=FILE` names one"), "{error}");
    let runner = runner.guest("named", &folder.path().join("removes.wat"));
    let reports = runner
        .run_file(&file)
        .unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(reports[0].failures, []);
    assert_eq!(
        reports[0].exchanges[0].details.as_deref(),
        Some("via_upstream")
    );
}

/// Logs, counts and adds a header, each with an order to the terminal in it, and a line that looks like the verdict.
const STEERS_THE_TERMINAL: &str = r#"(module
    (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
    (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
    (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "\1b[2J\0a  as expected\c2\9b31m\e2\80\ae")
    (data (i32.const 128) "x-\1b[2J")
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (drop (call $log (i32.const 4) (i32.const 64) (i32.const 26)))
        (drop (call $define (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 8)))
        (drop (call $increment (i32.load (i32.const 8)) (i64.const 1)))
        (drop (call $add (i32.const 0) (i32.const 128) (i32.const 6) (i32.const 64) (i32.const 4)))
        (i32.const 0)))"#;

#[test]
fn a_module_cannot_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    fs::write(folder.path().join("steers.wat"), STEERS_THE_TERMINAL).unwrap();
    fs::write(&file, "filters: [{module: steers.wat}]\nrequests: [{}]").unwrap();
    for json in [false, true] {
        let args = RunArgs {
            files: vec![file.clone()],
            json,
            ..RunArgs::default()
        };
        let mut printed = Vec::new();
        run_to(&args, &mut printed).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        for part in ["[2J", "31m"] {
            assert!(printed.contains(part), "{part} in {printed:?}");
        }
        // Orders of our own are colours alone.
        let orders = printed.split('\u{1b}').skip(1);
        for order in orders {
            let colour = order.strip_prefix('[').and_then(|it| it.split_once('m'));
            let is_colour = |digits: &str| digits.bytes().all(|it| it.is_ascii_digit());
            assert!(
                colour.is_some_and(|(digits, _)| is_colour(digits)),
                "{order:?}"
            );
        }
        let obeyed = |it: char| it.is_control() && !['\n', '\u{1b}'].contains(&it);
        assert!(!printed.contains(obeyed), "{printed:?}");
        assert!(!printed.contains('\u{202e}'), "{printed:?}");
        let plain = anstream::adapter::strip_str(&printed).to_string();
        let verdicts = plain.lines().filter(|line| *line == "  as expected");
        assert_eq!(verdicts.count(), usize::from(!json), "{plain}");
    }
}
