//! Other filters in the chain, in front of this one and behind it, which rewrite answers or give their own: what each span
//! tells, and what is kept, sampled and not, on a real Envoy.
//!
//! A CLIENT span tells what came from the upstream's side as it passed the filter, a SERVER span what the client got. Each is
//! an error by what it tells, and kept if it is one; and where Envoy itself got no answer both are, whatever the code says.

use std::collections::BTreeMap;

use sidespan_sink::{SpanKind, StatusCode, StoredSpan, Value};
use sidespan_tests::caller::Caller;
use sidespan_tests::http::{Request, send};

mod cases;
mod filters;
mod scene;

use cases::Told;
use scene::{Scene, Way};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn each_span_tells_its_own_side_beside_filters_that_rewrite_answers() {
    let cases = cases::all();
    let scene = Scene::start(&cases);
    let mut runs = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        for way in Way::ALL {
            let sampled = Caller::fresh();
            let unsampled = Caller::fresh();
            for (caller, is_sampled) in [(&sampled, true), (&unsampled, false)] {
                let context = match is_sampled {
                    true => caller.traceparent(),
                    false => caller.unsampled(),
                };
                let request = case.request.clone().header("traceparent", context);
                let answer = send(scene.address(index, way), &request);
                assert_eq!(answer.status, case.answer, "{} ({way:?})", case.title);
            }
            runs.push((case, way, sampled, unsampled));
        }
    }
    // Spans arrive in the order in which they ended, so all have arrived when that of a later failure has.
    let last = Caller::fresh();
    let request = Request::get("/status/500").header("traceparent", last.unsampled());
    send(scene.plain(), &request);
    scene.collector.trace(&last.trace_id, 1);
    let mut failures = Vec::new();
    for (case, way, sampled, unsampled) in &runs {
        let expected = case.told(*way);
        let sampled = scene
            .collector
            .trace_if_any(&sampled.trace_id, expected.len());
        let kept = scene.collector.sink().trace(&unsampled.trace_id);
        let mut check = |what: &str, found: Vec<String>, expected: Vec<String>| {
            if found != expected {
                failures.push(format!(
                    "{} ({way:?}), {what}: {found:?} in place of {expected:?}",
                    case.title
                ));
            }
        };
        let all = expected.iter().map(|(kind, told)| told.line(*kind));
        check("sampled", lines(&sampled), all.collect());
        let failed = expected.iter().filter(|(_, told)| told.is_kept);
        let failed = failed.map(|(kind, told)| told.line(*kind));
        check("kept", lines(&kept), failed.collect());
        for span in &kept {
            let twin = sampled.iter().find(|other| other.kind == span.kind);
            check(
                "a kept span",
                story(span),
                twin.map(story).unwrap_or_default(),
            );
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

impl Told {
    fn line(&self, kind: SpanKind) -> String {
        line(kind, self.code, self.is_error)
    }
}

fn line(kind: SpanKind, code: &str, is_error: bool) -> String {
    let error = if is_error { " error" } else { "" };
    format!("{kind:?} {code}{error}")
}

/// Returns kind, code and status of each span, SERVER first.
fn lines(spans: &[StoredSpan]) -> Vec<String> {
    let mut lines: Vec<String> = spans
        .iter()
        .map(|span| {
            let code = ["rpc.response.status_code", "http.response.status_code"]
                .iter()
                .find_map(|key| span.attribute(key))
                .map(text)
                .unwrap_or_default();
            line(span.kind, &code, span.status.code == StatusCode::Error)
        })
        .collect();
    lines.sort_by_key(|line| line.starts_with("Client"));
    lines
}

/// Returns all that a span tells of its exchange, but for what differs between any two requests.
fn story(span: &StoredSpan) -> Vec<String> {
    let own = ["sidespan.kept", "sidespan.decision", "network.peer.port"];
    let told: BTreeMap<&str, String> = span
        .attributes
        .iter()
        .filter(|pair| !own.contains(&pair.key.as_str()))
        .map(|pair| (pair.key.as_str(), text(&pair.value)))
        .collect();
    let told = told.iter().map(|(key, value)| format!("{key}={value}"));
    [format!("{:?} {} {:?}", span.kind, span.name, span.status)]
        .into_iter()
        .chain(told)
        .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}
