use alloc::vec;
use core::cell::Cell;
use core::fmt;

use super::*;
use crate::cluster_call::send_error::SendError;
use crate::config::Config;
use crate::id_generator::SequentialBytes;
use crate::ids::{SpanId, TraceId};
use crate::in_memory::header_list::HeaderList;
use crate::in_memory::proxy::InMemoryProxy;
use crate::semconv::resource::Resource;
use crate::span::attributes::Attributes;
use crate::span::{SpanKind, Status};
use crate::stats::Counter;

/// A proxy in memory whose cluster is known or not.
struct Proxy {
    inner: InMemoryProxy,
    is_known: Cell<bool>,
    tried: Cell<usize>,
}

impl ClusterCalls for Proxy {
    fn http_call(
        &self,
        cluster: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<u32, SendError> {
        self.tried.set(self.tried.get() + 1);
        if !self.is_known.get() {
            return Err(SendError::UnknownCluster);
        }
        self.inner.http_call(cluster, headers, body, timeout)
    }

    fn answer_header(&self, name: &str) -> Option<Vec<u8>> {
        self.inner.answer_header(name)
    }

    fn answer_trailer(&self, name: &str) -> Option<Vec<u8>> {
        self.inner.answer_trailer(name)
    }

    fn answer_body(&self, max_bytes: usize) -> Vec<u8> {
        self.inner.answer_body(max_bytes)
    }
}

impl Worker for Proxy {
    fn now(&self) -> Nanos {
        self.inner.now()
    }

    fn monotonic(&self) -> Nanos {
        self.inner.monotonic()
    }

    fn set_tick_period(&self, period: Duration) {
        self.inner.set_tick_period(period);
    }

    fn logs_debug(&self) -> bool {
        self.inner.logs_debug()
    }

    fn log(&self, level: LogLevel, line: fmt::Arguments<'_>) {
        self.inner.log(level, line);
    }

    fn log_once(
        &self,
        level: LogLevel,
        topic: &str,
        digest: &str,
        round: Duration,
        line: fmt::Arguments<'_>,
    ) {
        self.inner.log_once(level, topic, digest, round, line);
    }
}

struct Scene {
    proxy: Proxy,
    collector: Collector,
    ids: IdGenerator<SequentialBytes>,
    stats: Stats,
}

impl Scene {
    /// Starts a collector that drops a batch after its first failure, and batches of one span.
    fn new() -> Self {
        let export = r#"{"export": {
            "otlp": {"cluster": "c"}, "batch": {"maxSpans": 1}, "retry": {"attempts": 1}
        }}"#;
        let config = Config::parse(export.as_bytes()).unwrap();
        let frame = RequestFrame::new(&Resource::default(), "sidespan", "1", "digest", "");
        Self {
            proxy: Proxy {
                inner: InMemoryProxy::default(),
                is_known: Cell::new(true),
                tried: Cell::new(0),
            },
            collector: Collector::new(&config.export, frame, Vec::new(), "sidespan").unwrap(),
            ids: IdGenerator::new(SequentialBytes(1)),
            stats: Stats::default(),
        }
    }

    fn push(&mut self, count: usize) {
        let span = Span {
            trace_id: TraceId::from_bytes([1; 16]).unwrap(),
            span_id: SpanId::from_bytes([1; 8]).unwrap(),
            parent_span_id: None,
            trace_state: Vec::new(),
            flags: 0,
            name: "GET".into(),
            kind: SpanKind::Server,
            start: Nanos(1),
            end: Nanos(2),
            attributes: Attributes::default(),
            link: None,
            status: Status::Unset,
        };
        for _ in 0..count {
            self.collector
                .export(&span, self.proxy.now(), &mut self.stats);
        }
    }

    fn send(&mut self) {
        let (ids, stats) = (&mut self.ids, &mut self.stats);
        self.collector
            .send_due(&self.proxy, SendTrigger::Tick, ids, stats);
    }

    fn answer(&mut self, token: u32, status: &str) {
        let answer = HeaderList::new([(":status", "200"), ("grpc-status", status)]);
        self.proxy.inner.answer.replace((answer, Vec::new()));
        let (ids, stats) = (&mut self.ids, &mut self.stats);
        self.collector
            .take_answer(&self.proxy, token, 0, true, ids, stats);
    }

    fn counts(&self) -> [u64; 3] {
        [
            Counter::ExportRequests,
            Counter::SpansExported,
            Counter::SpansDroppedExport,
        ]
        .map(|counter| self.stats.get(counter))
    }
}

#[test]
fn one_tick_sends_several_batches_and_answers_find_their_calls() {
    let mut scene = Scene::new();
    scene.push(6);
    scene.send();
    assert_eq!(scene.counts(), [4, 0, 0]);
    scene.answer(2, "0");
    scene.answer(2, "0");
    scene.answer(77, "0");
    assert_eq!(scene.counts(), [4, 1, 0], "one answer to a call");
    scene.answer(0, "3");
    assert_eq!(scene.counts(), [4, 1, 1]);
    scene.answer(3, "0");
    scene.answer(1, "0");
    assert_eq!(scene.counts(), [4, 3, 1]);
    assert_eq!(scene.collector.exporter.spans(), 2);
}

#[test]
fn calls_without_an_answer_are_given_up_together() {
    let mut scene = Scene::new();
    scene.push(5);
    scene.send();
    let later = scene.proxy.now().after(Duration::from_secs(10));
    scene.proxy.inner.now.set(later);
    scene.send();
    assert_eq!(scene.counts(), [5, 0, 4]);
    assert_eq!(
        *scene.proxy.inner.log.borrow(),
        vec!["export to cluster c fails: no answer"]
    );
    scene.answer(0, "0");
    assert_eq!(scene.counts(), [5, 0, 4], "too late");
}

#[test]
fn a_cluster_that_is_unknown_is_tried_once_a_tick() {
    let mut scene = Scene::new();
    scene.proxy.is_known.set(false);
    scene.push(6);
    for tick in 1..=3 {
        scene.send();
        assert_eq!(
            scene.proxy.tried.get(),
            tick,
            "not one batch after the other"
        );
    }
    assert_eq!(scene.counts(), [3, 0, 3]);
    assert_eq!(scene.proxy.inner.log.borrow().len(), 1);
    scene.proxy.is_known.set(true);
    scene.push(3);
    scene.send();
    assert_eq!(scene.proxy.tried.get(), 4, "one call until it is accepted");
    scene.answer(0, "0");
    scene.send();
    assert_eq!(scene.proxy.tried.get(), 8);
}
