//! Errors of a file that makes no sense: place and reason.

use std::fs;
use std::path::Path;

use super::load;

fn error(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    fs::write(&file, text).unwrap();
    let error = load(&file)
        .err()
        .unwrap_or_else(|| panic!("{text} is fine"));
    format!("{error:#}")
}

#[test]
fn every_mistake_is_told_with_its_line_and_its_cure() {
    for (text, expected) in [
        ("", &["expected a scenario, found nothing"][..]),
        (
            "requests: []\nexpects: {}\n",
            &["line 2", "unknown field `expects`", "after, expect"],
        ),
        (
            "requests: [{response: {status: ok}}]\n",
            &["line 1", "expected a whole number from 0 to 65535"],
        ),
        ("requests: {}\n", &["line 1", "expected a list"]),
        ("- a\n", &["line 1", "expected keys and values"]),
        (
            "workers: 0\nrequests: []\n",
            &["line 1", "a whole number from 1 to 255"],
        ),
        (
            "requests: []\nrequests: []\n",
            &["line 2", "duplicate mapping key: requests; leave out one"],
        ),
        (
            "calls: {a: [{}, {status: 200, fault: reset}]}\nrequests: []\n",
            &["calls.a[1]: `status` and `fault` are both there"],
        ),
        (
            "requests: [{request: {headers: {x: null}}}]\n",
            &["requests[0]: `request.headers.x` is null"],
        ),
        (
            "requests: [{request: {headers: {a b: c}}}]\n",
            &["requests[0]: `request.headers` has \"a b\""],
        ),
        (
            "name: x\n",
            &["neither `requests` nor `connections` is there"],
        ),
        (
            "requests: [{}]\nconnections: [{}]\n",
            &["`requests` and `connections` are both there"],
        ),
        (
            "connections: [{steps: [{client: a, ends: client}]}]\n",
            &["`steps[0]` is 2 things"],
        ),
        (
            "requests:\n- request: {headers: {b3: 0}}\n",
            &["line 2", "expected text, found 0; quote it"],
        ),
        (
            "requests:\n- request: {headers: {a: {hex: 0g}}}\n",
            &["line 2", "expected pairs of hex digits"],
        ),
        (
            "requests:\n- request: {headers: {a: {hax: 00}}}\n",
            &["line 2", "expected {hex: …}"],
        ),
        (
            "requests:\n- request:\n    path: /{id\n",
            &["line 3", "expected a name such as {trace}"],
        ),
        (
            "requests:\n- response: {after: 5}\n",
            &["line 2", "a length of time such as 250ms, 5s or 2m"],
        ),
        (
            "requests:\n- response: {after: 5 s}\n",
            &["line 2", "a length of time such as 250ms, 5s or 2m"],
        ),
        (
            "requests:\n- direction: sideways\n",
            &["line 2", "sideways", "inbound, outbound, none"],
        ),
        ("requests:\n- ending: abort\n", &["line 2", "clientAbort"]),
        (
            "requests: []\nexpect:\n  counters: {a: many}\n",
            &["line 3"],
        ),
        (
            "requests: []\nfilter: {modul: x}\n",
            &["line 2", "unknown field `modul`", "rootId"],
        ),
        (
            "requests: []\nfilter: {failurePolicy: OPEN}\n",
            &["line 2", "FAIL_OPEN"],
        ),
        (
            "requests: []\nfilter: {}\nfilters: [{}]\n",
            &["`filter` and `filters` are both there"],
        ),
        (
            "requests: []\ncalls: {auth: []}\n",
            &["`calls.auth` is empty"],
        ),
        (
            "requests: [{request: {body: a, chunks: [b]}}]\n",
            &["`request.body` and `request.chunks` are both there"],
        ),
        (
            "requests:\n- request: {body: {txt: a}}\n",
            &["line 2", "unknown field `txt`", "text"],
        ),
        (
            "requests: [{meanwhile: true}]\n",
            &["`requests[0].meanwhile` comes while nothing else"],
        ),
        (
            "requests: [{}, {}, {meanwhile: true}]\n",
            &["under way at once have one `path`"],
        ),
        ("requests: []\nrequests: []\n", &["line 2", "duplicate"]),
        (
            "requests: [\n",
            &["line 1", "scenario.yaml:1:11", "unclosed bracket"],
        ),
    ] {
        let message = error(text);
        for part in ["scenario.yaml: "].iter().chain(expected) {
            assert!(
                message.contains(part),
                "{text:?} must tell of {part:?}:\n{message}"
            );
        }
    }
    let missing = load(Path::new("no/such/file.yaml")).unwrap_err();
    assert!(format!("{missing:#}").starts_with("cannot read no/such/file.yaml: "));
}

#[test]
fn defaults_are_a_request_that_goes_well() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    fs::write(
        &file,
        "requests: [{}]\n---\nconfiguration: missing.json\nrequests: []\n",
    )
    .unwrap();
    let scenarios = load(&file).unwrap();
    assert_eq!(scenarios.len(), 2);
    assert_eq!(scenarios[0].chain()[0].configuration(&file).unwrap(), b"");
    let step = &scenarios[0].requests()[0];
    assert_eq!(
        (step.request.method.as_str(), step.response.status),
        ("GET", 200)
    );
    let error = scenarios[1].chain()[0].configuration(&file).unwrap_err();
    assert!(format!("{error:#}").contains("missing.json"), "{error:#}");
}

#[test]
fn a_configuration_in_yaml_comes_to_the_filter_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    for (name, text) in [
        ("a.json", "{\"a\":5}"),
        ("a.yaml", "a: 5"),
        ("a.yml", "{\"a\": 5}"),
    ] {
        // `sidespan check` takes the mark of the encoding, too.
        fs::write(folder.path().join(name), format!("\u{feff}{text}")).unwrap();
        fs::write(&file, format!("configuration: {name}\nrequests: []\n")).unwrap();
        let scenarios = load(&file).unwrap();
        let configuration = scenarios[0].chain()[0].configuration(&file).unwrap();
        assert_eq!(configuration, br#"{"a":5}"#, "{name}");
    }
}
