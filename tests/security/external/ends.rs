//! The end of an Envoy by the signal of whoever supervises it: at once, and as Istio's agent does it, behind a drain.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, wait_for};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, filter, wait_for_counter};
use sidespan_tests::http::{Request, Server, send};
use sidespan_tests::under_fire::{assert_no_trap, balance};

use super::load::{Answers, Load};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_signal_under_load_ends_the_proxy_and_costs_no_span_that_was_exported() {
    let (upstream, collector) = (Server::ok(), Collector::start());
    let envoy = start(&upstream, collector.grpc_cluster("collector"), quick());
    let address = envoy.address("in").expect("a listener");
    let (exported, answers) = Load::during(address, |load| {
        load.goes_on(100);
        let exported = wait_for_counter(&envoy, "spans.exported", |count| count > 0);
        let status = envoy.terminate(LIMIT).expect("an end");
        assert!(status.success(), "{status}\n{}", envoy.log());
        exported
    });
    assert_no_trap(&envoy);
    answers.assert_few_cut();
    let Answers {
        answered,
        cut,
        refused,
        ..
    } = answers;
    let accepted = collector.sink().counts().accepted;
    println!(
        "a signal under load: {answered} requests answered, {cut} cut; {exported} spans were known to be exported, {accepted} have arrived"
    );
    assert!(
        (exported..=answered + cut + refused).contains(&accepted),
        "{accepted}"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn drained_first_as_istio_does_it_the_proxy_ends_without_the_loss_of_a_span() {
    let (upstream, collector) = (Server::ok(), Collector::start());
    let envoy = start(&upstream, collector.grpc_cluster("collector"), quick());
    let address = envoy.address("in").expect("a listener");
    // The callers go away while the proxy drains, as those of a pod that ends do.
    let ((), answers) = Load::during(address, |load| {
        load.goes_on(100);
        envoy
            .admin_post("/drain_listeners?graceful&skip_exit")
            .expect("a drain");
        load.goes_on(100);
    });
    answers.assert_few_cut();
    let finished = envoy.stat("http.in.downstream_rq_total").expect("a number");
    let delivery = balance(&[(&envoy, finished.expect("requests"))], &collector);
    println!("drained, then a signal: {delivery}, {answers:?}");
    assert_eq!(delivery.accepted, delivery.finished, "{delivery}");
    assert!(delivery.finished >= answers.answered, "{answers:?}");
    let status = envoy.terminate(LIMIT).expect("an end");
    assert!(status.success(), "{status}\n{}", envoy.log());
    assert_no_trap(&envoy);
    let accepted = collector.sink().counts().accepted;
    assert_eq!(accepted, delivery.finished);
}

/// The last request is sent whole, and no more can be: Envoy takes it back in the same moment, so that it depends on a collector
/// whether it counts. This one writes down all that it is sent.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn what_waits_as_the_signal_comes_is_sent_on_the_open_connection() {
    const FIRST: usize = 8;
    const WAITING: usize = 5;
    let (upstream, collector) = (Server::ok(), Server::ok());
    let configuration = json!({
        "sampling": {"percentage": 100},
        "export": {
            "otlp": {"cluster": "collector", "protocol": "http/protobuf", "compression": "none"},
            "batch": {"maxSpans": FIRST, "maxDelay": "60s"},
        },
    });
    let cluster = Cluster::new("collector", collector.address());
    let envoy = envoy::start(&bootstrap(&upstream, cluster, &configuration));
    let address = envoy.address("in").expect("a listener");
    let sends = |count| {
        for _ in 0..count {
            assert_eq!(send(address, &Request::get("/")).status, 200);
        }
    };
    sends(FIRST);
    wait_for_counter(&envoy, "spans.exported", |count| count == 8);
    sends(WAITING);
    wait_for_counter(&envoy, "queue.spans", |count| count == 5);
    let status = envoy.terminate(LIMIT).expect("an end");
    assert!(status.success(), "{status}\n{}", envoy.log());
    assert_no_trap(&envoy);
    let arrived = wait_for(LIMIT, || (collector.count() == 2).then_some(()));
    assert!(arrived.is_some(), "{} requests", collector.count());
    let last = ExportTraceServiceRequest::decode(&*collector.last().body).expect("spans");
    let scopes = last.resource_spans.iter().flat_map(|it| &it.scope_spans);
    assert_eq!(scopes.map(|it| it.spans.len()).sum::<usize>(), WAITING);
}

fn start(upstream: &Server, collector: Cluster, configuration: Value) -> Envoy {
    let bootstrap = bootstrap(upstream, collector, &configuration).concurrency(2);
    envoy::start(&bootstrap.with_arguments(&["--drain-time-s", "1"]))
}

fn bootstrap(upstream: &Server, collector: Cluster, configuration: &Value) -> Bootstrap {
    let listener = Listener::new("in")
        .direction(Direction::Inbound)
        .route(Route::to("app"))
        .filter(filter(configuration).filter());
    Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
        .cluster(Cluster::new("app", upstream.address()))
        .cluster(collector)
        .listener(listener)
}

fn quick() -> Value {
    json!({
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "100ms"}},
    })
}
