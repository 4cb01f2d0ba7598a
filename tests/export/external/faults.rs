//! Faults of a collector, on real Envoy: each span ends in one counter, the queue keeps its limits, and no request waits
//! for the collector.

mod scene;

use std::time::{Duration, Instant};

use sidespan_envoy::{Bootstrap, Cluster, Direction, Listener, Node, Route};
use sidespan_sink::Reply;
use sidespan_tests::effort;
use sidespan_tests::envoy::{self, counter, filter, wait_for_counter, wait_until_accounted};
use sidespan_tests::http::{Server, load};
use tonic::Code;

use scene::{BATCH, PATIENCE, PROTOCOLS, QUEUE, QUEUE_BYTES, Scene, SharedScene, configuration};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn rt_5_a_refused_connection_is_tried_again() {
    let mut scene = SharedScene::of("grpc");
    scene.collector.pause();
    scene.requests_during_the_fault();
    scene.wait_for("export.failures", |failures| failures > 0);
    scene.is_accounted();
    scene.collector.resume();
    scene.ends();
    let lost = ["spans.dropped_export", "spans.dropped_queue"].map(|name| scene.count(name));
    assert_eq!(
        scene.count("spans.exported") + lost[0] + lost[1],
        scene.sent
    );
    // A refused connection has transferred nothing.
    assert_eq!(scene.taken().accepted, scene.count("spans.exported"));
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn rt_5_an_answer_that_comes_too_late_is_none() {
    for protocol in PROTOCOLS {
        let mut scene = SharedScene::of(protocol);
        let late = Reply::Delay(Duration::from_secs(60));
        scene.collector.sink().script([late]);
        scene.requests_during_the_fault();
        scene.ends();
        assert_eq!(scene.counts(), [scene.sent, 0, 0, 0, 1, 1], "{protocol}");
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn rt_6_a_503_with_retry_after_is_tried_again_no_sooner() {
    for protocol in PROTOCOLS {
        let mut scene = SharedScene::of(protocol);
        scene
            .collector
            .sink()
            .script([Reply::HttpStatus(503, Some(PATIENCE))]);
        scene.requests_during_the_fault();
        if protocol == "http/protobuf" {
            scene.asks_again_after(PATIENCE);
        }
        scene.ends();
        assert_eq!(scene.counts(), [scene.sent, 0, 0, 0, 1, 1], "{protocol}");
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn rt_9_resource_exhausted_with_retry_info_is_tried_again_no_sooner() {
    let mut scene = SharedScene::of("grpc");
    let busy = Reply::GrpcStatus(Code::ResourceExhausted, Some(PATIENCE));
    scene.collector.sink().script([busy]);
    scene.requests_during_the_fault();
    scene.asks_again_after(PATIENCE);
    scene.ends();
    assert_eq!(scene.counts(), [scene.sent, 0, 0, 0, 1, 1]);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn rt_9_resource_exhausted_without_retry_info_is_refused_for_good() {
    let mut scene = Scene::start("grpc");
    let full = Reply::GrpcStatus(Code::ResourceExhausted, None);
    scene.collector.sink().script([full]);
    scene.requests_during_the_fault();
    scene.ends();
    let [exported, rejected, dropped, others, failures, retries] = scene.counts();
    assert_eq!((rejected, others, failures, retries), (0, 0, 1, 0));
    assert!((1..=BATCH).contains(&dropped), "one batch: {dropped}");
    assert_eq!(exported + dropped, scene.sent);
    let line = scene.says("fails: gRPC status 8");
    assert!(line.ends_with("; it says: as scripted"), "{line}");
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn rt_4_unavailable_is_tried_again() {
    for protocol in PROTOCOLS {
        let mut scene = Scene::start(protocol);
        scene
            .collector
            .sink()
            .script([Reply::Unavailable, Reply::Unavailable]);
        scene.requests_during_the_fault();
        scene.ends();
        assert_eq!(scene.counts(), [scene.sent, 0, 0, 0, 2, 2], "{protocol}");
        scene.says("works again");
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn rt_2_what_a_partial_success_rejects_is_counted_and_not_sent_again() {
    for protocol in PROTOCOLS {
        let mut scene = Scene::start(protocol);
        scene.collector.sink().script([Reply::PartialSuccess {
            rejected: 3,
            message: "too\nold".into(),
        }]);
        scene.requests_during_the_fault();
        scene.ends();
        assert_eq!(
            scene.counts(),
            [scene.sent - 3, 3, 0, 0, 0, 0],
            "{protocol}"
        );
        let line = scene.says("not all of its spans");
        assert!(line.ends_with(r"; it says: too\u{a}old"), "{line}");
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn rt_5_a_reset_is_tried_again_wherever_it_comes() {
    for protocol in PROTOCOLS {
        for reset in [Reply::Reset, Reply::LostAnswer, Reply::CutAnswer] {
            let mut scene = SharedScene::of(protocol);
            scene.collector.sink().script([reset.clone()]);
            scene.requests_during_the_fault();
            scene.ends();
            assert_eq!(
                scene.counts(),
                [scene.sent, 0, 0, 0, 1, 1],
                "{protocol} {reset:?}"
            );
            let counts = scene.taken();
            assert_eq!(counts.accepted, scene.sent, "{protocol} {reset:?}");
            // Where only the answer was lost, the collector had accepted the spans already.
            assert_eq!(
                counts.duplicates > 0,
                reset != Reply::Reset,
                "{protocol} {reset:?}"
            );
        }
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn twenty_seconds_without_a_collector_keep_to_the_bounds_and_to_the_span() {
    let mut scene = Scene::start("grpc");
    scene.collector.pause();
    let end = Instant::now() + Duration::from_secs(effort::share(20, 5));
    let mut most = 0;
    while Instant::now() < end {
        scene.requests_during_the_fault();
        let held = scene.count("queue.spans");
        most = most.max(held);
        assert!(
            held <= QUEUE + BATCH,
            "{held} spans, of {QUEUE} in the queue and {BATCH} under way"
        );
        assert!(scene.count("queue.bytes") <= QUEUE_BYTES);
    }
    scene.is_accounted();
    scene.collector.resume();
    scene.ends();
    let [
        exported,
        _,
        dropped_export,
        dropped_queue,
        failures,
        retries,
    ] = scene.counts();
    println!(
        "20 s of outage: {} spans ended, {exported} exported, dropped {dropped_queue} by the queue and {dropped_export} \
         by the export, {failures} failures, {retries} retries, at most {most} held; a request took at most {:.2} times as \
         long as one without the filter, and {:.2} times before",
        scene.sent, scene.slowest, scene.usual
    );
    assert!(dropped_queue > 0 && dropped_export > 0 && most >= QUEUE);
    assert_eq!(exported + dropped_export + dropped_queue, scene.sent);
    // At most one second between retries, and three requests for a batch.
    assert!(failures <= 200, "{failures}");
    assert_eq!(
        scene
            .envoy
            .log()
            .lines()
            .filter(|line| line.contains("fails: "))
            .count(),
        1,
        "one line"
    );
}

/// Misconfigures the collector, which fails with every batch and must be logged once, with its remedy.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn rt_8_a_wrong_cluster_is_one_line_and_a_counter() {
    for (cluster, tries, line) in [
        ("nowhere", 3, "knows no such cluster; check the name"),
        (
            "app",
            1,
            "the answer is not gRPC; name the port of the service grpc-",
        ),
    ] {
        let upstream = Server::ok();
        let mut configuration = configuration("grpc");
        configuration["export"]["otlp"]["cluster"] = cluster.into();
        let listener = Listener::new("in")
            .direction(Direction::Inbound)
            .route(Route::to("app"))
            .filter(filter(&configuration).filter());
        let envoy = envoy::start(
            &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
                .cluster(Cluster::new("app", upstream.address()))
                .listener(listener),
        );
        for batch in 1..=3 {
            load(envoy.address("in").expect("a listener"), 8);
            wait_for_counter(&envoy, "spans.dropped_export", |dropped| {
                dropped == 8 * batch
            });
        }
        let failures = counter(&envoy, "export.failures");
        assert!(failures >= 3 * tries, "{cluster}: {failures}");
        assert_eq!(counter(&envoy, "export.requests"), failures, "{cluster}");
        wait_until_accounted(&envoy, 24);
        let log = envoy.log();
        let lines: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("export to cluster"))
            .collect();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].contains(line), "{}", lines[0]);
    }
}
