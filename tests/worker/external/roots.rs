//! Several root contexts in one VM of a real Envoy: two plugins of one module, and a new configuration beside an old one whose
//! streams go on. Each stream must be treated by its own, which no callback names.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use serde_json::json;
use sidespan_envoy::{
    Bootstrap, Cluster, Direction, Envoy, ExtensionFile, Listener, Node, Route, Verdict, Wasm,
};
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, LIMIT, filter_named, settle, wait_until_accounted};
use sidespan_tests::http::{Reply, Request, Server, send};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn each_stream_belongs_to_its_plugin_and_to_the_configuration_it_began_with() {
    let collector = Collector::start();
    let gate = Gate::default();
    let upstream = {
        let gate = gate.clone();
        Server::start(move |request| {
            if request.path == "/late" {
                gate.wait();
            }
            Reply::status(200)
        })
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = ExtensionFile::create(&folder.path().join("filter.json"), &named("first", "one"))
        .expect("the first configuration");
    let listener = |name: &str| {
        Listener::new(name)
            .direction(Direction::Inbound)
            .route(Route::to("app"))
    };
    let envoy = envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .listener(listener("first").filter(file.filter()))
            .listener(listener("second").filter(named("second", "other").filter()))
            .cluster(Cluster::new("app", upstream.address()))
            .cluster(collector.grpc_cluster("collector")),
    );

    let served = |caller: &Caller, count: usize| services(&collector, caller, count);
    let get = |listener: &str, path: &str| ask(&envoy, listener, path, &Caller::fresh());
    // Two plugins of one module share a VM.
    for (name, service) in [("first", "one"), ("second", "other"), ("first", "one")] {
        let caller = get(name, "/now");
        assert_eq!(served(&caller, 1), [(service.to_owned(), 1)].into());
    }
    let mut sent = 3;
    let callers = [(); 3].map(|()| Caller::fresh());
    thread::scope(|scope| {
        let _open = Open(&gate);
        for caller in &callers {
            let envoy = &envoy;
            scope.spawn(move || ask(envoy, "first", "/late", caller));
        }
        while upstream.to("/late").len() < callers.len() {
            thread::yield_now();
        }
        // Streams of the old configuration are open while two more follow each other.
        for service in ["two", "three"] {
            let verdict = file.replace(&named("first", service), &envoy, LIMIT);
            assert_eq!(verdict.expect("a verdict"), Verdict::Applied);
            for _ in 0..20 {
                let caller = get("first", "/now");
                assert_eq!(served(&caller, 1), [(service.to_owned(), 1)].into());
                let caller = get("second", "/now");
                assert_eq!(served(&caller, 1), [("other".to_owned(), 1)].into());
                sent += 2;
            }
        }
        gate.open();
        for caller in &callers {
            assert_eq!(served(caller, 1), [("one".to_owned(), 1)].into());
        }
        sent += 3;
    });
    // The oldest has ended with its last stream.
    settle(&envoy);
    let caller = get("first", "/now");
    assert_eq!(served(&caller, 1), [("three".to_owned(), 1)].into());
    wait_until_accounted(&envoy, sent + 1);
}

/// Sends one sampled request.
fn ask(envoy: &Envoy, listener: &str, path: &str, caller: &Caller) -> Caller {
    let request = Request::get(path).header("traceparent", caller.traceparent());
    let address = envoy.address(listener).expect("a listener");
    assert_eq!(send(address, &request).status, 200);
    caller.clone()
}

/// Counts the spans of a caller's trace by their service.
fn services(collector: &Collector, caller: &Caller, count: usize) -> BTreeMap<String, usize> {
    let mut services = BTreeMap::new();
    for span in collector.trace(&caller.trace_id, count) {
        *services.entry(span.service().to_owned()).or_default() += 1;
    }
    services
}

fn named(plugin: &str, service: &str) -> Wasm {
    let configuration = json!({
        "spans": {"serviceName": service},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    });
    filter_named(plugin, &configuration.to_string())
}

/// A gate that answers wait at.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn wait(&self) {
        let (is_open, changed) = &*self.0;
        let is_open = is_open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_while(is_open, |is_open| !*is_open));
    }

    fn open(&self) {
        let (is_open, changed) = &*self.0;
        *is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

/// A guard that opens the gate also where the test fails, because the requests' threads are joined.
struct Open<'a>(&'a Gate);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}
