//! `sidespan demo --ui`: its page stays open on the trace until a signal.

use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Deserializer, Value};
use sidespan_tests::http::{Request, send};

/// A running demo, which ends with the test, also with one that fails.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        // One that has ended already is only collected.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_demo_leaves_its_page_open_until_a_signal() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
        .args(["demo", "--ui", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map(Demo)
        .expect("the program");
    let out = demo.0.stdout.take().expect("a pipe");
    let report = Deserializer::from_reader(out).into_iter::<Value>().next();
    let report = report.expect("a report").expect("JSON");
    let id = report["trace_id"].as_str().expect("one trace");
    let page = report["page"].as_str().expect("an address");
    let rest = page.strip_prefix("http://").expect("http");
    let (address, view) = rest.split_once('/').expect("a path");
    assert_eq!(view, format!("#/trace/{id}"));
    let address = address.parse().expect("an address");
    let get = |path: &str| send(address, &Request::get(path));
    let document = get("/");
    assert_eq!(document.status, 200);
    assert!(String::from_utf8_lossy(&document.body).contains("<title>Sidespan</title>"));
    // A name that a stranger could own gets the page, which has no data, and nothing of the API.
    assert_eq!(get(&format!("/api/sidespan/v1/traces/{id}")).status, 403);
    let pid = Pid::from_raw(i32::try_from(demo.0.id()).expect("an id")).expect("an id");
    kill_process(pid, Signal::INT).expect("it runs");
    assert_eq!(demo.0.wait().expect("its end").code(), Some(0));
}
