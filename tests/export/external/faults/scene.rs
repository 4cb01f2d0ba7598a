//! An Envoy, its collector, and requests that are measured before and during a fault.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, wait_for};
use sidespan_sink::Counts;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, counter, filter, wait_for_counter, wait_until_accounted};
use sidespan_tests::http::{Connection, Request, Server};

pub(super) const PROTOCOLS: [&str; 2] = ["grpc", "http/protobuf"];
/// Far longer than the exporter's own delay here.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
pub(super) const BATCH: u64 = 64;
pub(super) const QUEUE: u64 = 1_000;
pub(super) const QUEUE_BYTES: u64 = 1 << 20;
/// Requests for one measurement.
const SAMPLE: usize = 400;

/// An Envoy with one worker, whose collector has answered a first measurement as it should.
pub(super) struct Scene {
    pub(super) envoy: Envoy,
    pub(super) collector: Collector,
    // With the filter, and without.
    connections: [Connection; 2],
    pub(super) usual: f64,
    pub(super) slowest: f64,
    pub(super) sent: u64,
    earlier: Earlier,
    _upstream: Server,
}

/// Numbers of the Envoy and of the collector at the begin of a test, which are no work of that test.
#[derive(Default)]
struct Earlier {
    stats: BTreeMap<String, u64>,
    taken: Counts,
}

/// A scene for one test after the other. Tests that read the log need a scene of their own, because a kind of failure is told
/// once a minute.
pub(super) struct SharedScene {
    // `None` only while this value is dropped.
    scene: Option<Scene>,
    place: MutexGuard<'static, Option<Scene>>,
}

impl SharedScene {
    /// Returns the scene of this protocol once no other test uses it; the first test starts it.
    pub(super) fn of(protocol: &str) -> Self {
        static SCENES: [Mutex<Option<Scene>>; PROTOCOLS.len()] =
            [const { Mutex::new(None) }; PROTOCOLS.len()];
        let number = PROTOCOLS.iter().position(|it| *it == protocol);
        let place = &SCENES[number.expect("a protocol")];
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let scene = match place.take() {
            Some(mut scene) => {
                scene.begin();
                scene
            }
            None => Scene::start(protocol),
        };
        Self {
            scene: Some(scene),
            place,
        }
    }
}

impl Drop for SharedScene {
    fn drop(&mut self) {
        // Nobody knows the state of a scene whose test has failed.
        if !thread::panicking() {
            *self.place = self.scene.take();
        }
    }
}

impl Deref for SharedScene {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        self.scene.as_ref().expect("a scene until the end")
    }
}

impl DerefMut for SharedScene {
    fn deref_mut(&mut self) -> &mut Scene {
        self.scene.as_mut().expect("a scene until the end")
    }
}

impl Scene {
    pub(super) fn start(protocol: &str) -> Self {
        let upstream = Server::ok();
        let collector = Collector::start();
        let cluster = match protocol {
            "grpc" => collector.grpc_cluster("collector"),
            _ => collector.http_cluster("collector"),
        };
        let listener = |name: &str| {
            Listener::new(name)
                .direction(Direction::Inbound)
                .route(Route::to("app"))
        };
        let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(cluster)
            .listener(listener("in").filter(filter(&configuration(protocol)).filter()))
            .listener(listener("plain"));
        let envoy = envoy::start(&bootstrap);
        let connections = ["in", "plain"].map(|listener| {
            let address = envoy.address(listener).expect("a listener");
            Connection::open(address).expect("a listener")
        });
        let mut scene = Self {
            connections,
            envoy,
            collector,
            usual: 0.0,
            slowest: 0.0,
            sent: 0,
            earlier: Earlier::default(),
            _upstream: upstream,
        };
        scene.begin();
        scene
    }

    /// Counts from here on, and takes the first measurement.
    fn begin(&mut self) {
        self.earlier = Earlier {
            stats: self
                .envoy
                .stats(&envoy::stat(""))
                .expect("the admin interface"),
            taken: self.collector.sink().counts(),
        };
        (self.sent, self.slowest) = (0, 0.0);
        self.usual = self.slowness();
        self.wait_for("spans.exported", |exported| {
            exported == u64::try_from(SAMPLE).expect("a number")
        });
    }

    /// Returns the median time of a request as a multiple of one without the filter, taken in turn, because whatever else
    /// the machine does meets both.
    fn slowness(&mut self) -> f64 {
        let request = Request::get("/orders/17")
            .header("user-agent", "load/1")
            .bytes();
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..SAMPLE {
            for (connection, times) in self.connections.iter_mut().zip(&mut times) {
                let start = Instant::now();
                let answer = connection.exchange_bytes(&request).expect("an answer");
                times.push(start.elapsed());
                assert_eq!(answer.status, 200);
            }
        }
        self.sent += u64::try_from(SAMPLE).expect("a number");
        let [with, without] = times.map(|mut times| {
            times.sort();
            times[SAMPLE / 2].as_secs_f64()
        });
        with / without
    }

    /// Requests that take what they always take, but for noise.
    pub(super) fn requests_during_the_fault(&mut self) {
        let during = self.slowness();
        let usual = self.usual;
        assert!(
            during <= usual * 3.0,
            "{during:.2} times as long as without the filter, and {usual:.2} before the fault"
        );
        self.slowest = self.slowest.max(during);
    }

    /// From the failure to the next try.
    pub(super) fn asks_again_after(&self, asked: Duration) {
        self.wait_for("export.failures", |failures| failures > 0);
        let start = Instant::now();
        self.wait_for("export.retries", |retries| retries > 0);
        let waited = start.elapsed();
        // The failure was seen a tick after it happened, or some more on a busy machine.
        assert!(waited >= asked / 2, "{waited:?}");
    }

    /// The collector is in order again, and everything that can still go has gone.
    pub(super) fn ends(&self) {
        self.is_accounted();
        self.wait_for("queue.spans", |waiting| waiting == 0);
        self.is_accounted();
        assert_eq!(self.count("queue.bytes"), 0);
        for never in ["spans.dropped_shutdown", "spans.dropped_restart"] {
            assert_eq!(self.count(never), 0, "{never}");
        }
    }

    pub(super) fn is_accounted(&self) {
        wait_until_accounted(&self.envoy, self.earlier("spans.finished") + self.sent);
    }

    /// Exported, rejected, dropped by the export and by the queue; failures and retries.
    pub(super) fn counts(&self) -> [u64; 6] {
        [
            "spans.exported",
            "spans.rejected",
            "spans.dropped_export",
            "spans.dropped_queue",
            "export.failures",
            "export.retries",
        ]
        .map(|name| self.count(name))
    }

    pub(super) fn count(&self, name: &str) -> u64 {
        counter(&self.envoy, name) - self.earlier(name)
    }

    pub(super) fn wait_for(&self, name: &str, wanted: impl Fn(u64) -> bool) {
        let earlier = self.earlier(name);
        wait_for_counter(&self.envoy, name, |count| wanted(count - earlier));
    }

    fn earlier(&self, name: &str) -> u64 {
        let stats = &self.earlier.stats;
        stats.get(&envoy::stat(name)).copied().unwrap_or(0)
    }

    /// Returns the spans that the collector has taken in this test, and those that came to it twice.
    pub(super) fn taken(&self) -> Counts {
        let (now, earlier) = (self.collector.sink().counts(), self.earlier.taken);
        Counts {
            accepted: now.accepted - earlier.accepted,
            duplicates: now.duplicates - earlier.duplicates,
            ..now
        }
    }

    /// The one line of the log that says so.
    pub(super) fn says(&self, what: &str) -> String {
        let lines = wait_for(LIMIT, || {
            let log = self.envoy.log();
            let lines: Vec<String> = log
                .lines()
                .filter(|line| line.contains(what))
                .map(str::to_owned)
                .collect();
            (!lines.is_empty()).then_some(lines)
        });
        let lines = lines.unwrap_or_default();
        assert_eq!(lines.len(), 1, "{what}: {lines:#?}\n{}", self.envoy.log());
        lines[0].clone()
    }
}

pub(super) fn configuration(protocol: &str) -> Value {
    json!({
        "sampling": {"percentage": 100},
        "export": {
            "otlp": {"cluster": "collector", "protocol": protocol, "timeout": "1s"},
            "batch": {"maxSpans": BATCH, "maxDelay": "50ms"},
            "queue": {"maxSpans": QUEUE, "maxBytes": QUEUE_BYTES},
            "retry": {"initial": "100ms", "max": "1s", "attempts": 3},
        },
    })
}
