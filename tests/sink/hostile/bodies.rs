//! Bodies: random, cut, huge, bombs, deep, many empty parts, and texts that mean something elsewhere.

use hyper::body::Bytes;
use prost::Message;
use serde_json::{Value, json};
use sidespan_tests::corpus::{TEXTS, corpus, json_of};
use sidespan_tests::draw::Draw;

use super::{is_bounded, is_served};
use crate::sink::client::{
    COMPRESSIONS, EXPORT, JSON, PROTOBUF, TRACES, call, call_raw, framed, packed, post,
};
use crate::sink::program::Program;

#[tokio::test]
async fn random_bytes_are_refused_and_harm_nobody() {
    let sink = Program::start(&[]);
    for round in 0..150_u8 {
        let mut draw = Draw::of(0x5eed, round.into());
        let length = draw.below(300);
        let body: Vec<_> = (0..length)
            .map(|_| draw.number().to_le_bytes()[3])
            .collect();
        let compression = COMPRESSIONS[usize::from(round) % COMPRESSIONS.len()];
        for media in [PROTOBUF, JSON] {
            for encoding in [compression, "identity"] {
                let headers = [media, ("content-encoding", encoding)];
                let answer = post(sink.address("http"), TRACES, &headers, body.clone()).await;
                assert!([200, 400].contains(&answer.status), "{body:?}: {answer:?}");
            }
        }
        let zipkin = post(sink.address("zipkin"), "/api/v2/spans", &[], body.clone()).await;
        assert_eq!(zipkin.status, 400, "{body:?}");
        for frame in [body.clone(), framed(0, &body), framed(1, &body)] {
            let answer = call_raw(sink.address("grpc"), EXPORT, Some(compression), frame).await;
            let code = answer.expect("an answer").code;
            assert!([0, 3, 8].contains(&code), "{code} of {body:?}");
        }
    }
    is_served(&sink).await;
    is_bounded(&sink);
}

#[tokio::test]
async fn a_cut_message_is_refused_or_is_a_shorter_one() {
    let sink = Program::start(&[]);
    let whole = corpus().encode_to_vec();
    for end in (0..whole.len()).step_by(37) {
        let cut = Bytes::copy_from_slice(&whole[..end]);
        let answer = call(sink.address("grpc"), EXPORT, "identity", &cut).await;
        assert!([0, 3].contains(&answer.code), "{end}: {answer:?}");
    }
    let json = json_of(&corpus()).to_string();
    for end in (0..json.len()).step_by(211) {
        let cut = json.as_bytes()[..end].to_vec();
        let answer = post(sink.address("http"), TRACES, &[JSON], cut).await;
        assert_eq!(answer.status, 400, "{end}: {}", answer.text());
    }
    is_served(&sink).await;
}

#[tokio::test]
async fn a_huge_body_is_told_that_it_is_too_large_while_others_are_served() {
    let sink = Program::start(&[]);
    let huge = Bytes::from(vec![0x0a; 100 << 20]);
    let over_http = post(sink.address("http"), TRACES, &[PROTOBUF], huge.clone());
    let frame = Bytes::from(framed(0, &huge));
    let over_grpc = call_raw(sink.address("grpc"), EXPORT, None, frame);
    let (over_http, over_grpc, ()) = tokio::join!(over_http, over_grpc, is_served(&sink));
    assert_eq!(over_http.status, 413);
    assert_eq!(over_http.header("retry-after"), "");
    let over_grpc = over_grpc.expect("an answer");
    assert_eq!(over_grpc.code, 8);
    assert!(!over_grpc.headers.contains_key("grpc-status-details-bin"));
    is_bounded(&sink);
}

#[tokio::test]
async fn bombs_end_at_the_limit() {
    let sink = Program::start(&[]);
    // A thousand members or frames of 1 MiB each: one body of 1 GiB.
    for compression in ["gzip", "zstd"] {
        let bomb = Bytes::from(packed(compression, &vec![0; 1 << 20]).repeat(1_000));
        let headers = [PROTOBUF, ("content-encoding", compression)];
        for _ in 0..4 {
            let over_http = post(sink.address("http"), TRACES, &headers, bomb.clone());
            let over_grpc = call_raw(
                sink.address("grpc"),
                EXPORT,
                Some(compression),
                framed(1, &bomb),
            );
            let (over_http, over_grpc, ()) = tokio::join!(over_http, over_grpc, is_served(&sink));
            assert_eq!(over_http.status, 413, "{compression}");
            assert_eq!(over_grpc.expect("an answer").code, 8, "{compression}");
        }
    }
    is_bounded(&sink);
}

#[tokio::test]
async fn depth_ends_before_the_stack() {
    const DEEP: usize = 10_000;
    let sink = Program::start(&[]);
    let value = |open: &str, close: &str| {
        let value = format!("{}{{}}{}", open.repeat(DEEP), close.repeat(DEEP));
        format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"k","value":{value}}}]}}}}]}}"#
        )
    };
    for body in [
        "[".repeat(DEEP),
        format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)),
        "{\"a\":".repeat(DEEP),
        value(r#"{"arrayValue":{"values":["#, "]}}"),
        value(r#"{"kvlistValue":{"values":[{"key":"k","value":"#, "}]}}"),
        format!(r#"{{"unknown":{}{}}}"#, "[".repeat(DEEP), "]".repeat(DEEP)),
    ] {
        for path in [TRACES, "/v1/logs", "/v1/metrics", "/api/v2/spans"] {
            let answer = post(sink.address("http"), path, &[JSON], body.clone()).await;
            // What a signal does not know may be skipped, at any depth.
            let is_known = path == TRACES && !body.starts_with(r#"{"unknown"#);
            let is_skipped = answer.status == 200 && path.starts_with("/v1/") && !is_known;
            assert!(
                answer.status == 400 || is_skipped,
                "{path}: {}",
                answer.text()
            );
        }
    }
    // In protobuf: a list of a list of a list.
    let mut value = Vec::new();
    for _ in 0..DEEP {
        let mut outer = Vec::new();
        for tag in [0x0a, 0x2a] {
            outer.clear();
            outer.push(tag);
            prost::encoding::encode_varint(
                u64::try_from(value.len()).expect("a length"),
                &mut outer,
            );
            outer.extend_from_slice(&value);
            value.clone_from(&outer);
        }
    }
    let mut body = Vec::new();
    for tag in [0x12, 0x0a, 0x0a, 0x0a] {
        body.clear();
        body.push(tag);
        prost::encoding::encode_varint(u64::try_from(value.len()).expect("a length"), &mut body);
        body.extend_from_slice(&value);
        value.clone_from(&body);
    }
    let answer = call(sink.address("grpc"), EXPORT, "identity", &body).await;
    assert_eq!(answer.code, 3, "{answer:?}");
    is_served(&sink).await;
}

#[tokio::test]
async fn few_bytes_that_become_much_are_too_much() {
    let sink = Program::start(&[]);
    // Each pair of braces would become a span.
    let spans = vec!["{}"; 2_000_000].join(",");
    // Each pair of brackets would become a value.
    let values = vec!["[]"; 6_000_000].join(",");
    for body in [
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#),
        format!(r#"{{"unknown":[{values}]}}"#),
    ] {
        let headers = [JSON, ("content-encoding", "gzip")];
        let answer = post(
            sink.address("http"),
            TRACES,
            &headers,
            packed("gzip", body.as_bytes()),
        );
        let answer = answer.await;
        assert_eq!(answer.status, 413, "{}", answer.text());
    }
    is_served(&sink).await;
    is_bounded(&sink);
}

#[tokio::test]
async fn odd_texts_come_back_in_answers_only_where_they_are_harmless() {
    let sink = Program::start(&["--token", "secret"]);
    for text in TEXTS {
        let body = json!({"resourceSpans": text}).to_string();
        let headers = [JSON, ("authorization", "Bearer secret")];
        let answer = post(sink.address("http"), TRACES, &headers, body).await;
        assert_eq!(answer.status, 400);
        // JSON, which no browser takes for a page, and which has no bare control characters.
        assert_eq!(answer.header("content-type"), "application/json");
        let found: Value = serde_json::from_str(&answer.text()).expect("JSON");
        assert_eq!(found["code"], 3);
        assert!(
            !answer.text().contains(char::is_control),
            "{:?}",
            answer.text()
        );
    }
}
