//! What a destination gets: the bytes, the path, the headers.

use super::*;
use ::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// Answers requests in turn with these texts, each over a connection of its own, and returns the head and the body of each.
async fn served(listener: TcpListener, answers: Vec<String>) -> Vec<(String, Vec<u8>)> {
    let mut requests = Vec::new();
    for answer in answers {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            stream.read_line(&mut head).await.unwrap();
        }
        let head = head.to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|it| it.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        requests.push((head, body));
    }
    requests
}

fn answer(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n")
}

#[tokio::test]
async fn bytes_go_as_they_came_to_the_path_behind_the_prefix() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/otlp/", listener.local_addr().unwrap());
    let server = tokio::spawn(served(listener, vec![answer("200 OK", "")]));
    let destination: Destination = url.parse().unwrap();
    let destination = destination.header("x-scope-orgid", "shop").unwrap();
    let sink = forwarding(to(vec![destination])).await;
    // A span with a field that no version has yet: number 1000, of two bytes.
    let mut span = vec![0x0a, 16];
    span.extend([7; 16]);
    span.extend([0x12, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0xc2, 0x3e, 2, 0xab, 0xcd]);
    let within = |tag: u8, inner: &[u8]| {
        let length = u8::try_from(inner.len()).unwrap();
        [&[tag, length], inner].concat()
    };
    let request = within(0x0a, &within(0x12, &within(0x12, &span)));
    let batch = SpanBatch::from_protobuf(Bytes::from(request.clone())).unwrap();
    sink.store().insert(batch, |_| ()).await.unwrap();
    let requests = server.await.unwrap();
    let [(head, body)] = &requests[..] else {
        panic!("{requests:?}");
    };
    assert!(
        head.starts_with("post /otlp/v1/traces http/1.1\r\n"),
        "{head}"
    );
    for header in [
        "content-type: application/x-protobuf",
        "x-scope-orgid: shop",
        "b3: 0",
        "user-agent: sidespan-sink/",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    assert!(body.ends_with(&span), "{body:?}");
    sink.stop().await;
}

#[tokio::test]
async fn a_redirect_is_a_refusal_and_a_broken_answer_is_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let elsewhere = format!("location: {url}/elsewhere\r\n");
    let cut = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\n\n".to_owned();
    let answers = vec![
        answer("307 Temporary Redirect", &elsewhere),
        cut,
        answer("200 OK", ""),
    ];
    let server = tokio::spawn(served(listener, answers));
    let sink = forwarding(to(vec![url.parse().unwrap()])).await;
    keep(&sink, [1]).await;
    keep(&sink, [2]).await;
    let requests = server.await.unwrap();
    assert!(
        requests
            .iter()
            .all(|(head, _)| head.starts_with("post /v1/traces "))
    );
    assert_eq!(requests[1].1, requests[2].1, "sent again");
    let state = state(&sink, |it| it.delivered_spans == 1).await;
    assert_eq!((state.refused_spans, state.failed_attempts), (1, 1));
    assert_eq!((state.backlog.messages, state.backlog.set_aside), (0, 1));
}

#[tokio::test]
async fn each_transport_brings_headers_and_compresses_where_it_is_told() {
    for gzip in [false, true] {
        let second = sink().await;
        for destination in [grpc(&second), http(&second)] {
            let is_grpc = destination.url().starts_with("grpc");
            let destination = destination.header("key", "value").unwrap().gzip(gzip);
            let first = forwarding(to(vec![destination])).await;
            keep(&first, 0..100).await;
            assert_eq!(arrived(&second, 100).await, (0..100).collect::<Vec<_>>());
            first.stop().await;
            let requests = second.requests();
            let [record] = &requests[..] else {
                panic!("{requests:?}");
            };
            let name = if is_grpc {
                "grpc-encoding"
            } else {
                "content-encoding"
            };
            assert_eq!(record.header(name), gzip.then_some("gzip"));
            assert_eq!(record.header("key"), Some("value"));
            assert_eq!(record.header("b3"), Some("0"));
            second.clear();
        }
    }
}

/// Answers every gRPC call with a message of so many bytes, or with a status.
async fn grpc_server(answer: Result<usize, (i32, &'static str)>) -> Destination {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let respond = move |request: Request<Incoming>| async move {
        request.into_body().collect().await?;
        let response = Response::builder().header("content-type", "application/grpc");
        let (response, message) = match answer {
            Ok(length) => {
                let size = u32::try_from(length).unwrap().to_be_bytes();
                let message = [&[0][..], &size, &vec![0; length]].concat();
                (response, message)
            }
            Err((code, message)) => (
                response
                    .header("grpc-status", code)
                    .header("grpc-message", message),
                vec![],
            ),
        };
        let trailers = HeaderMap::from_iter([(
            HeaderName::from_static("grpc-status"),
            HeaderValue::from_static("0"),
        )]);
        let body = Full::new(Bytes::from(message));
        let body = body.with_trailers(async { Some(Ok(trailers)) });
        Ok::<_, hyper::Error>(response.body(body).unwrap())
    };
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection = http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service_fn(respond));
            tokio::spawn(connection);
        }
    });
    format!("grpc://{address}").parse().unwrap()
}

#[tokio::test]
async fn a_long_answer_is_that_of_a_server_that_has_the_spans() {
    for length in [1, 64 << 10, (64 << 10) + 1, 5 << 20] {
        let destination = grpc_server(Ok(length)).await;
        let sink = forwarding(to(vec![destination])).await;
        keep(&sink, [1]).await;
        let state = state(&sink, |it| it.delivered_spans == 1).await;
        assert_eq!(state.failed_attempts, 0, "{length}: {state:?}");
        assert_eq!(state.backlog.messages, 0, "{length}: {state:?}");
        sink.stop().await;
    }
}

#[tokio::test]
async fn a_message_over_the_limit_of_a_server_is_set_aside() {
    let said = "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes";
    let destination = grpc_server(Err((11, said))).await;
    let sink = forwarding(to(vec![destination])).await;
    keep(&sink, [1]).await;
    let state = state(&sink, |it| it.refused_spans == 1).await;
    assert_eq!((state.failed_attempts, state.backlog.set_aside), (0, 1));
    sink.stop().await;
}
