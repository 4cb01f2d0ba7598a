//! The demo's page, and the README's picture of it, which `SIDESPAN_UPDATE=1` draws again.

use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Deserializer, Value, json};

use super::driver::browse_at;

/// A running demo, which ends with the test, also with one that fails.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        // One that has ended already is only collected.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_page_shows_its_one_trace() {
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
    let page = report["page"].as_str().expect("an address");
    let (origin, view) = page.split_once("/#").expect("a view");
    let spans = report["spans"].as_array().expect("spans");
    let services: std::collections::BTreeSet<_> =
        spans.iter().map(|span| span["service"].as_str()).collect();
    let given =
        json!({"view": format!("#{view}"), "spans": spans.len(), "services": services.len()});
    browse_at("demo", origin, given).await;
    let pid = Pid::from_raw(i32::try_from(demo.0.id()).expect("an id")).expect("an id");
    kill_process(pid, Signal::TERM).expect("it runs");
    assert!(demo.0.wait().expect("its end").success());
}
