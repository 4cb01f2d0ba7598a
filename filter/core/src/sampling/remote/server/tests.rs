use alloc::vec::Vec;

use super::*;
use crate::id_generator::SequentialBytes;
use crate::in_memory::header_list::HeaderList;
use crate::in_memory::proxy::InMemoryProxy;
use crate::time::Nanos;

const DOCUMENT: &str =
    r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}"#;

/// A worker that asks every minute.
struct Scene {
    server: SamplingServer,
    proxy: InMemoryProxy,
    strategy: Option<Strategy>,
    ids: IdGenerator<SequentialBytes>,
}

impl Scene {
    fn new() -> Self {
        let sampling = Sampling {
            remote: Some(Remote {
                cluster: "jaeger".into(),
                authority: "jaeger:5778".into(),
                path: "/sampling".into(),
                interval: Duration::from_secs(60),
            }),
            ..Sampling::default()
        };
        let server = SamplingServer::new(Some(&sampling), Some("cart"), "digest", "agent");
        Self {
            server: server.unwrap(),
            proxy: InMemoryProxy::default(),
            strategy: None,
            ids: IdGenerator::new(SequentialBytes(1)),
        }
    }

    /// Lets a tick come so many seconds later; returns the number of calls so far.
    fn tick(&mut self, seconds: u64) -> usize {
        let now = self.proxy.now.get().after(Duration::from_secs(seconds));
        self.proxy.now.set(now);
        self.server
            .ask(&self.proxy, &mut self.strategy, &mut self.ids);
        self.proxy.calls.borrow().len()
    }

    /// Answers a call; returns true if it was this client's.
    fn answer(&mut self, token: u32, status: &str, body: &str) -> bool {
        let headers = HeaderList::new([(":status", status.as_bytes())]);
        self.proxy.answer.replace((headers, body.into()));
        let strategy = &mut self.strategy;
        self.server
            .take_answer(&self.proxy, token, body.len(), strategy, &mut self.ids)
    }

    /// Takes the lines that the log has got.
    fn says(&self) -> Vec<String> {
        self.proxy.log.take()
    }
}

#[test]
fn asks_once_an_interval_and_tells_of_each_other_document() {
    let mut scene = Scene::new();
    scene.proxy.now.set(Nanos(1_000_000_000_000));
    assert_eq!(scene.tick(0), 1);
    assert_eq!(scene.tick(1), 1, "it is under way");
    assert!(!scene.answer(7, "200", DOCUMENT), "another's call");
    assert!(scene.answer(0, "200", DOCUMENT));
    assert!(scene.strategy.is_some());
    assert_eq!(
        scene.says(),
        ["sampling.remote: cluster jaeger says: probability 0.5"]
    );
    assert_eq!(scene.tick(50), 1, "too early");
    assert_eq!(scene.tick(17), 2);
    assert!(scene.answer(1, "200", DOCUMENT));
    assert!(scene.says().is_empty(), "nothing new");
}

#[test]
fn a_failure_and_its_end_are_a_line_each_and_what_holds_stays() {
    let mut scene = Scene::new();
    scene.proxy.now.set(Nanos(1_000_000_000_000));
    assert_eq!(scene.tick(0), 1);
    scene.answer(0, "500", "");
    let lines = scene.says();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("sampling.remote: cluster jaeger fails: "));
    assert!(lines[0].ends_with("; what holds: the configured percentages"));
    assert_eq!(scene.tick(60), 2);
    // Nobody answers.
    assert_eq!(scene.tick(11), 2, "the delay begins anew");
    assert!(!scene.answer(1, "200", DOCUMENT), "given up");
    assert!(scene.strategy.is_none());
    assert_eq!(scene.tick(60), 3);
    scene.answer(2, "200", DOCUMENT);
    let lines = scene.says();
    assert!(
        lines.contains(&"sampling.remote: cluster jaeger works again".into()),
        "{lines:?}"
    );
    assert_eq!(scene.tick(67), 4);
    scene.says();
    scene.answer(3, "503", "");
    let lines = scene.says();
    assert!(
        lines[0].ends_with("; what holds: still probability 0.5"),
        "{lines:?}"
    );
}
