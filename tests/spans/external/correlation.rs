//! On real Envoy: an application that passes on `x-request-id` and nothing else, behind a sidecar with two workers.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread;

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route};
use sidespan_sink::{SpanKind, StoredSpan};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, counter, filter, settle, wait_for_counter};
use sidespan_tests::http::{Reply, Request, Server, send};

const CALLERS: u64 = 4;
const REQUESTS: u64 = 25;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn an_application_that_hands_on_the_id_alone_is_in_the_middle_of_one_trace() {
    let scene = Scene::start(true);
    // Several at once, each with a trace of its own; an id can find its place taken, which the test has to see.
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| (0..REQUESTS).for_each(|_| scene.passes()));
        }
    });
    let all = CALLERS * REQUESTS;
    let joined = wait_for_counter(&scene.envoy, "context.correlated", |count| count + 5 >= all);
    println!("{joined} of {all} joined");
    // A trace that is not sampled stays so behind the application.
    let caller = Caller::fresh();
    let unsampled = caller.traceparent().replace("-01", "-00");
    scene.send(&unsampled);
    let behind = scene.arrived(&unsampled);
    assert!(
        behind.contains(&caller.trace_id) && behind.ends_with("-00"),
        "{behind}"
    );
    settle(&scene.envoy);
    assert!(scene.collector.sink().trace(&caller.trace_id).is_empty());
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn without_the_key_the_same_application_breaks_the_trace() {
    let scene = Scene::start(false);
    let caller = Caller::fresh();
    let traceparent = caller.traceparent();
    scene.send(&traceparent);
    let behind = scene.arrived(&traceparent);
    assert!(!behind.contains(&caller.trace_id), "{behind}");
    let spans = scene.collector.trace(&caller.trace_id, 1);
    assert_eq!(spans.len(), 1, "the SERVER span is alone");
    settle(&scene.envoy);
    assert_eq!(counter(&scene.envoy, "context.correlated"), 0);
}

/// A caller, a sidecar, an application, the sidecar again, and a server behind.
struct Scene {
    envoy: Envoy,
    collector: Collector,
    behind: Server,
    _application: Server,
}

impl Scene {
    fn start(correlates: bool) -> Self {
        let collector = Collector::start();
        let behind = Server::ok();
        let way_out = Arc::new(OnceLock::<SocketAddr>::new());
        let application = {
            let way_out = Arc::clone(&way_out);
            Server::start(move |request| {
                let id = request.headers.one("x-request-id").expect("Envoy's id");
                // The path is only for the test to find the call again.
                let call = Request::get(&request.path).header("x-request-id", id);
                send(*way_out.get().expect("a listener"), &call);
                Reply::status(200)
            })
        };
        let configuration = json!({
            "correlation": {"requestId": correlates},
            "sampling": {"percentage": 0},
            "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
        });
        let listener = |name: &str, direction, cluster: &str| {
            Listener::new(name)
                .direction(direction)
                .route(Route::to(cluster))
                .filter(filter(&configuration).filter())
        };
        let envoy = envoy::start(
            &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
                .concurrency(2)
                .cluster(Cluster::new("app", application.address()))
                .cluster(Cluster::new("behind", behind.address()))
                .cluster(collector.grpc_cluster("collector"))
                .listener(listener("in", Direction::Inbound, "app"))
                .listener(listener("out", Direction::Outbound, "behind")),
        );
        let address = envoy.address("out").expect("a listener");
        way_out.set(address).expect("set once");
        Self {
            envoy,
            collector,
            behind,
            _application: application,
        }
    }

    /// Sends a request with this context, and with its context as its path, because the application passes on no header by
    /// which to find it.
    fn send(&self, traceparent: &str) {
        let request = Request::get(&format!("/{traceparent}")).header("traceparent", traceparent);
        let address = self.envoy.address("in").expect("a listener");
        assert_eq!(send(address, &request).status, 200);
    }

    /// Returns the context that arrived behind the application.
    fn arrived(&self, traceparent: &str) -> String {
        let request = self.behind.only(&format!("/{traceparent}"));
        request.headers.one("traceparent").expect("a context")
    }

    /// Sends one request from end to end.
    fn passes(&self) {
        let caller = Caller::fresh();
        let traceparent = caller.traceparent();
        self.send(&traceparent);
        let behind = self.arrived(&traceparent);
        let fields: Vec<&str> = behind.split('-').collect();
        if fields[1] != caller.trace_id {
            // Another request under way has taken the place: the call is a root, and the child of no other request.
            assert_eq!(fields[3], "00", "at 0 %");
            return;
        }
        assert_eq!(fields[3], "01", "the caller's decision is followed");
        let spans = self.collector.trace(&caller.trace_id, 2);
        let of = |kind: SpanKind| -> &StoredSpan {
            let mut found = spans.iter().filter(|span| span.kind == kind);
            let span = found.next().expect("a span of each kind");
            assert!(found.next().is_none(), "one of each: {spans:#?}");
            span
        };
        let (server, client) = (of(SpanKind::Server), of(SpanKind::Client));
        assert_eq!(server.parent_span_id.as_ref(), Some(&caller.span_id));
        assert_eq!(client.parent_span_id.as_ref(), Some(&server.span_id));
        assert_eq!(client.span_id, fields[2]);
        assert_eq!(spans.len(), 2);
    }
}
