//! A system clock that steps back an hour on a real Envoy under load, and forward again: no answer, no span, no export and no refusal of a
//! configuration depends on it.

mod moved;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use moved::MovedClock;
use serde_json::{Value, json};
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, ExtensionFile, Listener, Node, Route, Verdict, wait_for,
};
use sidespan_sink::StoredSpan;
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, filter, filter_with};
use sidespan_tests::http::{Reply, Request, Server, send};
use sidespan_tests::under_fire::balance;

use super::load::Load;

const HOUR: i64 = 3_600;
/// The time by which a pause between exports may be longer than the longest one before: for a machine that others use, and far from an hour.
const MORE: Duration = Duration::from_secs(3);

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_clock_may_step_back_an_hour_and_forward_again() {
    let begin = now();
    let scene = Scene::start();
    let ((longest, held), answers) = Load::during(scene.address(), |load| {
        let usual = scene.longest_pause();
        let back = scene.steps_to(-HOUR);
        load.goes_on(50);
        let behind = scene.longest_pause();
        let forward = scene.steps_to(0);
        load.goes_on(50);
        let ahead = scene.longest_pause();
        scene.gets(&configuration(1).to_string(), Verdict::Applied);
        for pause in [behind, ahead] {
            assert!(pause <= usual + MORE, "{pause:?}, and {usual:?} before");
        }
        ([usual, behind, ahead], [back, forward])
    });
    assert_eq!((answers.cut, answers.refused), (0, 0), "{answers:?}");
    let finished = answers.answered + 2;
    let delivery = balance(&[(&scene.envoy, finished)], &scene.collector);
    assert_eq!(delivery.accepted, finished, "{delivery}");
    let end = now();
    let hour = Duration::from_secs(HOUR.unsigned_abs());
    let mut behind = 0;
    for span in scene.collector.sink().spans() {
        let start = Duration::from_nanos(span.start_unix_nanos);
        behind += u64::from(start + hour / 2 < begin);
        let is_sane = [Duration::ZERO, hour]
            .iter()
            .any(|step| (begin..=end).contains(&(start + *step)));
        assert!(is_sane, "{span:?}");
        let longest = answers.slowest.max(held[0].1).max(held[1].1);
        assert!(duration(&span) <= longest, "{longest:?}: {span:?}");
    }
    assert!(behind > 0 && behind < finished, "{behind} of {finished}");
    for (caller, measured) in &held {
        let spans = scene.collector.trace(&caller.trace_id, 1);
        assert!(duration(&spans[0]) <= *measured, "{spans:?}");
    }
    println!(
        "{} requests, {behind} spans an hour behind; the longest pauses of exports: {longest:?}",
        answers.answered
    );
}

struct Scene {
    envoy: Envoy,
    collector: Collector,
    upstream: Server,
    clock: Arc<MovedClock>,
    file: ExtensionFile,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn start() -> Self {
        let clock = Arc::new(MovedClock::new());
        let of_upstream = Arc::clone(&clock);
        let upstream = Server::start(move |request| {
            if request.path.starts_with("/held") {
                // Until the clock has been set.
                let seconds = of_upstream.seconds();
                wait_for(LIMIT, || (of_upstream.seconds() != seconds).then_some(()));
            }
            Reply::status(200)
        });
        let collector = Collector::start();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("filter.json");
        let file = ExtensionFile::create(&path, &filter(&configuration(0)));
        let file = file.expect("the first configuration");
        let listener = Listener::new("in")
            .direction(Direction::Inbound)
            .route(Route::to("app"))
            .filter(file.filter());
        let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .concurrency(2)
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector"))
            .listener(listener);
        Self {
            envoy: envoy::start(&clock.of(bootstrap)),
            collector,
            upstream,
            clock,
            file,
            _folder: folder,
        }
    }

    fn address(&self) -> std::net::SocketAddr {
        self.envoy.address("in").expect("a listener")
    }

    /// Sets the clock with a request on its way, and gives a broken configuration in the same moment. Returns the request's caller, and how
    /// long its answer took.
    fn steps_to(&self, seconds: i64) -> (Caller, Duration) {
        let caller = Caller::fresh();
        let path = format!("/held/{}", caller.trace_id);
        let request = Request::get(&path).header("traceparent", caller.traceparent());
        let took = thread::scope(|scope| {
            let held = scope.spawn(|| {
                let begin = Instant::now();
                assert_eq!(send(self.address(), &request).status, 200);
                begin.elapsed()
            });
            self.upstream.wait(&path);
            self.clock.set(seconds);
            let broken = json!({"unknown": seconds}).to_string();
            self.gets(&broken, Verdict::Refused);
            held.join().expect("an answer")
        });
        (caller, took)
    }

    /// Returns the longest time without a new span in the collector, of the next few.
    fn longest_pause(&self) -> Duration {
        let accepted = || self.collector.sink().counts().accepted;
        let pauses = (0..10).map(|_| {
            let (before, begin) = (accepted(), Instant::now());
            let more = wait_for(LIMIT, || (accepted() > before).then_some(()));
            assert!(more.is_some(), "exports go on");
            begin.elapsed()
        });
        pauses.max().unwrap_or_default()
    }

    fn gets(&self, configuration: &str, expected: Verdict) {
        let wasm = filter_with(configuration);
        let verdict = self.file.replace(&wasm, &self.envoy, LIMIT);
        assert_eq!(verdict.expect("a verdict"), expected, "{configuration}");
    }
}

fn configuration(number: u64) -> Value {
    json!({
        "sampling": {"percentage": 100},
        "spans": {"serviceName": format!("cart-{number}")},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "100ms"}},
    })
}

/// Returns how long a span lasts.
fn duration(span: &StoredSpan) -> Duration {
    let nanos = span.end_unix_nanos.checked_sub(span.start_unix_nanos);
    Duration::from_nanos(nanos.unwrap_or_else(|| panic!("ends before it begins: {span:?}")))
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time")
}
