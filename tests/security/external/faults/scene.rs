//! An Envoy with a listener past the filter and one through it, whose configuration comes by discovery, and all that can fail around it.

use std::fmt::Display;
use std::fs;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;

use serde_json::json;
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, ExtensionFile, Listener, Node, Route, Verdict, wait_for,
};
use sidespan_tests::collector::Collector;
use sidespan_tests::draw::Draw;
use sidespan_tests::envoy::{self, LIMIT, counter, filter, filter_with, wait_until_accounted};
use sidespan_tests::http::Server;
use sidespan_tests::under_fire::{assert_no_trap, balance, memory_kib};

use super::super::load::{Answers, Load};
use super::collector::reply;
use super::configurations::{CLUSTERS, broken, good};
use super::traffic::{self, Sent};

const CALLERS: u64 = 3;
/// Requests of a caller in a round.
const EACH: u64 = 50;
/// Requests of a round.
pub(super) const REQUESTS: u64 = CALLERS * EACH;
/// The proxy's limit for an answer: longer than any answer takes on a busy machine, but that of a silent upstream.
const TIMEOUT: &str = "1.5s";
const OVERLOAD: &str = "overload.envoy.overload_actions.stop_accepting_requests.active";

pub(super) struct Scene {
    envoy: Envoy,
    collector: Collector,
    upstream: Server,
    file: ExtensionFile,
    folder: tempfile::TempDir,
    sent: Sent,
    changes: Changes,
    replies: usize,
    outages: u64,
}

/// The changes of the proxy itself.
#[derive(Clone, Copy, Default)]
struct Changes {
    applied: u64,
    refused: u64,
    overloads: u64,
}

impl Scene {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (collector, upstream) = (Collector::start(), Server::start(traffic::react));
        let first = good(&mut Draw::of(0, 0), 0);
        let file = ExtensionFile::create(&folder.path().join("filter.json"), &filter(&first))
            .expect("the first configuration");
        let pressure = pressure(&folder);
        fs::write(&pressure, "0.0").expect("a file");
        let listener = |name: &str| {
            let route = Route::to("app").with("timeout", json!(TIMEOUT));
            Listener::new(name)
                .direction(Direction::Inbound)
                // A connection with a broken answer stays open for a second otherwise.
                .with("delayed_close_timeout", json!("0.01s"))
                .route(route)
        };
        let [(_, grpc), (_, http)] = CLUSTERS;
        let monitor = "envoy.resource_monitors.injected_resource";
        let overload = json!({
            "refresh_interval": "0.02s",
            "resource_monitors": [{"name": monitor, "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.resource_monitors.injected_resource.v3.InjectedResourceConfig",
                "filename": pressure,
            }}],
            "actions": [{
                "name": "envoy.overload_actions.stop_accepting_requests",
                "triggers": [{"name": monitor, "threshold": {"value": 0.9}}],
            }],
        });
        let envoy = envoy::start(
            &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
                .concurrency(2)
                .with("overload_manager", overload)
                .cluster(Cluster::new("app", upstream.address()))
                .cluster(collector.grpc_cluster(grpc))
                .cluster(collector.http_cluster(http))
                .listener(listener("past"))
                .listener(listener("through").filter(file.filter())),
        );
        Self {
            envoy,
            collector,
            upstream,
            file,
            folder,
            sent: Sent::default(),
            changes: Changes::default(),
            replies: 0,
            outages: 0,
        }
    }

    /// Sends a round's requests while faults happen, and balances the accounts.
    pub(super) fn round(&mut self, draw: &mut Draw) {
        let replies: Vec<_> = (0..draw.below(8)).map(|_| reply(draw)).collect();
        self.replies += replies.len();
        self.collector.sink().script(replies);
        let is_out = draw.one_in(3);
        if is_out {
            self.collector.pause();
            self.outages += 1;
        }
        let addresses = ["past", "through"].map(|it| self.envoy.address(it).expect("a listener"));
        let mut callers: Vec<_> = (0..CALLERS).map(|_| Draw::of(draw.number(), 0)).collect();
        let is_overloaded = draw.one_in(3);
        let scene = &*self;
        let (sent, changes): (Vec<Sent>, Changes) = thread::scope(|scope| {
            let running: Vec<_> = callers
                .iter_mut()
                .map(|caller| {
                    scope.spawn(|| {
                        traffic::send(caller, addresses, &scene.upstream, !is_overloaded, EACH)
                    })
                })
                .collect();
            let changes = scene.changes(draw, is_overloaded);
            let ended = running.into_iter().map(|caller| caller.join());
            let sent = ended.map(|sent| sent.unwrap_or_else(|panic| resume_unwind(panic)));
            (sent.collect(), changes)
        });
        self.changes.applied += changes.applied;
        self.changes.refused += changes.refused;
        self.changes.overloads += changes.overloads;
        if is_out {
            self.collector.resume();
        }
        for sent in sent {
            self.sent.requests += sent.requests;
            self.sent.seen += sent.seen;
            self.sent.faults += sent.faults;
            self.sent.overloaded += sent.overloaded;
        }
        wait_until_accounted(&self.envoy, self.sent.seen);
    }

    /// Gives configurations, good and broken, and an overload.
    fn changes(&self, draw: &mut Draw, is_overloaded: bool) -> Changes {
        let mut changes = Changes::default();
        let before = self.changes.applied + self.changes.refused;
        for number in before + 1..=before + u64::from(draw.one(&[0_u8, 1, 2, 3])) {
            let (wasm, expected) = match draw.one_in(2) {
                true => (filter(&good(draw, number)), Verdict::Applied),
                false => (filter_with(&broken(draw, number)), Verdict::Refused),
            };
            let verdict = self.file.replace(&wasm, &self.envoy, LIMIT);
            assert_eq!(verdict.expect("a verdict"), expected, "{wasm:?}");
            match expected {
                Verdict::Applied => changes.applied += 1,
                Verdict::Refused => changes.refused += 1,
            }
        }
        if is_overloaded {
            changes.overloads += 1;
            self.press("1.0", 1);
            self.press("0.0", 0);
        }
        changes
    }

    /// Waits until nothing is under way, and checks that what the filter calls exported has arrived.
    pub(super) fn settles(&self) {
        let delivery = balance(&[(&self.envoy, self.sent.seen)], &self.collector);
        assert!(delivery.exported > delivery.given_up, "{delivery}");
    }

    pub(super) fn figures(&self) -> impl Display {
        let ends = [
            "finished",
            "exported",
            "rejected",
            "dropped_queue",
            "dropped_export",
            "dropped_shutdown",
        ];
        let ends = ends.map(|name| {
            let count = counter(&self.envoy, &format!("spans.{name}"));
            format!("{count} {name}")
        });
        let Sent {
            requests,
            faults,
            overloaded,
            ..
        } = self.sent;
        format!(
            "{requests} requests each way, {faults} of them with a fault of their own and {overloaded} in {} overloads; {} answers of a collector in \
             trouble, {} outages, {} configurations and {} broken ones; spans: {}",
            self.changes.overloads,
            self.replies,
            self.outages,
            self.changes.applied,
            self.changes.refused,
            ends.join(", ")
        )
    }

    /// Checks that the schedule had each kind of fault, which the usual seed has in the short form; another one misses a kind once
    /// in a hundred times.
    pub(super) fn has_tried_everything(&self) {
        let tried = [
            self.sent.faults,
            self.changes.applied,
            self.changes.refused,
            self.outages,
            self.changes.overloads,
        ];
        assert!(tried.iter().all(|count| *count > 0), "{tried:?}");
        assert!(counter(&self.envoy, "export.failures") > 0);
    }

    /// Drains the Envoy and ends it while requests come: all are answered or not taken, but for those that are under way as it ends.
    pub(super) fn ends_under_load(self) -> impl Display {
        let address = self.envoy.address("through").expect("a listener");
        let arrived = || self.collector.sink().counts().accepted;
        let before = arrived();
        let ((), answers) = Load::during(address, |_| {
            // So that spans wait and are under way, and the collector has no trouble left to give.
            wait_for(LIMIT, || (arrived() > before).then_some(())).expect("spans under load");
            self.envoy
                .admin_post("/drain_listeners?graceful")
                .expect("a drain");
            self.envoy.quit(LIMIT).expect("an end");
        });
        answers.assert_few_cut();
        let Answers { answered, cut, .. } = answers;
        let accepted = arrived();
        let all = self.sent.seen + answered;
        assert_no_trap(&self.envoy);
        format!(
            "drained and ended under load: {answered} more requests answered, {cut} cut; of all {all} spans {accepted} have arrived"
        )
    }

    pub(super) fn memory_kib(&self) -> u64 {
        memory_kib(&self.envoy)
    }

    /// Sets the pressure that the proxy sees, and waits until it does what it does then.
    fn press(&self, value: &str, active: u64) {
        let next = self.folder.path().join("next");
        fs::write(&next, value).expect("a file");
        fs::rename(next, pressure(&self.folder)).expect("a file");
        let seen = wait_for(LIMIT, || {
            let seen = self.envoy.stat(OVERLOAD).ok()??;
            (seen == active).then_some(())
        });
        assert!(seen.is_some(), "the overload manager sees {value}");
    }
}

fn pressure(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("pressure")
}
