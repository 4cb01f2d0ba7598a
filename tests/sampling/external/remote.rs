//! Remote sampling on a real Envoy: with a sampling server that works, and with one that fails in every way.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Envoy, Listener, Node, Route, wait_for};
use sidespan_tests::envoy::{self, LIMIT, counter, filter, wait_for_counter};
use sidespan_tests::http::{Reply, Request, Server, load, send};

use crate::sampling::remote::{ALL, NONE};

const REQUESTS: u64 = 4_000;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn jr_2_on_envoy_the_percentages_are_those_of_the_document() {
    let scene = Scene::start(answer(ALL));
    scene.wait_until_sampled(true);
    for share in [0.5, 0.05] {
        let document = json!({"probabilisticSampling": {"samplingRate": share}});
        scene.serve(answer(&document.to_string()));
        // Two fetches since: the worker's, and that of the main thread's VM.
        scene.wait_for_line(&format!("says: probability {share}"));
        scene.is_asked_again();
        let before = ["sampled.remote", "dropped.remote"].map(|name| scene.settled(name));
        load(scene.address(), REQUESTS);
        let all = before[0] + before[1] + REQUESTS;
        let is_counted = wait_for(LIMIT, || {
            let sum =
                counter(&scene.envoy, "sampled.remote") + counter(&scene.envoy, "dropped.remote");
            (sum == all).then_some(())
        });
        assert!(is_counted.is_some(), "every root goes by the document");
        let sampled = counter(&scene.envoy, "sampled.remote") - before[0];
        println!("{sampled} of {REQUESTS} at probability {share}");
        // Five standard deviations.
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let (sampled, all) = (sampled as f64, REQUESTS as f64);
        let deviation = (all * share * (1.0 - share)).sqrt();
        assert!((sampled - all * share).abs() < 5.0 * deviation, "{sampled}");
    }
    let asked = scene.server.last();
    assert_eq!(asked.path, "/sampling?service=cart");
    assert_eq!(asked.method, "GET");
    assert_eq!(asked.headers.one("b3").as_deref(), Some("0"));
    assert_eq!(asked.headers.one("host").as_deref(), Some("jaeger"));
    assert!(!asked.headers.has("traceparent"), "{}", asked.headers);
    assert!(asked.body.is_empty());
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn jr_4_on_envoy_no_fault_of_the_server_reaches_a_request() {
    let scene = Scene::start(answer(ALL));
    scene.wait_until_sampled(true);
    let big = [ALL.as_bytes(), &[b' '; 1 << 20]].concat();
    for (reply, line) in [
        (Reply::status(503), "fails: HTTP status 503"),
        (Reply::HangUp, ""),
        (Reply::Cut, ""),
        (
            answer("<html>"),
            "fails: the answer is no strategy document",
        ),
        (
            answer(r#"{"probabilisticSampling":{"samplingRate":"1"}}"#),
            "",
        ),
        (
            Reply::Answer(200, Vec::new(), big),
            "fails: an answer of more than 1 MiB",
        ),
        (Reply::Bytes(b"\0\xff\r\n\r\n".to_vec()), ""),
        // No answer until the timeout.
        (Reply::Stall, ""),
        (Reply::Silence, "fails: HTTP status 504"),
    ] {
        let what = format!("{reply:.60?}");
        scene.serve(reply);
        scene.is_asked_again();
        for _ in 0..20 {
            let answer = send(scene.address(), &Request::get("/"));
            assert_eq!(answer.status, 200, "{what}");
            assert!(scene.is_last_sampled(), "the last good one stays: {what}");
        }
        if !line.is_empty() {
            scene.wait_for_line(line);
        }
    }
    scene.serve(answer(NONE));
    scene.wait_until_sampled(false);
    scene.wait_for_line("works again");
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn on_envoy_a_server_that_is_not_there_leaves_the_configured_percentages() {
    let upstream = Server::ok();
    for (cluster, line) in [
        (None, "the proxy knows no such cluster"),
        (Some(Cluster::empty("jaeger")), "fails: "),
    ] {
        let bootstrap = bootstrap(&upstream, 100);
        let envoy = envoy::start(&cluster.into_iter().fold(bootstrap, Bootstrap::cluster));
        envoy
            .wait_for_log(line, LIMIT)
            .unwrap_or_else(|error| panic!("{error}"));
        let address = envoy.address("in").expect("a listener");
        assert_eq!(send(address, &Request::get("/")).status, 200);
        wait_for_counter(&envoy, "sampled.default", |count| count == 1);
    }
}

fn answer(document: &str) -> Reply {
    Reply::Answer(200, Vec::new(), document.into())
}

/// Returns an Envoy with this percentage until the first document.
fn bootstrap(upstream: &Server, percentage: u32) -> Bootstrap {
    let configuration: Value = json!({
        "sampling": {"percentage": percentage, "remote": {"cluster": "jaeger", "interval": "100ms"}},
    });
    let listener = Listener::new("in")
        .direction(Direction::Inbound)
        .route(Route::to("app"))
        .filter(filter(&configuration).filter());
    Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
        .cluster(Cluster::new("app", upstream.address()))
        .listener(listener)
}

/// An Envoy whose percentages come from a server.
struct Scene {
    envoy: Envoy,
    server: Server,
    reply: Arc<Mutex<Reply>>,
    upstream: Server,
}

impl Scene {
    fn start(first: Reply) -> Self {
        let upstream = Server::ok();
        let reply = Arc::new(Mutex::new(first));
        let server = {
            let reply = Arc::clone(&reply);
            Server::start(move |_| reply.lock().expect("a reply").clone())
        };
        let bootstrap = bootstrap(&upstream, 0).cluster(Cluster::new("jaeger", server.address()));
        Self {
            envoy: envoy::start(&bootstrap),
            server,
            reply,
            upstream,
        }
    }

    fn serve(&self, reply: Reply) {
        *self.reply.lock().expect("a reply") = reply;
    }

    fn address(&self) -> std::net::SocketAddr {
        self.envoy.address("in").expect("a listener")
    }

    /// Waits until every VM, the worker's and the main thread's, has fetched again.
    fn is_asked_again(&self) {
        let seen = self.server.count();
        let asked = wait_for(LIMIT, || (self.server.count() >= seen + 3).then_some(()));
        assert!(asked.is_some(), "it goes on asking");
    }

    fn is_last_sampled(&self) -> bool {
        let traceparent = self.upstream.last().headers.one("traceparent");
        traceparent.expect("a context").ends_with('1')
    }

    fn wait_until_sampled(&self, wanted: bool) {
        let is_so = wait_for(LIMIT, || {
            assert_eq!(send(self.address(), &Request::get("/")).status, 200);
            (self.is_last_sampled() == wanted).then_some(())
        });
        assert!(is_so.is_some(), "sampled: {wanted}");
    }

    fn wait_for_line(&self, line: &str) {
        self.envoy
            .wait_for_log(line, LIMIT)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    fn settled(&self, name: &str) -> u64 {
        envoy::settle(&self.envoy);
        counter(&self.envoy, name)
    }
}
