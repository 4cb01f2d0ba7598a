//! A Tempo as the source, behind the paths that its documentation names.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::Value;
use sidespan_sink::otlp_json::read_request;
use sidespan_tests::http::{Received, Reply, Server};

use super::program::verify_of;
use super::spans::{Span, stripped};

/// Returns the trace of some spans in protobuf, as Tempo answers with it.
fn message(spans: &[Span]) -> Vec<u8> {
    let requests = spans
        .iter()
        .map(|span| read_request(span.line().as_bytes()).expect("OTLP").0);
    let resource_spans = requests
        .flat_map(|request| request.resource_spans)
        .collect();
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn tempo() -> Server {
    let spans = stripped();
    let traces = [message(&spans[..2]), message(&spans[2..])];
    Server::start(move |request: &Received| {
        let path = request.path.split('?').next().unwrap_or_default();
        let answer = |body: &[u8]| Reply::Answer(200, Vec::new(), body.to_vec());
        let asks_for_protobuf =
            request.headers.one("accept").as_deref() == Some("application/protobuf");
        match path {
            "/api/echo" => answer(b"echo"),
            // Without leading zeros, as Tempo writes ids.
            "/api/search" => answer(br#"{"traces":[{"traceID":"1000000000000abc1"},{"traceID":"2000000000000abc2"}],"metrics":{}}"#),
            "/api/traces/0000000000000001000000000000abc1" if asks_for_protobuf => answer(&traces[0]),
            "/api/traces/0000000000000002000000000000abc2" if asks_for_protobuf => answer(&traces[1]),
            _ => Reply::status(404),
        }
    })
}

#[test]
fn it_is_searched_and_judged() {
    let server = tempo();
    let from = format!("http://{}", server.address());
    let arguments = ["--from", &from, "--since", "2023-11-14T00:00:00Z", "--json"];
    let ended = verify_of(&arguments, "");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let json: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(json["counts"]["broken"], 2, "{json:#}");
    assert_eq!(json["traces"][0]["findings"][0]["cause"], "header_stripped");
    let one = verify_of(
        &[
            "--from",
            &from,
            "0000000000000001000000000000abc1",
            "--json",
        ],
        "",
    );
    assert_eq!(one.code, Some(1), "{one:?}");
    let beginning = verify_of(&["--from", &from, "1000"], "");
    assert_eq!(beginning.code, Some(2), "{beginning:?}");
    assert!(beginning.errors.contains("whole id"), "{beginning:?}");
}
