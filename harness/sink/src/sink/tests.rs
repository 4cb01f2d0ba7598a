//! The tests of a sink from outside, with a tonic client, and with a hyper client that can break the protocol.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use tokio::net::TcpStream;
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic_types::{Status as RpcStatus, StatusExt};

use super::*;
use crate::store::{Answer, Limits, Transport};

const SOON: Duration = Duration::from_secs(20);
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const PROTOBUF: &str = "application/x-protobuf";

fn request(ids: &[u8]) -> ExportTraceServiceRequest {
    let spans = ids.iter().map(|id| Span {
        trace_id: vec![7; 16],
        span_id: vec![*id; 8],
        name: format!("span {id}"),
        ..Span::default()
    });
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: spans.collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

async fn sink() -> Sink {
    Sink::start(SinkConfig::default()).await.unwrap()
}

async fn small_sink() -> Sink {
    let limits = Limits {
        max_request_bytes: 1_000,
        ..Limits::default()
    };
    let config = SinkConfig {
        limits,
        ..SinkConfig::default()
    };
    Sink::start(config).await.unwrap()
}

async fn grpc(address: SocketAddr) -> TraceServiceClient<Channel> {
    TraceServiceClient::connect(format!("http://{address}"))
        .await
        .unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Sends one request over a connection of its own.
async fn send(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> hyper::Result<Response<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "sink");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    let (parts, body) = sender.send_request(request).await?.into_parts();
    Ok(Response::from_parts(
        parts,
        body.collect().await?.to_bytes(),
    ))
}

async fn post(sink: &Sink, headers: &[(&str, &str)], body: Vec<u8>) -> Response<Bytes> {
    send(sink.http_addr(), Method::POST, "/v1/traces", headers, body)
        .await
        .unwrap()
}

fn media(response: &Response<Bytes>) -> &str {
    response.headers()[CONTENT_TYPE].to_str().unwrap()
}

#[tokio::test]
async fn takes_spans_over_grpc_plain_and_gzip() {
    let sink = sink().await;
    let mut plain = grpc(sink.grpc_addr()).await;
    plain.export(request(&[1, 2])).await.unwrap();
    let mut packed = plain.send_compressed(CompressionEncoding::Gzip);
    let answer = packed.export(request(&[3])).await.unwrap().into_inner();
    assert_eq!(answer.encode_to_vec(), [0x0a, 0]);
    let trace = sink
        .wait_for_trace(&"07".repeat(16), 3, SOON)
        .await
        .unwrap();
    let names: Vec<&str> = trace.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["span 1", "span 2", "span 3"]);
    let encodings: Vec<Option<String>> = sink
        .requests()
        .iter()
        .map(|request| request.header("grpc-encoding").map(str::to_owned))
        .collect();
    assert_eq!(encodings, [None, Some("gzip".into())]);
}

#[tokio::test]
async fn takes_spans_over_http_plain_and_gzip() {
    let sink = sink().await;
    let answer = post(
        &sink,
        &[("content-type", PROTOBUF)],
        request(&[1]).encode_to_vec(),
    )
    .await;
    assert_eq!(
        (answer.status(), media(&answer)),
        (StatusCode::OK, PROTOBUF)
    );
    assert_eq!(answer.body().as_ref(), [0x0a, 0]);
    let headers = [
        ("content-type", "Application/X-Protobuf; v=1"),
        ("content-encoding", "GZIP"),
    ];
    let answer = post(&sink, &headers, gzip(&request(&[2]).encode_to_vec())).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(sink.wait_for_spans(2, SOON).await.unwrap().len(), 2);
}

#[tokio::test]
async fn either_port_takes_either_protocol() {
    let sink = sink().await;
    grpc(sink.http_addr())
        .await
        .export(request(&[1]))
        .await
        .unwrap();
    let headers = [("content-type", PROTOBUF)];
    let body = request(&[2]).encode_to_vec();
    send(sink.grpc_addr(), Method::POST, "/v1/traces", &headers, body)
        .await
        .unwrap();
    assert_eq!(sink.wait_for_spans(2, SOON).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_empty_request_is_a_success() {
    let sink = sink().await;
    let answer = post(&sink, &[("content-type", PROTOBUF)], vec![]).await;
    assert_eq!(
        (answer.status(), answer.body().as_ref()),
        (StatusCode::OK, &[0x0a, 0][..])
    );
}

#[tokio::test]
async fn refuses_what_is_not_otlp_in_the_words_of_http() {
    let sink = sink().await;
    let full = || request(&[1]).encode_to_vec();
    let get = send(sink.http_addr(), Method::GET, "/v1/traces", &[], vec![])
        .await
        .unwrap();
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get.headers()[ALLOW], "POST");
    let rows: [(&[(&str, &str)], &str); 2] = [
        (
            &[],
            "415 unsupported media type, supported: [application/json, application/x-protobuf]",
        ),
        (
            &[("content-type", "text/plain")],
            "415 unsupported media type, supported: [application/json, application/x-protobuf]",
        ),
    ];
    for (headers, line) in rows {
        let answer = post(&sink, headers, full()).await;
        assert_eq!(
            answer.status(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{headers:?}"
        );
        assert_eq!(answer.body().as_ref(), line.as_bytes(), "{headers:?}");
    }
    assert_eq!(sink.spans().len(), 0);
    assert_eq!(sink.counts().requests, 3);
}

#[tokio::test]
async fn refuses_a_broken_body_with_a_status_in_protobuf() {
    let sink = sink().await;
    let good = request(&[1]).encode_to_vec();
    let mut cut = good.clone();
    cut.truncate(good.len() - 1);
    let mut broken_gzip = gzip(&good);
    broken_gzip.truncate(20);
    let rows: [(&str, &str, Vec<u8>, &str); 3] = [
        (
            "identity",
            "cut protobuf",
            cut,
            "failed to decode Protobuf message",
        ),
        ("gzip", "cut gzip", broken_gzip, "broken gzip"),
        (
            "br",
            "unknown encoding",
            good,
            "unsupported content-encoding",
        ),
    ];
    for (encoding, name, body, message) in rows {
        let headers = [
            ("content-type", PROTOBUF),
            (CONTENT_ENCODING.as_str(), encoding),
        ];
        let answer = post(&sink, &headers, body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{name}");
        assert_eq!(media(&answer), PROTOBUF, "{name}");
        let status = RpcStatus::decode(answer.body().clone()).unwrap();
        assert_eq!(status.code, i32::from(Code::InvalidArgument), "{name}");
        assert!(
            status.message.starts_with(message),
            "{name}: {}",
            status.message
        );
    }
}

#[tokio::test]
async fn refuses_bodies_over_the_limit_also_inflated() {
    let sink = small_sink().await;
    let large = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            schema_url: "x".repeat(2_000),
            ..ResourceSpans::default()
        }],
    };
    let plain = [("content-type", PROTOBUF)];
    let packed = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    for answer in [
        post(&sink, &plain, large.encode_to_vec()).await,
        post(&sink, &packed, gzip(&large.encode_to_vec())).await,
    ] {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let status = RpcStatus::decode(answer.body().clone()).unwrap();
        assert_eq!(status.message, "expected at most 1000 bytes, also inflated");
    }
    let mut client = grpc(sink.grpc_addr()).await;
    let refused = client.export(large.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let mut client = client.send_compressed(CompressionEncoding::Gzip);
    let refused = client.export(large).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let answers: Vec<Answer> = sink
        .requests()
        .iter()
        .map(|request| request.answer)
        .collect();
    assert_eq!(
        answers,
        [
            Answer::Http(413),
            Answer::Http(413),
            Answer::Grpc(8),
            Answer::Grpc(8)
        ]
    );
}

#[tokio::test]
async fn answers_a_client_that_sends_everything_before_it_listens() {
    let sink = small_sink().await;
    // Twice what a loopback socket buffers, and under the four times that are read on.
    let limits = Limits {
        max_request_bytes: 8 << 20,
        ..Limits::default()
    };
    let large = Sink::start(SinkConfig {
        limits,
        ..SinkConfig::default()
    });
    let large = large.await.unwrap();
    let headers = [("content-type", PROTOBUF)];
    let answer = post(&large, &headers, vec![0; 24 << 20]).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let endless = send(
        sink.http_addr(),
        Method::POST,
        "/v1/traces",
        &headers,
        vec![0; 24 << 20],
    );
    // Whether the client sees the answer is up to its timing; that it is told nothing else is not.
    if let Ok(answer) = endless.await {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(sink.requests()[0].answer, Answer::Http(413));
}

#[tokio::test]
async fn says_which_spans_it_refused_and_keeps_the_others() {
    let sink = sink().await;
    let answer = grpc(sink.grpc_addr())
        .await
        .export(request(&[1, 0, 2]))
        .await
        .unwrap();
    let partial = answer.into_inner().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert_eq!(
        partial.error_message,
        "expected a span id of 8 bytes, not all zero"
    );
    let body = request(&[0]).encode_to_vec();
    let answer = post(&sink, &[("content-type", PROTOBUF)], body).await;
    let answer = ExportTraceServiceResponse::decode(answer.body().clone()).unwrap();
    assert_eq!(answer.partial_success.unwrap().rejected_spans, 1);
    assert_eq!((sink.spans().len(), sink.counts().invalid), (2, 2));
}

#[tokio::test]
async fn says_what_it_serves() {
    let sink = sink().await;
    let stranger = send(sink.http_addr(), Method::GET, "/nothing", &[], vec![])
        .await
        .unwrap();
    assert_eq!(stranger.status(), StatusCode::NOT_FOUND);
    let line = "404 this sink serves POST /v1/traces, /v1/metrics, /v1/logs and Zipkin's /api/v2/spans, and GET /api/sidespan/v1/status";
    assert_eq!(stranger.body().as_ref(), line.as_bytes());
    let headers = [("content-type", "application/grpc")];
    let stranger = send(sink.grpc_addr(), Method::POST, "/a.B/C", &headers, vec![])
        .await
        .unwrap();
    assert_eq!(stranger.headers()["grpc-status"], "12");
    assert_eq!(sink.counts().requests, 0);
}

#[tokio::test]
async fn records_what_an_exporter_sent() {
    let sink = sink().await;
    let mut message = tonic::Request::new(request(&[1]));
    message.metadata_mut().insert("b3", "0".parse().unwrap());
    let size = 5 + request(&[1]).encoded_len();
    grpc(sink.grpc_addr()).await.export(message).await.unwrap();
    let records = sink.wait_for_requests(1, SOON).await.unwrap();
    let record = &records[0];
    assert_eq!(record.header("b3"), Some("0"));
    assert_eq!(record.header("content-type"), Some("application/grpc"));
    assert_eq!(record.header("te"), Some("trailers"));
    assert!(record.header("user-agent").unwrap().starts_with("tonic/"));
    assert_eq!(
        (record.transport, record.answer),
        (Transport::Grpc, Answer::Grpc(0))
    );
    assert_eq!(
        (record.number, record.spans, record.wire_bytes),
        (0, 1, size)
    );
}

#[tokio::test]
async fn a_script_is_followed_over_grpc_and_then_spans_are_kept() {
    let sink = sink().await;
    let wait = Duration::from_millis(1_500);
    sink.script([
        Reply::Unavailable,
        Reply::GrpcStatus(Code::ResourceExhausted, Some(wait)),
        Reply::HttpStatus(503, None),
        Reply::Reset,
        Reply::PartialSuccess {
            rejected: 1,
            message: "too many".into(),
        },
    ]);
    let mut client = grpc(sink.grpc_addr()).await;
    assert_eq!(
        client.export(request(&[1])).await.unwrap_err().code(),
        Code::Unavailable
    );
    let busy = client.export(request(&[1])).await.unwrap_err();
    assert_eq!(busy.code(), Code::ResourceExhausted);
    let details = RpcStatus::decode(busy.details()).unwrap();
    assert_eq!(details.code, i32::from(Code::ResourceExhausted));
    assert_eq!(details.message, "as scripted");
    assert_eq!(details.details.len(), 1);
    let retry = busy.get_details_retry_info().unwrap();
    assert_eq!(retry.retry_delay, Some(wait));
    let headers = [("content-type", "application/grpc")];
    let raw = send(sink.grpc_addr(), Method::POST, EXPORT, &headers, vec![])
        .await
        .unwrap();
    assert_eq!(raw.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(media(&raw), "text/plain; charset=utf-8");
    assert!(
        !raw.headers().contains_key("grpc-status"),
        "it is no gRPC server"
    );
    assert!(client.export(request(&[1])).await.is_err());
    assert_eq!(sink.spans().len(), 0);
    let partial = client.export(request(&[1, 2])).await.unwrap().into_inner();
    let partial = partial.partial_success.unwrap();
    assert_eq!(
        (partial.rejected_spans, partial.error_message.as_str()),
        (1, "too many")
    );
    assert_eq!((sink.spans().len(), sink.counts().scripted), (1, 1));
    client.export(request(&[3])).await.unwrap();
    let answers: Vec<Answer> = sink
        .requests()
        .iter()
        .map(|request| request.answer)
        .collect();
    let (unavailable, exhausted) = (Answer::Grpc(14), Answer::Grpc(8));
    let http = Answer::Http(503);
    let ok = Answer::Grpc(0);
    assert_eq!(
        answers,
        [unavailable, exhausted, http, Answer::Reset, ok, ok]
    );
}

#[tokio::test]
async fn a_script_is_followed_over_http() {
    let sink = sink().await;
    let headers = [("content-type", PROTOBUF)];
    let body = || request(&[1]).encode_to_vec();
    sink.script([
        Reply::HttpStatus(429, Some(Duration::from_millis(1_200))),
        Reply::Unavailable,
        Reply::GrpcStatus(Code::PermissionDenied, None),
        Reply::Reset,
        Reply::Delay(Duration::from_millis(1)),
    ]);
    let busy = post(&sink, &headers, body()).await;
    assert_eq!(busy.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(busy.headers()[RETRY_AFTER], "2");
    assert_eq!(media(&busy), PROTOBUF);
    assert_eq!(
        post(&sink, &headers, body()).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        post(&sink, &headers, body()).await.status(),
        StatusCode::FORBIDDEN
    );
    let reset = send(
        sink.http_addr(),
        Method::POST,
        "/v1/traces",
        &headers,
        body(),
    )
    .await;
    assert!(reset.is_err());
    assert_eq!(sink.spans().len(), 0);
    assert_eq!(post(&sink, &headers, body()).await.status(), StatusCode::OK);
    assert_eq!(sink.spans().len(), 1);
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_brings_no_second_span() {
    let sink = sink().await;
    sink.script([Reply::LostAnswer, Reply::LostAnswer]);
    let mut client = grpc(sink.grpc_addr()).await;
    assert!(client.export(request(&[1])).await.is_err());
    let headers = [("content-type", PROTOBUF)];
    let body = request(&[1]).encode_to_vec();
    let lost = send(sink.http_addr(), Method::POST, "/v1/traces", &headers, body).await;
    assert!(lost.is_err());
    client.export(request(&[1])).await.unwrap();
    let counts = sink.counts();
    assert_eq!(
        (counts.accepted, counts.duplicates, counts.conflicts),
        (1, 2, 0)
    );
}

#[tokio::test]
async fn an_answer_can_break_off_in_the_middle() {
    let sink = sink().await;
    sink.script([Reply::CutAnswer, Reply::CutAnswer]);
    let mut client = grpc(sink.grpc_addr()).await;
    assert!(client.export(request(&[1])).await.is_err());
    let headers = [("content-type", PROTOBUF)];
    let body = request(&[1]).encode_to_vec();
    let answer = send(sink.http_addr(), Method::POST, "/v1/traces", &headers, body).await;
    let error = answer.unwrap_err();
    assert!(
        error.to_string().contains("body"),
        "its head arrives: {error}"
    );
    let resets = sink.requests();
    assert!(resets.iter().all(|record| record.answer == Answer::Reset));
    assert_eq!((sink.counts().accepted, sink.counts().duplicates), (1, 1));
}

#[tokio::test]
async fn a_client_that_gives_up_is_seen_and_leaves_no_span() {
    let sink = sink().await;
    sink.script([Reply::Delay(Duration::from_secs(3_600))]);
    let mut client = grpc(sink.grpc_addr()).await;
    let waiting = tokio::spawn(async move { client.export(request(&[1])).await });
    let records = sink.wait_for_requests(1, SOON).await.unwrap();
    waiting.abort();
    assert_eq!(records[0].answer, Answer::Pending);
    assert_eq!(sink.spans().len(), 0);
}

#[tokio::test]
async fn goes_away_and_comes_back_on_the_same_address() {
    let sink = sink().await;
    let (grpc_addr, http_addr) = (sink.grpc_addr(), sink.http_addr());
    let mut client = grpc(grpc_addr).await;
    client.export(request(&[1])).await.unwrap();
    sink.pause().await;
    sink.pause().await;
    assert!(client.export(request(&[2])).await.is_err());
    assert!(TcpStream::connect(grpc_addr).await.is_err());
    assert!(TcpStream::connect(http_addr).await.is_err());
    sink.resume().await.unwrap();
    sink.resume().await.unwrap();
    assert_eq!((sink.grpc_addr(), sink.http_addr()), (grpc_addr, http_addr));
    grpc(grpc_addr).await.export(request(&[3])).await.unwrap();
    assert_eq!(sink.spans().len(), 2, "what was received before stays");
}

#[tokio::test]
async fn says_which_address_is_taken() {
    let first = sink().await;
    let config = SinkConfig {
        http: first.http_addr(),
        ..SinkConfig::default()
    };
    let error = Sink::start(config).await.unwrap_err();
    let expected = format!("cannot listen on {} for OTLP over HTTP", first.http_addr());
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn frees_its_ports_when_it_stops() {
    let sink = sink().await;
    let config = SinkConfig {
        grpc: sink.grpc_addr(),
        http: sink.http_addr(),
        ..SinkConfig::default()
    };
    let _open = grpc(sink.grpc_addr()).await;
    sink.stop().await;
    let again = Sink::start(config.clone()).await.unwrap();
    assert_eq!(again.grpc_addr(), config.grpc);
}

#[tokio::test]
async fn a_waiter_sees_what_arrives_while_it_waits() {
    let sink = sink().await;
    let mut client = grpc(sink.grpc_addr()).await;
    let export = async {
        for id in 1..=5 {
            client.export(request(&[id])).await.unwrap();
        }
    };
    let waited = sink.wait_for(SOON, |now| {
        (now.spans.len() == 4).then_some(now.requests.len())
    });
    let (waited, ()) = tokio::join!(waited, export);
    assert_eq!(
        waited.unwrap(),
        4,
        "spans and their request are seen together"
    );
    let timeout = sink
        .wait_for_spans(6, Duration::from_millis(1))
        .await
        .unwrap_err();
    assert!(
        timeout.to_string().contains("5 spans in 5 requests"),
        "{timeout}"
    );
    sink.clear();
    assert_eq!(sink.snapshot().trace_ids(), [""; 0]);
}
