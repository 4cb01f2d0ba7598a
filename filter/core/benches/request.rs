//! What one request costs in the core, without a proxy: the parts and the whole.
//!
//! `cargo bench -p sidespan-core`, and `-- extract` for one alone. `encode/prost` builds the same span from generated types and encodes it, beside
//! `encode/own`, which writes it straight from the span: the reason for an encoder of our own.

use std::cell::RefCell;
use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message;
use sidespan_core::cluster_call::send_error::SendError;
use sidespan_core::config::Config;
use sidespan_core::direction::Direction;
use sidespan_core::export::exporter::SpanExporter;
use sidespan_core::filter::{Filter, StreamState};
use sidespan_core::headers::pairs::HeaderPairs;
use sidespan_core::headers::{HeaderWriter, RequestHeaders};
use sidespan_core::id_generator::Random;
use sidespan_core::ids::TraceId;
use sidespan_core::in_memory::header_list::HeaderList;
use sidespan_core::in_memory::stream_record;
use sidespan_core::node::Node;
use sidespan_core::otlp::span::encode;
use sidespan_core::propagation;
use sidespan_core::proxy::{ClusterCalls, LogLevel, SharedData, Stream, Worker};
use sidespan_core::span::Span;
use sidespan_core::stats::Stats;
use sidespan_core::stream_info::attributes::AttributeSet;
use sidespan_core::stream_info::fact::Fact;
use sidespan_core::stream_info::source::{PassingResponse, StreamInfo};
use sidespan_core::time::Nanos;
use sidespan_core::tracer::decide::Tracer;
use sidespan_core::tracer::request_trace::RequestTrace;
use sidespan_core::tracer::state::State;

const HEADERS: [(&str, &str); 14] = [
    (":authority", "cart.shop.svc.cluster.local:8080"),
    (":path", "/api/v1/cart/7?currency=EUR"),
    (":method", "GET"),
    (":scheme", "http"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101",
    ),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate"),
    ("x-request-id", "594df618-a9ec-4bf0-a8f6-a85e9470eb44"),
    ("x-forwarded-for", "10.0.0.7"),
    ("x-forwarded-proto", "http"),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    ("tracestate", "vendor=abc"),
    ("cookie", "session=0123456789abcdef0123456789abcdef"),
    ("content-length", "0"),
];

/// Not random, and as fast as nothing: only the core is to be measured.
struct Zeroes;

impl Random for Zeroes {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        bytes.fill(7);
        true
    }
}

struct Discard;

impl HeaderWriter for Discard {
    fn set(&mut self, name: &'static str, value: &[u8]) {
        black_box((name, value));
    }
    fn remove(&mut self, name: &'static str) {
        black_box(name);
    }
}

/// A proxy that hands over one request, answers all that a SERVER span asks in one call, and forgets all that it is told.
struct Answering {
    request: Vec<u8>,
    answers: Vec<u8>,
}

impl Answering {
    fn well() -> Self {
        let [start, duration, flags, code] =
            [1_700_000_000_000_000_000_u64, 1_000_000, 0, 200].map(u64::to_le_bytes);
        let answers = [
            &start[..],
            &duration,
            &flags,
            &code,
            b"10.0.0.9:4711",
            b"HTTP/1.1",
        ];
        Self {
            request: block(),
            answers: stream_record::list(answers.into_iter()),
        }
    }
}

impl StreamInfo for Answering {
    fn property(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
    fn answers(&self, _: AttributeSet) -> Option<Vec<u8>> {
        Some(self.answers.clone())
    }
    fn confirms(&self, _: Fact) -> bool {
        true
    }
}

impl PassingResponse for Answering {
    fn response_headers(&self) -> Vec<u8> {
        Vec::new()
    }
    fn response_header(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
    fn response_trailer(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
}

impl Stream for Answering {
    fn request_headers(&self) -> Vec<u8> {
        black_box(&self.request).clone()
    }
    fn request_writer(&self) -> impl HeaderWriter {
        Discard
    }
    fn response_writer(&self) -> impl HeaderWriter {
        Discard
    }
    fn trailer_writer(&self) -> impl HeaderWriter {
        Discard
    }
    fn listener_direction(&self) -> Option<u64> {
        Some(1)
    }
    fn set_filter_state(&self, _: &str, _: &[u8]) {}
}

impl SharedData for Answering {
    fn shared_data(&self, _: &[u8]) -> Vec<u8> {
        Vec::new()
    }
    fn set_shared_data(&self, _: &[u8], _: &[u8]) {}
}

impl ClusterCalls for Answering {
    fn http_call(
        &self,
        _: &str,
        _: &[(&str, &str)],
        _: Option<&[u8]>,
        _: Duration,
    ) -> Result<u32, SendError> {
        Err(SendError::NotSent)
    }
    fn answer_header(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
    fn answer_trailer(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
    fn answer_body(&self, _: usize) -> Vec<u8> {
        Vec::new()
    }
}

impl Worker for Answering {
    fn now(&self) -> Nanos {
        Nanos(2_000_000)
    }
    fn monotonic(&self) -> Nanos {
        self.now()
    }
    fn set_tick_period(&self, _: Duration) {}
    fn logs_debug(&self) -> bool {
        false
    }
    fn log(&self, _: LogLevel, _: fmt::Arguments<'_>) {}
    fn log_once(&self, _: LogLevel, _: &str, _: &str, _: Duration, _: fmt::Arguments<'_>) {}
}

/// Encodes each span, and throws it away.
struct Encode;

impl SpanExporter for Encode {
    fn export(&mut self, span: &Span, _: Nanos, _: &mut Stats) {
        drop(black_box(encode(span)));
    }
    fn after_export(&mut self, _: &impl Worker) {}
}

/// The headers as a proxy hands them over.
fn block() -> Vec<u8> {
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(0).to_le_bytes();
    let count = u32::try_from(HEADERS.len()).unwrap_or(0);
    let mut block = count.to_le_bytes().to_vec();
    for (name, value) in HEADERS {
        block.extend(length(name));
        block.extend(length(value));
    }
    for (name, value) in HEADERS {
        block.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
    }
    block
}

fn config() -> Config {
    let text = br#"{"sampling": {"percentage": 100}, "export": {"otlp": {"cluster": "c"}}}"#;
    Config::parse(text).unwrap_or_default()
}

fn filter<E: SpanExporter>(exporter: E) -> Filter<Answering, Zeroes, E> {
    let (node, proxy) = (Node::default(), Answering::well());
    Filter::new(&config(), &node, "", proxy, Zeroes, Some(exporter), None)
}

fn begun(filter: &mut Filter<Answering, Zeroes, impl SpanExporter>) -> StreamState {
    let mut stream = StreamState::default();
    filter.on_request_headers(&mut stream);
    stream
}

fn finished() -> Vec<Span> {
    let mut filter = filter(Vec::new());
    let mut stream = begun(&mut filter);
    filter.on_end(&mut stream);
    filter.exporter.unwrap_or_default()
}

fn request(criterion: &mut Criterion) {
    let block = block();
    let list = HeaderList::new(HEADERS);
    let headers = list.as_request();
    let tracer = Tracer::new(&config(), &Node::default());
    let formats = Config::default().propagation.extract;
    let trust = Config::default().trust;
    let mut state = State::new(&Config::default(), Zeroes);

    criterion.bench_function("read", |bencher| {
        bencher.iter(|| black_box(RequestHeaders::read(HeaderPairs::new(black_box(&block)))));
    });
    criterion.bench_function("extract", |bencher| {
        bencher
            .iter(|| propagation::extract(&formats, &trust, black_box(&headers), &mut state.stats));
    });
    let mut decide = || {
        let (direction, now) = (|| Direction::Inbound, || Nanos(1));
        let (headers, all) = (black_box(&headers), list.pairs());
        let mut trace = RequestTrace::silent();
        tracer.decide(
            headers,
            all,
            direction,
            now,
            |_| None,
            &mut state,
            &mut trace,
        );
        trace
    };
    criterion.bench_function("decide", |bencher| bencher.iter(&mut decide));
    let request_trace = decide();
    criterion.bench_function("inject", |bencher| {
        bencher.iter(|| tracer.inject(black_box(&request_trace), &headers, &mut Discard));
    });
    let whole = RefCell::new(filter(Encode));
    criterion.bench_function("finish+encode", |bencher| {
        let begin = || begun(&mut whole.borrow_mut());
        let finish = |mut stream| whole.borrow_mut().on_end(&mut stream);
        bencher.iter_batched(begin, finish, BatchSize::SmallInput);
    });
    criterion.bench_function("whole", |bencher| {
        let mut whole = whole.borrow_mut();
        bencher.iter(|| {
            let mut stream = begun(&mut whole);
            whole.on_end(&mut stream);
        });
    });
}

fn encode_span(criterion: &mut Criterion) {
    for span in &finished() {
        let generated = proto::Span::decode(&encode(span)[..]).unwrap_or_default();
        let texts: Vec<(String, Value)> = generated
            .attributes
            .iter()
            .filter_map(|attribute| {
                let value = attribute.value.as_ref()?.value.clone()?;
                Some((attribute.key.clone(), value))
            })
            .collect();
        criterion.bench_function("encode/own", |bencher| {
            bencher.iter(|| encode(black_box(span)));
        });
        criterion.bench_function("encode/prost", |bencher| {
            bencher.iter(|| {
                let attributes = texts
                    .iter()
                    .map(|(key, value)| KeyValue {
                        key: key.clone(),
                        value: Some(AnyValue {
                            value: Some(value.clone()),
                        }),
                        ..KeyValue::default()
                    })
                    .collect();
                proto::Span {
                    trace_id: generated.trace_id.clone(),
                    span_id: generated.span_id.clone(),
                    parent_span_id: generated.parent_span_id.clone(),
                    name: generated.name.clone(),
                    trace_state: generated.trace_state.clone(),
                    attributes,
                    ..proto::Span::default()
                }
                .encode_to_vec()
            });
        });
    }
}

fn ids(criterion: &mut Criterion) {
    let digits = b"4bf92f3577b34da6a3ce929d0e0e4736";
    criterion.bench_function("id/from_hex", |bencher| {
        bencher.iter(|| TraceId::from_hex(black_box(digits)));
    });
    if let Ok(id) = TraceId::from_hex(digits) {
        criterion.bench_function("id/to_hex", |bencher| {
            bencher.iter(|| black_box(id).to_hex());
        });
    }
}

criterion_group!(benches, request, encode_span, ids);
criterion_main!(benches);
