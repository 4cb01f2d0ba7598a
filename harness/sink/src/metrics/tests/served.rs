//! The paths, on a sink with a token, and what a store tells the metrics.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use reqwest::{Client, StatusCode};

use crate::forward::no_tls;
use crate::receive::Access;
use crate::sink::{Sink, SinkConfig};
use crate::store::{Limits, Place, SpanBatch, Store};

fn pair(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.into())),
        }),
        ..KeyValue::default()
    }
}

fn span(number: u64) -> Span {
    Span {
        trace_id: [[7; 8], number.to_be_bytes()].concat(),
        span_id: number.to_be_bytes().to_vec(),
        trace_state: "ot=th:8".into(),
        name: format!("GET /cart/{number}"),
        kind: 2,
        start_time_unix_nano: 1_000,
        end_time_unix_nano: 1_000 + (number << 20),
        attributes: vec![
            pair("http.request.method", "GET"),
            pair("url.path", "/cart/7"),
            pair("url.scheme", "https"),
            pair("server.address", "shop.example"),
            pair("user_agent.original", "curl/8.5.0"),
            pair("http.route", "/cart/{id}"),
            pair("network.peer.address", "10.0.0.1"),
            pair("network.protocol.version", "1.1"),
        ],
        ..Span::default()
    }
}

fn batch(spans: Vec<Span>) -> SpanBatch {
    SpanBatch::from_request(&ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    })
}

#[tokio::test]
async fn metrics_want_the_token_and_probes_do_not() {
    let access = Access {
        token: Some("secret".parse().unwrap()),
        origins: vec![],
    };
    let config = SinkConfig {
        access,
        ..SinkConfig::default()
    };
    let sink = Sink::start(config).await.unwrap();
    let client = Client::builder()
        .tls_backend_preconfigured(no_tls().unwrap())
        .build()
        .unwrap();
    let get = async |path: &str, token: &str, accept: &str| {
        let request = client.get(format!("http://{}{path}", sink.http_addr()));
        let request = request.header("accept", accept).bearer_auth(token);
        let answer = request.send().await.unwrap();
        let media = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        (answer.status(), media, answer.text().await.unwrap())
    };
    for path in ["/ready", "/healthz"] {
        assert_eq!(get(path, "wrong", "*/*").await.0, StatusCode::OK, "{path}");
    }
    assert_eq!(
        get("/metrics", "wrong", "*/*").await.0,
        StatusCode::UNAUTHORIZED
    );
    let (status, media, text) = get("/metrics", "secret", "text/html, */*").await;
    assert_eq!(
        (status, &*media),
        (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8")
    );
    let refused = "sidespan_sink_refused_requests_total{reason=\"unauthenticated\"} 1";
    assert!(text.lines().any(|line| line == refused), "{text}");
    assert!(
        text.contains("sidespan_sink_max_bytes 268435456\n"),
        "{text}"
    );
    let open = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    let (_, media, text) = get("/metrics", "secret", open).await;
    assert_eq!(
        media,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
    let posted = client
        .post(format!("http://{}/ready", sink.http_addr()))
        .send()
        .await
        .unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
    sink.stop().await;
}

#[tokio::test]
async fn new_spans_count_once_and_stay_counted_when_they_are_evicted() {
    let sink = Sink::start(SinkConfig {
        limits: Limits {
            max_spans: 10,
            ..Limits::default()
        },
        ..SinkConfig::default()
    });
    let sink = sink.await.unwrap();
    for from in [1, 1, 6, 11, 16] {
        let spans = (from..from + 5).map(span).collect();
        sink.store().insert(batch(spans), |_| ()).await.unwrap();
    }
    let url = format!("http://{}/metrics", sink.http_addr());
    let client = Client::builder()
        .tls_backend_preconfigured(no_tls().unwrap())
        .build()
        .unwrap();
    let text = client.get(url).send().await.unwrap().text().await.unwrap();
    // Each of the 20 stands for two.
    let counted = "sidespan_spans_total{service_name=\"unknown_service\",route=\"/cart/{id}\",span_kind=\"server\",\
                   status_code=\"unset\"} 40";
    for line in [
        counted,
        "sidespan_sink_spans_total{outcome=\"duplicate\"} 5",
        "sidespan_sink_removed_spans_total{reason=\"evicted\"} 10",
        "sidespan_sink_stored_spans 10",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
    sink.stop().await;
}

/// A span costs the store some 10 µs, of which its metrics may take a small part only.
#[tokio::test]
async fn counting_a_span_is_cheap() {
    let red = std::sync::Mutex::new(crate::metrics::red::Red::default());
    let spans = batch((1..=10_000).map(span).collect());
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let (told, times) = std::sync::mpsc::channel();
    store.observe(Box::new(move |spans| {
        let began = Instant::now();
        red.lock().unwrap().add(spans);
        told.send((began.elapsed(), red.lock().unwrap().series()[0].1.count()))
            .unwrap();
    }));
    let mut least = Duration::MAX;
    for round in 1..=10 {
        store.insert(spans.clone(), |_| ()).await.unwrap();
        store.clear().unwrap();
        let (time, count) = times.recv().unwrap();
        assert_eq!(count, 20_000 * round);
        least = least.min(time);
    }
    println!("{} ns a span", least.as_nanos() / 10_000);
    // Far above what it takes, because a test is unoptimised and shares its machine.
    assert!(
        least < Duration::from_millis(200),
        "{least:?} for 10,000 spans"
    );
}
