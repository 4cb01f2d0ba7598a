//! The verdict over the sink's API, waiting beside a running sink, and probes.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sidespan_tests::collector::Collector;
use sidespan_tests::http::{Request, Response, send};

use super::program::{Ended, verify_of};
use super::spans::{Span, checkout, lines, stripped};

fn post(collector: &Collector, spans: &[Span]) {
    for span in spans {
        let request =
            Request::post("/v1/traces", span.line()).header("content-type", "application/json");
        let answer = send(collector.sink().http_addr(), &request);
        assert_eq!(answer.status, 200);
    }
}

fn verdict(collector: &Collector, id: &str) -> (Response, Value) {
    let path = format!("/api/sidespan/v1/traces/{id}/verdict");
    let answer = send(collector.sink().http_addr(), &Request::get(&path));
    let json = serde_json::from_slice(&answer.body).expect("JSON");
    (answer, json)
}

#[test]
fn the_sink_tells_the_verdict_on_a_trace() {
    let collector = Collector::start();
    post(&collector, &stripped());
    let id = "0000000000000001000000000000abc1";
    for digits in [id, &id[..20]] {
        let (answer, json) = verdict(&collector, digits);
        assert_eq!(answer.status, 200, "{json}");
        assert_eq!(json["traceId"], id);
        assert_eq!(json["verdict"], "broken");
        let finding = &json["findings"][0];
        assert_eq!(finding["kind"], "broken_hop");
        assert_eq!(finding["severity"], "error");
        assert_eq!(finding["hop"], json!({"from": "front", "to": "pay"}));
        assert_eq!(finding["cause"], "header_stripped");
        assert_eq!(
            finding["spanIds"],
            json!(["0000000000000002", "0000000000000003"])
        );
        for text in ["message", "cure"] {
            assert!(
                finding[text].as_str().is_some_and(|it| !it.is_empty()),
                "{finding}"
            );
        }
    }
    for (digits, status) in [("xyz", 400), ("ffff", 404), ("000000000000000", 409)] {
        assert_eq!(verdict(&collector, digits).0.status, status, "{digits}");
    }
    let whole = Collector::start();
    post(&whole, &checkout());
    let (_, json) = verdict(&whole, id);
    assert_eq!(
        json,
        json!({"traceId": id, "verdict": "whole", "findings": []})
    );
}

fn waiting(collector: &Collector, expect: &str, wait: &str) -> thread::JoinHandle<Ended> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("expect.yaml");
    std::fs::write(&file, expect).expect("a file");
    let from = format!("http://{}", collector.sink().http_addr());
    let wait = wait.to_owned();
    thread::spawn(move || {
        let file = file.to_str().expect("text");
        let ended = verify_of(&["--from", &from, "--expect", file, "--wait", &wait], "");
        drop(folder);
        ended
    })
}

#[test]
fn what_is_expected_is_waited_for_and_no_longer() {
    let collector = Collector::start();
    let begin = std::time::Instant::now();
    let running = waiting(
        &collector,
        "whole: false\nspans: [{service: pay, status: error}]\n",
        "60s",
    );
    for span in checkout() {
        post(&collector, &[span]);
    }
    let ended = running.join().expect("its end");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        begin.elapsed() < Duration::from_secs(40),
        "it ends with the span, not with the time"
    );
    // What must not be there is believed once nothing more comes.
    let running = waiting(&collector, "absent: [{service: ledger}]\n", "60s");
    let ended = running.join().expect("its end");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        begin.elapsed() < Duration::from_secs(55),
        "it ends when it is quiet"
    );
    let ended = waiting(&collector, "spans: [{service: ledger}]\n", "1s")
        .join()
        .expect("its end");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.out.contains("expected at least 1 (service ledger)"),
        "{}",
        ended.out
    );
}

#[test]
fn a_sink_is_verified_like_a_file() {
    let collector = Collector::start();
    post(&collector, &stripped());
    let from = format!("http://{}", collector.sink().http_addr());
    let of_sink = verify_of(&["--from", &from, "--json"], "");
    let of_file = verify_of(&["--from", "-", "--json"], &lines(&stripped()));
    assert_eq!(of_sink.code, Some(1), "{of_sink:?}");
    let json = |ended: &Ended| serde_json::from_str::<Value>(&ended.out).expect("JSON");
    assert_eq!(json(&of_sink), json(&of_file));
}
