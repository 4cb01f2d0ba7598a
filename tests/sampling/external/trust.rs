//! Trust at an edge, on real Envoy: the headers that arrive behind it, and the spans at the collector.

use std::sync::OnceLock;

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_sink::StoredSpan;
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Headers, Request, Server, send};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn restart_begins_a_new_trace_with_a_link_to_the_old_one() {
    let caller = Caller::fresh();
    let arrived = in_three_formats("restart", &caller);
    assert_nothing_of(&caller, &arrived);
    let (span, _) = only_span(&arrived);
    assert_eq!(span.parent_span_id, None);
    assert_eq!(
        link(&span),
        Some((caller.trace_id, caller.span_id, "restarted".into()))
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn ignore_begins_a_new_trace_without_a_link() {
    let caller = Caller::fresh();
    let arrived = in_three_formats("ignore", &caller);
    assert_nothing_of(&caller, &arrived);
    let (span, _) = only_span(&arrived);
    assert_eq!((span.parent_span_id.as_ref(), link(&span)), (None, None));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn an_ignored_decision_is_taken_here_and_the_ids_stay() {
    let caller = Caller::fresh();
    let traceparent = caller.unsampled();
    let arrived = arrives("decide-all", &caller, "/", &[("traceparent", &traceparent)]);
    let (span, flags) = only_span(&arrived);
    assert_eq!(flags, "01");
    assert_eq!(span.trace_id, caller.trace_id);
    assert_eq!(span.parent_span_id, Some(caller.span_id));

    let caller = Caller::fresh();
    let traceparent = caller.traceparent();
    let arrived = arrives(
        "decide-none",
        &caller,
        "/",
        &[("traceparent", &traceparent)],
    );
    let (trace_id, _, flags) = traceparent_of(&arrived);
    assert_eq!((trace_id, &*flags), (caller.trace_id, "00"));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn debug_that_is_not_trusted_is_plainly_sampled() {
    for (listener, single, flags) in [("no-debug", "-1", None), ("accept", "-d", Some("1"))] {
        let caller = Caller::fresh();
        let b3 = format!("{}-{}-d", caller.trace_id, caller.span_id);
        let arrived = arrives(listener, &caller, "/", &[("b3", &b3)]);
        let left = arrived.one("b3").expect("b3");
        assert!(left.ends_with(single), "{listener}: {left}");
        assert_eq!(arrived.one("x-b3-flags").as_deref(), flags, "{listener}");
        assert_eq!(
            arrived.has("tracestate"),
            flags.is_some(),
            "MAP-1: {listener}"
        );
        only_span(&arrived);
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn what_a_gateway_trusts_holds_at_the_gateway_alone() {
    let caller = Caller::fresh();
    let arrived = in_three_formats("gateway", &caller);
    assert_nothing_of(&caller, &arrived);
    let (trace_id, ..) = traceparent_of(&arrived);
    let spans = scene().collector.trace(&trace_id, 2);
    let links: Vec<_> = spans.iter().filter_map(link).collect();
    let expected = (caller.trace_id, caller.span_id, "restarted".to_owned());
    assert_eq!(links, [expected], "the SERVER span of the two");

    let caller = Caller::fresh();
    let arrived = in_three_formats("sidecar-of-gateway", &caller);
    let (span, _) = only_span(&arrived);
    assert_eq!(span.trace_id, caller.trace_id);
    assert_eq!(span.parent_span_id, Some(caller.span_id));
    assert_eq!(arrived.one("tracestate").as_deref(), Some("vendor=1"));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_loser_of_a_conflict_is_a_link() {
    let (caller, other) = (Caller::fresh(), Caller::fresh());
    let sent = [("traceparent", caller.traceparent()), ("b3", other.b3())];
    let sent = sent.each_ref().map(|(name, value)| (*name, value.as_str()));
    let arrived = arrives("accept", &caller, "/", &sent);
    assert_nothing_of(&other, &arrived);
    let (span, _) = only_span(&arrived);
    assert_eq!(span.trace_id, caller.trace_id);
    let expected = (other.trace_id, other.span_id, "conflicting_format".into());
    assert_eq!(link(&span), Some(expected));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn mf_13_an_excluded_request_carries_nothing_in_where_the_context_is_not_accepted() {
    for listener in ["restart", "ignore", "gateway"] {
        let caller = Caller::fresh();
        let sent = three_formats(&caller);
        let sent = sent.each_ref().map(|(name, value)| (*name, value.as_str()));
        let arrived = arrives(listener, &caller, "/health", &sent);
        for (name, _) in sent {
            assert!(!arrived.has(name), "{listener}: {name}");
        }
    }
    let caller = Caller::fresh();
    let sent = three_formats(&caller);
    let sent = sent.each_ref().map(|(name, value)| (*name, value.as_str()));
    let arrived = arrives("accept", &caller, "/health", &sent);
    for (name, value) in sent {
        assert_eq!(arrived.one(name).as_deref(), Some(value), "untouched");
    }
}

/// Returns W3C, B3 and Jaeger headers of one span, and a `tracestate`.
fn three_formats(caller: &Caller) -> [(&'static str, String); 4] {
    [
        ("traceparent", caller.traceparent()),
        ("tracestate", "vendor=1".into()),
        ("b3", caller.b3()),
        (
            "uber-trace-id",
            format!("{}:{}:0:1", caller.trace_id, caller.span_id),
        ),
    ]
}

fn in_three_formats(listener: &str, caller: &Caller) -> Headers {
    let sent = three_formats(caller);
    let sent = sent.each_ref().map(|(name, value)| (*name, value.as_str()));
    arrives(listener, caller, "/", &sent)
}

/// Sends a request through a listener and returns the headers that arrive behind it.
fn arrives(listener: &str, caller: &Caller, path: &str, headers: &[(&str, &str)]) -> Headers {
    let scene = scene();
    // The exclude list compares the path alone, so the caller's id stands in the query.
    let path = format!("{path}?{}", caller.trace_id);
    let envoys = [&scene.sidecar, &scene.gateway];
    let address = envoys
        .into_iter()
        .find_map(|envoy| envoy.address(listener).ok());
    let response = send(
        address.expect(listener),
        &Request::get(&path).headers(headers),
    );
    assert_eq!(response.status, 200);
    scene.upstream.only(&path).headers
}

/// Returns trace id, span id and flags.
fn traceparent_of(arrived: &Headers) -> (String, String, String) {
    let traceparent = arrived.one("traceparent").expect("a traceparent");
    let fields: Vec<&str> = traceparent.split('-').collect();
    (fields[1].into(), fields[2].into(), fields[3].into())
}

/// Returns the only span of a request through a sidecar, and the flags that left.
fn only_span(arrived: &Headers) -> (StoredSpan, String) {
    let (trace_id, span_id, flags) = traceparent_of(arrived);
    let spans = scene().collector.trace(&trace_id, 1);
    let [span] = &spans[..] else {
        panic!("one span: {spans:#?}");
    };
    assert_eq!(span.span_id, span_id, "MAP-10");
    (span.clone(), flags)
}

/// Returns the trace, the span and the reason of a span's only link.
fn link(span: &StoredSpan) -> Option<(String, String, String)> {
    assert!(span.links.len() <= 1, "{span:#?}");
    let link = span.links.first()?;
    let reason = link
        .attributes
        .iter()
        .find(|attribute| attribute.key == "link.reason");
    let reason = reason.and_then(|attribute| attribute.value.as_str());
    Some((
        link.trace_id.clone(),
        link.span_id.clone(),
        reason?.to_owned(),
    ))
}

fn assert_nothing_of(caller: &Caller, arrived: &Headers) {
    for (name, value) in arrived.lines() {
        let value = String::from_utf8_lossy(value);
        let is_theirs = value.contains(&caller.trace_id) || value.contains(&caller.span_id);
        assert!(name.starts_with(':') || !is_theirs, "{name}: {value}");
        // A trace that starts here has its probability.
        let is_ours = value.starts_with("ot=th:") && !value.contains(',');
        assert!(name != "tracestate" || is_ours, "{name}: {value}");
    }
}

struct Scene {
    collector: Collector,
    upstream: Server,
    sidecar: Envoy,
    gateway: Envoy,
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let collector = Collector::start();
        let upstream = Server::ok();
        let configuration = |percentage: u8, trust: Value, gateway: Value| {
            json!({
                "sampling": {"percentage": percentage, "exclude": [{"path": "/health"}]},
                "trust": trust,
                "gateway": gateway,
                "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
            })
        };
        let at_gateway = configuration(100, json!({}), json!({"trust": {"context": "restart"}}));
        let trusting = |percentage, trust| configuration(percentage, trust, json!({}));
        let start = |node, listeners: &[(&str, Value)]| {
            let mut bootstrap = Bootstrap::new(node)
                .cluster(Cluster::new("app", upstream.address()))
                .cluster(collector.grpc_cluster("collector"));
            for (name, configuration) in listeners {
                // Istio's gateway listeners are outbound; the node makes an edge of them.
                let direction = match *name {
                    "gateway" => Direction::Outbound,
                    _ => Direction::Inbound,
                };
                let listener = Listener::new(name)
                    .direction(direction)
                    .route(Route::to("app"));
                bootstrap = bootstrap.listener(listener.filter(filter(configuration).filter()));
            }
            envoy::start(&bootstrap)
        };
        let sidecar = start(
            Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"),
            &[
                ("accept", trusting(100, json!({}))),
                ("restart", trusting(100, json!({"context": "restart"}))),
                ("ignore", trusting(100, json!({"context": "ignore"}))),
                ("decide-all", trusting(100, json!({"decision": "ignore"}))),
                ("decide-none", trusting(0, json!({"decision": "ignore"}))),
                ("no-debug", trusting(100, json!({"debug": false}))),
                ("sidecar-of-gateway", at_gateway.clone()),
            ],
        );
        let gateway = start(
            Node::gateway("istio-system", "istio-ingressgateway-5f9c5b8f6-abcde"),
            &[("gateway", at_gateway)],
        );
        Scene {
            collector,
            upstream,
            sidecar,
            gateway,
        }
    })
}
