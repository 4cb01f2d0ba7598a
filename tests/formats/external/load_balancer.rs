//! Behind one of Amazon's load balancers, on real Envoy: its header beside the context of a client, and alone.

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Listener, Node, Route};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, counter, filter, settle};
use sidespan_tests::http::{Request, Server, send};

const ROOT: &str = "Root=1-67891233-abcdef012345678912345678";
const SECOND: &str = "Self=1-67891234-12456789abcdef0123456789;Root=1-67891233-abcdef012345678912345678;CalledFrom=app";

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn xr_12_a_load_balancers_id_goes_on_and_is_no_conflict() {
    let collector = Collector::start();
    let upstream = Server::ok();
    let listener = |name: &str, propagation: Value| {
        let config = json!({
            "propagation": propagation,
            "sampling": {"percentage": 100},
            "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
        });
        Listener::new(name)
            .direction(Direction::Inbound)
            .filter(filter(&config).filter())
            .route(Route::to("app"))
    };
    let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
        .listener(listener("usual", json!({})))
        .listener(listener(
            "x-ray",
            json!({"inject": ["tracecontext", "xray"]}),
        ))
        .cluster(Cluster::new("app", upstream.address()))
        .cluster(collector.grpc_cluster("collector"));
    let envoy = envoy::start(&bootstrap);
    let arrives = |listener: &str, value: &str, caller: Option<&Caller>| {
        let path = format!("/{listener}/{}", Caller::fresh().trace_id);
        let mut request = Request::get(&path).header("x-amzn-trace-id", value);
        if let Some(caller) = caller {
            request = request.header("traceparent", caller.traceparent());
        }
        let address = envoy.address(listener).expect("the listener");
        assert_eq!(send(address, &request).status, 200);
        let arrived = upstream.only(&path).headers;
        let traceparent = arrived.one("traceparent").expect("a context");
        let fields: Vec<_> = traceparent.split('-').map(str::to_owned).collect();
        let header = arrived.one("x-amzn-trace-id").expect("it is never removed");
        (fields[1].clone(), fields[2].clone(), header)
    };
    for value in [ROOT, SECOND] {
        let caller = Caller::fresh();
        let (trace_id, _, header) = arrives("usual", value, Some(&caller));
        assert_eq!((&trace_id, header.as_str()), (&caller.trace_id, value));
        let spans = collector.trace(&trace_id, 1);
        assert_eq!(spans[0].parent_span_id, Some(caller.span_id));
        assert!(spans[0].links.is_empty());
    }
    let caller = Caller::fresh();
    let (trace_id, span_id, header) = arrives("x-ray", SECOND, Some(&caller));
    assert_eq!(trace_id, caller.trace_id);
    let (epoch, unique) = trace_id.split_at(8);
    let own = "Self=1-67891234-12456789abcdef0123456789;CalledFrom=app";
    let expected = format!("Root=1-{epoch}-{unique};Parent={span_id};Sampled=1;{own}");
    assert_eq!(header, expected);
    let (trace_id, span_id, header) = arrives("usual", SECOND, None);
    assert_eq!(trace_id, "67891233abcdef012345678912345678");
    assert_eq!(header, format!("{ROOT};Parent={span_id};Sampled=1;{own}"));
    settle(&envoy);
    assert_eq!(counter(&envoy, "context.xray.valid"), 4);
    assert_eq!(counter(&envoy, "context.conflict"), 0);
}
