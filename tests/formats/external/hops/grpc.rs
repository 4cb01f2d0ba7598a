//! A gRPC call with a real client and a real server, through two sidecars: the context is binary metadata.

use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Protocol, Route};
use sidespan_sink::{SpanKind, Value};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, filter};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::transport::server::TcpIncoming;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_grpc_call_carries_its_context_as_binary_metadata() {
    let runtime = Runtime::new().expect("a runtime");
    let (sender, received) = channel();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a free port");
    let server = listener.local_addr().expect("a bound socket");
    let incoming = TcpIncoming::from(listener);
    let service = TraceServiceServer::new(Service(sender));
    let serving = tonic::transport::Server::builder()
        .add_service(service)
        .serve_with_incoming(incoming);
    runtime.spawn(serving);

    let collector = Collector::start();
    let callee = sidecar(&collector, Direction::Inbound, server);
    let callee_address = callee.address("hop").expect("a listener");
    let caller = sidecar(&collector, Direction::Outbound, callee_address);
    let context = Caller::fresh();
    let answer = runtime.block_on(call(caller.address("hop").expect("a listener"), &context));
    let answer = answer.unwrap_or_else(|status| panic!("{status}"));
    assert!(answer.get_ref().partial_success.is_none());

    let metadata = received.recv().expect("the server was asked");
    let spans = collector.trace(&context.trace_id, 2);
    let of = |kind| {
        spans
            .iter()
            .find(|span| span.kind == kind)
            .expect("both sides")
    };
    let (client, server) = (of(SpanKind::Client), of(SpanKind::Server));
    assert_eq!(client.parent_span_id.as_ref(), Some(&context.span_id));
    assert_eq!(server.parent_span_id.as_ref(), Some(&client.span_id));
    let status = server.attribute("http.response.status_code");
    assert_eq!(status.and_then(Value::as_int), Some(200));

    let values: Vec<_> = metadata.get_all_bin("grpc-trace-bin").iter().collect();
    let [value] = values[..] else {
        panic!("one value: {metadata:?}");
    };
    let bytes = value.to_bytes().expect("base64");
    assert_eq!(bytes[..], binary(&server.trace_id, &server.span_id));
    let traceparent = format!("00-{}-{}-01", server.trace_id, server.span_id);
    assert_eq!(
        metadata.get("traceparent").map(|it| it.as_bytes()),
        Some(traceparent.as_bytes())
    );
    let names = "traceparent x-b3-traceid x-b3-spanid x-b3-sampled grpc-trace-bin";
    println!("| a gRPC client and server | {names} | Inbound |");
}

async fn call(
    address: SocketAddr,
    context: &Caller,
) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
    let client = TraceServiceClient::connect(format!("http://{address}")).await;
    let mut request = tonic::Request::new(ExportTraceServiceRequest::default());
    let value = MetadataValue::from_bytes(&binary(&context.trace_id, &context.span_id));
    request.metadata_mut().insert_bin("grpc-trace-bin", value);
    client.expect("a connection").export(request).await
}

fn sidecar(collector: &Collector, direction: Direction, next: SocketAddr) -> Envoy {
    let configuration = json!({
        // The service that answers here is one that is excluded by default: a collector.
        "sampling": {"exclude": [], "percentage": 0},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    });
    let listener = Listener::new("hop")
        .direction(direction)
        .route(Route::to("next"))
        .filter(filter(&configuration).filter());
    envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("next", next).protocol(Protocol::Http2))
            .cluster(collector.grpc_cluster("collector"))
            .listener(listener),
    )
}

/// A server that hands over the metadata of each call.
struct Service(Sender<MetadataMap>);

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let told = self.0.send(request.metadata().clone());
        told.map_err(|_| tonic::Status::cancelled("nobody listens"))?;
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Encodes a sampled context in OpenCensus' binary form.
fn binary(trace_id: &str, span_id: &str) -> Vec<u8> {
    hex::decode(format!("0000{trace_id}01{span_id}0201")).expect("hexadecimal digits")
}

/// Encodes the binary form as text, as in a header.
pub(super) fn text(trace_id: &str, span_id: &str) -> String {
    let value = MetadataValue::from_bytes(&binary(trace_id, span_id));
    String::from_utf8_lossy(value.as_encoded_bytes()).into_owned()
}
