//! Configurations as Envoy and Istio deliver them: in place, and by extension config discovery.

use std::time::Duration;

use serde_json::{Value, json};
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, ExtensionFile, Listener, Node, Route, Verdict, Wasm,
};
use sidespan_tests::caller::Caller;
use sidespan_tests::envoy::{self, LIMIT, filter, filter_with, wait_for_counter};
use sidespan_tests::http::{Headers, Request, Server, send};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_bad_configuration_over_a_good_one_changes_nothing_and_is_told() {
    let scene = Discovered::start(&filter(&json!({"sampling": {"percentage": 100}})));
    assert!(scene.starts_traces());
    assert_eq!(scene.replace(&filter(&bad())), Verdict::Refused);
    assert!(scene.starts_traces(), "the old one goes on");
    wait_for_counter(&scene.envoy, "config.refused", |value| value == 1);
    scene.log_names_every_error();

    // The refused configuration must not have changed the lease of the valid one.
    assert_eq!(
        scene.replace(&filter(&json!({"role": "spectator"}))),
        Verdict::Refused
    );
    assert_eq!(
        scene.replace(&filter(&json!({"sampling": {"percentage": 0}}))),
        Verdict::Applied
    );
    assert!(!scene.samples_new_traces());
    wait_for_counter(&scene.envoy, "config.refused", |value| value == 0);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_bad_first_configuration_lets_everything_pass() {
    let scene = Discovered::start(&filter(&bad()));
    wait_for_counter(&scene.envoy, "config.refused", |value| value == 1);
    for request in requests() {
        let (status, with, without) = scene.both(&request);
        assert_eq!(status, 200);
        assert_eq!(with, without, "every header passes as it came");
    }
    scene.log_names_every_error();

    assert_eq!(
        scene.replace(&filter(&json!({"sampling": {"percentage": 100}}))),
        Verdict::Applied
    );
    assert!(scene.starts_traces());
    wait_for_counter(&scene.envoy, "config.refused", |value| value == 0);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn what_is_not_even_json_is_refused_in_the_same_way() {
    let scene = Discovered::start(&filter_with("{\"sampling\": "));
    wait_for_counter(&scene.envoy, "config.refused", |value| value == 1);
    assert!(!scene.starts_traces());
    assert_eq!(scene.replace(&filter_with("")), Verdict::Applied);
    wait_for_counter(&scene.envoy, "config.refused", |value| value == 0);
}

/// Checks the promise of `filter/README.md`: with an empty configuration the filter only translates.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn an_empty_configuration_translates_and_decides_nothing() {
    for text in ["", "{}"] {
        let scene = Discovered::start(&filter_with(text));
        let (_, with, without) = scene.both(&Request::get("/empty"));
        assert_eq!(
            with, without,
            "a request without context passes byte for byte"
        );

        let caller = Caller::fresh();
        let undecided =
            Request::get("/empty").header("b3", format!("{}-{}", caller.trace_id, caller.span_id));
        let (_, with, _) = scene.both(&undecided);
        let b3 = with.one("b3").expect("the format that it came in");
        assert_eq!(
            b3,
            format!("{}-{}", caller.trace_id, caller.span_id),
            "stays undecided"
        );
        assert_eq!(
            with.one("x-b3-traceid").as_ref(),
            Some(&caller.trace_id),
            "in the formats that can say so"
        );
        assert!(
            !with.has("x-b3-sampled") && !with.has("traceparent"),
            "{with}"
        );

        let (_, with, _) = scene.both(&Request::get("/empty").header("b3", caller.b3()));
        let traceparent = with
            .one("traceparent")
            .expect("a decided context is translated");
        assert_eq!(traceparent, caller.traceparent());
    }
}

/// Returns a configuration with two errors, at two paths.
fn bad() -> Value {
    json!({"sampling": {"percentage": "fifty"}, "nonsense": true})
}

fn requests() -> Vec<Request> {
    let caller = Caller::fresh();
    let get = || Request::get("/untouched");
    vec![
        get(),
        get()
            .header("traceparent", caller.traceparent())
            .header("tracestate", "a=1")
            .header("tracestate", "b=2"),
        get().header("b3", caller.b3()).header("x-b3-flags", "1"),
        get().header("traceparent", b"\xff"),
    ]
}

/// An Envoy whose filter comes by discovery (ECDS), and beside it a listener without the filter.
struct Discovered {
    envoy: Envoy,
    file: ExtensionFile,
    upstream: Server,
    _folder: tempfile::TempDir,
}

impl Discovered {
    fn start(first: &Wasm) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = ExtensionFile::create(&folder.path().join("filter.json"), first)
            .expect("the first configuration");
        let upstream = Server::ok();
        let listener = |name| {
            Listener::new(name)
                .direction(Direction::Inbound)
                .route(Route::to("app"))
        };
        let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .listener(listener("with").filter(file.filter()))
            .listener(listener("without"))
            .cluster(Cluster::new("app", upstream.address()));
        Self {
            envoy: envoy::start(&bootstrap),
            file,
            upstream,
            _folder: folder,
        }
    }

    fn replace(&self, wasm: &Wasm) -> Verdict {
        self.file
            .replace(wasm, &self.envoy, LIMIT)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Sends a request through both listeners; returns the status of the first, and the headers that arrived behind each,
    /// without the id that Envoy makes for every request.
    fn both(&self, request: &Request) -> (u16, Headers, Headers) {
        let through = |listener| {
            let seen = self.upstream.count();
            let status = send(self.envoy.address(listener).expect("a listener"), request).status;
            assert_eq!(self.upstream.count(), seen + 1);
            (
                status,
                self.upstream.last().headers.without(&["x-request-id"]),
            )
        };
        let (status, with) = through("with");
        (status, with, through("without").1)
    }

    fn traceparent(&self) -> Option<String> {
        self.both(&Request::get("/new")).1.one("traceparent")
    }

    fn starts_traces(&self) -> bool {
        self.traceparent().is_some()
    }

    fn samples_new_traces(&self) -> bool {
        self.traceparent()
            .is_some_and(|traceparent| traceparent.ends_with("-01"))
    }

    fn log_names_every_error(&self) {
        for path in ["$.sampling.percentage", "$.nonsense"] {
            self.envoy
                .wait_for_log(path, Duration::from_secs(5))
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
