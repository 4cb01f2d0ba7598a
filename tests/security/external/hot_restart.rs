//! Hot restart under load: one Envoy takes over from another, both with the filter. No answer and no span is lost; what the statistics of the
//! second one tell of the first is told, too.

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, wait_for};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, counter, filter, wait_for_counter, wait_until_accounted};
use sidespan_tests::http::{Request, Server, send};
use sidespan_tests::under_fire::assert_no_trap;

use super::load::Load;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_answer_and_every_span_outlives_a_hot_restart() {
    let scene = Scene::start("100ms", &[]);
    let child = scene.restarts_under_load();
    // The first one's counters and its queue were taken over at different moments, so that nothing exact can be said of the sum.
    assert!(counter(&child, "spans.exported") > 0);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn without_the_statistics_of_the_one_before_the_sum_is_exact() {
    let scene = Scene::start("100ms", &["--skip-hot-restart-parent-stats"]);
    let child = scene.restarts_under_load();
    let own = child.stat("http.in.downstream_rq_total").expect("a number");
    wait_until_accounted(&child, own.expect("requests"));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_queue_of_the_one_before_is_in_the_gauge_for_as_long_as_that_one_lives() {
    const WAITING: u64 = 8;
    const LATER: u64 = 3;
    let scene = Scene::start("60s", &[]);
    let sends = |count| {
        for _ in 0..count {
            assert_eq!(send(scene.address(), &Request::get("/")).status, 200);
        }
    };
    sends(WAITING);
    wait_for_counter(&scene.parent, "queue.spans", |count| count == WAITING);
    let child = scene.child();
    wait_until_accounted(&child, WAITING);
    assert_eq!(counter(&child, "queue.spans"), WAITING);
    scene.ends();
    wait_for_counter(&child, "queue.spans", |count| count == 0);
    sends(LATER);
    wait_for_counter(&child, "queue.spans", |count| count == LATER);
    // What waited in the first one is in no counter of the second one's, whether it has arrived or not.
    assert_eq!(counter(&child, "spans.finished"), WAITING + LATER);
    assert_eq!(counter(&child, "spans.exported"), 0);
}

struct Scene {
    parent: Envoy,
    bootstrap: Bootstrap,
    collector: Collector,
    _upstream: Server,
}

impl Scene {
    fn start(delay: &str, arguments: &[&str]) -> Self {
        let (upstream, collector) = (Server::ok(), Collector::start());
        let configuration = json!({
            "sampling": {"percentage": 100},
            "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": delay}},
        });
        let listener = Listener::new("in")
            .direction(Direction::Inbound)
            .route(Route::to("app"))
            .filter(filter(&configuration).filter());
        let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .concurrency(2)
            // What an Envoy has flushed, it does not hand over.
            .with("stats_flush_interval", json!("299s"))
            .with_arguments(&["--drain-time-s", "1", "--parent-shutdown-time-s", "3"])
            .with_arguments(arguments)
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector"))
            .listener(listener);
        Self {
            parent: envoy::start(&bootstrap.clone().hot_restart()),
            bootstrap,
            collector,
            _upstream: upstream,
        }
    }

    fn address(&self) -> std::net::SocketAddr {
        self.parent.address("in").expect("a listener")
    }

    /// Starts the one that takes over.
    fn child(&self) -> Envoy {
        let bootstrap = self.parent.hands_over_to(self.bootstrap.clone());
        envoy::start(&bootstrap.expect("a hot restart"))
    }

    /// Waits until the first one has ended, as its successor asks it to.
    fn ends(&self) {
        let status = self.parent.wait_for_end(LIMIT).expect("an end");
        assert!(status.success(), "{status}\n{}", self.parent.log());
    }

    /// Lets another take over while requests come, and checks that each of them is answered and has its span in the collector.
    fn restarts_under_load(&self) -> Envoy {
        let (child, answers) = Load::during(self.address(), |load| {
            wait_for_counter(&self.parent, "spans.exported", |count| count > 0);
            let child = self.child();
            self.ends();
            load.goes_on(100);
            child
        });
        answers.assert_few_cut();
        assert_eq!(answers.refused, 0, "{answers:?}");
        wait_for_counter(&child, "queue.spans", |waiting| waiting == 0);
        let accepted = || self.collector.sink().counts().accepted;
        let all = wait_for(LIMIT, || (accepted() >= answers.answered).then_some(()));
        println!("{answers:?}, {} spans arrived", accepted());
        assert!(all.is_some(), "{} spans, {answers:?}", accepted());
        assert!(accepted() <= answers.answered + answers.cut, "{answers:?}");
        assert_eq!(self.collector.sink().counts().conflicts, 0);
        for envoy in [&self.parent, &child] {
            assert_no_trap(envoy);
        }
        child
    }
}
