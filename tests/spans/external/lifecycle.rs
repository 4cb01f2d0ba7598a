//! The spans that a proxy makes, and all ways in which a request can end, each of which makes exactly these.

use std::sync::OnceLock;

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_sink::{SpanKind, StatusCode, StoredSpan, Value};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, filter};
use sidespan_tests::http::{Connection, Reply, Request, Response, Server, send};
use sidespan_tests::http2;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn inbound_is_a_server_span() {
    let call = Call::to(INBOUND, "/ok");
    let [server] = call.spans();
    assert_eq!(server.kind, SpanKind::Server);
    assert_eq!(
        server.parent_span_id.as_ref(),
        Some(&call.caller.span_id),
        "MAP-10"
    );
    assert_eq!(
        call.sent_upstream(),
        (call.caller.trace_id.clone(), server.span_id.clone()),
        "MAP-10"
    );
    assert_outcome(&server, Some(200), StatusCode::Unset, None);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn outbound_is_a_client_span() {
    let call = Call::to(OUTBOUND, "/ok");
    let [client] = call.spans();
    assert_eq!(client.kind, SpanKind::Client);
    assert_eq!(
        client.parent_span_id.as_ref(),
        Some(&call.caller.span_id),
        "MAP-10"
    );
    assert_eq!(
        call.sent_upstream(),
        (call.caller.trace_id.clone(), client.span_id.clone()),
        "MAP-10"
    );
    assert_outcome(&client, Some(200), StatusCode::Unset, None);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_listener_without_direction_is_an_edge() {
    assert_edge(&Call::to(PLAIN, "/ok"));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn an_istio_gateway_is_an_edge_though_its_listeners_are_outbound() {
    assert_edge(&Call::to(GATEWAY, "/ok"));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_failing_upstream_fails_the_span() {
    let [server] = Call::to(INBOUND, "/500").spans();
    assert_outcome(&server, Some(500), StatusCode::Error, Some("500"));
    let [client] = Call::to(OUTBOUND, "/500").spans();
    assert_outcome(&client, Some(500), StatusCode::Error, Some("500"));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_refused_request_fails_the_client_alone() {
    let [server] = Call::to(INBOUND, "/404").spans();
    assert_outcome(&server, Some(404), StatusCode::Unset, None);
    let [client] = Call::to(OUTBOUND, "/404").spans();
    assert_outcome(&client, Some(404), StatusCode::Error, Some("404"));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_local_reply_ends_the_span() {
    for listener in [INBOUND, OUTBOUND] {
        let call = Call::to(listener, "/nobody");
        assert_eq!(call.status, Some(503));
        let [span] = call.spans();
        assert_outcome(&span, Some(503), StatusCode::Error, Some("503"));
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_local_reply_ends_both_spans_of_an_edge() {
    let [server, client] = Call::to(PLAIN, "/nobody").edge();
    for span in [server, client] {
        assert_outcome(&span, Some(503), StatusCode::Error, Some("503"));
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn an_upstream_that_hangs_up_ends_the_span() {
    for listener in [INBOUND, OUTBOUND] {
        let call = Call::to(listener, "/hangup");
        assert_eq!(call.status, Some(503));
        let [span] = call.spans();
        assert_outcome(&span, Some(503), StatusCode::Error, Some("503"));
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_response_that_is_cut_fails_the_span_and_keeps_its_status_code() {
    for listener in [INBOUND, OUTBOUND] {
        let [span] = Call::to(listener, "/cut").spans();
        // Envoy's flag is UPE, because less came than `content-length` had announced.
        assert_outcome(
            &span,
            Some(200),
            StatusCode::Error,
            Some("upstream_protocol_error"),
        );
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_caller_that_goes_away_ends_the_span() {
    let [server] = Call::abandoned(INBOUND).spans();
    assert_outcome(&server, None, StatusCode::Error, Some("downstream_reset"));
    let [client] = Call::abandoned(OUTBOUND).spans();
    assert_outcome(&client, None, StatusCode::Unset, None);
}

/// Resets by HTTP/2, because Envoy has a flag of its own for a stream that ends while its connection stays.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_caller_that_resets_its_stream_before_the_answer_ends_the_span() {
    let [server] = Call::reset(INBOUND, "/silence").spans();
    assert_outcome(&server, None, StatusCode::Error, Some("downstream_reset"));
    let [client] = Call::reset(OUTBOUND, "/silence").spans();
    assert_outcome(&client, None, StatusCode::Unset, None);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_caller_that_resets_its_stream_within_the_answer_has_what_it_came_for() {
    for listener in [INBOUND, OUTBOUND] {
        let call = Call::reset(listener, "/stall");
        assert_eq!(call.status, Some(200));
        let [span] = call.spans();
        assert_outcome(&span, Some(200), StatusCode::Unset, None);
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn an_unsampled_request_makes_no_span_and_gets_a_span_id_of_its_own() {
    let caller = Caller::fresh();
    let call = Call::with(INBOUND, "/ok", caller.clone(), &caller.unsampled());
    let [] = call.spans();
    let (trace_id, span_id) = call.sent_upstream();
    assert_eq!(trace_id, caller.trace_id);
    assert_ne!(span_id, caller.span_id, "MAP-12");
}

fn assert_edge(call: &Call) {
    let [server, client] = call.edge();
    assert_eq!(server.parent_span_id.as_ref(), Some(&call.caller.span_id));
    assert_eq!(client.parent_span_id.as_ref(), Some(&server.span_id));
    assert_eq!(
        call.sent_upstream(),
        (call.caller.trace_id.clone(), client.span_id.clone())
    );
    for span in [&server, &client] {
        assert_outcome(span, Some(200), StatusCode::Unset, None);
    }
}

fn assert_outcome(
    span: &StoredSpan,
    status_code: Option<i64>,
    status: StatusCode,
    error_type: Option<&str>,
) {
    let seen = span
        .attribute("http.response.status_code")
        .and_then(Value::as_int);
    let failed = span.attribute("error.type").and_then(Value::as_str);
    assert_eq!(
        (seen, span.status.code, failed),
        (status_code, status, error_type),
        "{span:#?}"
    );
    assert!(
        span.end_unix_nanos >= span.start_unix_nanos && span.start_unix_nanos > 0,
        "MS-5: {span:#?}"
    );
}

/// One request through one of the scene's listeners.
struct Call {
    listener: &'static str,
    path: String,
    caller: Caller,
    status: Option<u16>,
}

impl Call {
    fn to(listener: &'static str, path: &str) -> Self {
        let caller = Caller::fresh();
        let traceparent = caller.traceparent();
        Self::with(listener, path, caller, &traceparent)
    }

    fn with(listener: &'static str, path: &str, caller: Caller, traceparent: &str) -> Self {
        let path = format!("{path}/{}", caller.trace_id);
        let request = Request::get(&path).header("traceparent", traceparent);
        let answer = Connection::open(scene().address(listener))
            .and_then(|mut open| open.exchange(&request));
        // A response that is cut off has no status.
        let status = answer.ok().map(|Response { status, .. }| status);
        Self {
            listener,
            path,
            caller,
            status,
        }
    }

    /// Makes a call whose caller leaves while the upstream is silent.
    fn abandoned(listener: &'static str) -> Self {
        let caller = Caller::fresh();
        let path = format!("/silence/{}", caller.trace_id);
        let request = Request::get(&path).header("traceparent", caller.traceparent());
        let connection = Connection::open(scene().address(listener)).expect("a listener");
        connection
            .abandon(&request, || drop(scene().upstream.wait(&path)))
            .expect("a request on its way");
        Self {
            listener,
            path,
            caller,
            status: None,
        }
    }

    /// Makes a call whose caller resets its stream and keeps its connection: once the upstream has started its response,
    /// or, if it never does, once it has the request.
    fn reset(listener: &'static str, path: &str) -> Self {
        let caller = Caller::fresh();
        let answers = path == "/stall";
        let path = format!("{path}/{}", caller.trace_id);
        let scene = scene();
        let resets = format!("http.{listener}.downstream_rq_rx_reset");
        let before = scene.sidecar.stat(&resets).expect("the admin interface");
        let mut connection = http2::Connection::open(scene.address(listener));
        let stream = connection.request(&path, &caller.traceparent());
        let status = if answers {
            Some(stream.reset_within_the_answer())
        } else {
            scene.upstream.wait(&path);
            stream.reset();
            None
        };
        scene
            .sidecar
            .wait_for_stat(&resets, |now| now > before.unwrap_or(0), LIMIT)
            .unwrap_or_else(|error| panic!("{error}"));
        connection.close();
        Self {
            listener,
            path,
            caller,
            status,
        }
    }

    /// Returns the spans of this call, of which there are exactly `N`.
    ///
    /// Where no full batch waits, a worker's spans arrive in the order in which they ended, so all of this call have arrived
    /// when those of a later request have.
    fn spans<const N: usize>(&self) -> [StoredSpan; N] {
        let scene = scene();
        scene.collector.trace(&self.caller.trace_id, N);
        let later = Caller::fresh();
        let request = Request::get("/ok/later").header("traceparent", later.traceparent());
        assert_eq!(send(scene.address(self.listener), &request).status, 200);
        scene.collector.trace(&later.trace_id, 1);
        let spans = scene.collector.sink().trace(&self.caller.trace_id);
        spans
            .try_into()
            .unwrap_or_else(|spans| panic!("{N} spans expected: {spans:#?}"))
    }

    /// Returns the two spans of an edge, the SERVER first.
    fn edge(&self) -> [StoredSpan; 2] {
        let mut spans: [StoredSpan; 2] = self.spans();
        spans.sort_by_key(|span| span.kind != SpanKind::Server);
        assert_eq!(
            [spans[0].kind, spans[1].kind],
            [SpanKind::Server, SpanKind::Client]
        );
        spans
    }

    /// Returns the trace id and the span id of the traceparent that went upstream.
    fn sent_upstream(&self) -> (String, String) {
        let traceparent = scene()
            .upstream
            .only(&self.path)
            .headers
            .one("traceparent")
            .expect("a traceparent");
        let fields: Vec<&str> = traceparent.split('-').collect();
        (fields[1].into(), fields[2].into())
    }
}

/// A sidecar and a gateway, with the upstream and the collector behind them.
struct Scene {
    collector: Collector,
    upstream: Server,
    sidecar: Envoy,
    gateway: Envoy,
}

impl Scene {
    fn address(&self, listener: &str) -> std::net::SocketAddr {
        let envoy = if listener == GATEWAY {
            &self.gateway
        } else {
            &self.sidecar
        };
        envoy.address(listener).expect("a listener of the scene")
    }
}

const INBOUND: &str = "inbound";
const OUTBOUND: &str = "outbound";
const PLAIN: &str = "plain";
const GATEWAY: &str = "gateway";

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let collector = Collector::start();
        let upstream = Server::start(|request| match request.path.split('/').nth(1) {
            Some("hangup") => Reply::HangUp,
            Some("cut") => Reply::Cut,
            Some("stall") => Reply::Stall,
            Some("silence") => Reply::Silence,
            Some(first) => Reply::status(first.parse().unwrap_or(200)),
            None => Reply::status(200),
        });
        let configuration = json!({
            "sampling": {"percentage": 100},
            "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
        });
        let start = |node, listeners: &[Listener]| {
            let mut bootstrap = Bootstrap::new(node)
                .cluster(Cluster::new("app", upstream.address()))
                .cluster(Cluster::empty("nobody"))
                .cluster(collector.grpc_cluster("collector"));
            for listener in listeners {
                let routes = [Route::to("nobody").prefix("/nobody"), Route::to("app")];
                let listener = routes.into_iter().fold(listener.clone(), Listener::route);
                bootstrap = bootstrap.listener(listener.filter(filter(&configuration).filter()));
            }
            envoy::start(&bootstrap)
        };
        let inbound = Listener::new(INBOUND).direction(Direction::Inbound);
        let outbound = Listener::new(OUTBOUND).direction(Direction::Outbound);
        let sidecar = start(
            Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"),
            &[inbound, outbound, Listener::new(PLAIN)],
        );
        let gateway = Listener::new(GATEWAY).direction(Direction::Outbound);
        let gateway = start(
            Node::gateway("istio-system", "istio-ingressgateway-5f9c5b8f6-abcde"),
            &[gateway],
        );
        Scene {
            collector,
            upstream,
            sidecar,
            gateway,
        }
    })
}
