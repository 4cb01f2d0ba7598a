//! The commands of `istio/README.md`, one after the other, on a cluster with a gateway and a service.

use std::time::Duration;

use serde_json::{Value, json};
use sidespan_envoy::wait_for;
use sidespan_sink::Snapshot;
use sidespan_tests::caller::Caller;
use sidespan_tests::collector::{Collector, runtime};
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::http::{Connection, Request, send};
use sidespan_tests::peers::istio::{COLLECTOR, Cluster, Pod, Registry, Service, host};

use crate::peers::external::istio::path::{Hop, PATH, is_chain, publish_to};
use crate::peers::external::manifests::rendered::Shipped;

/// A gateway and a service behind it, with the filter's image in a registry and the folder `istio/` of a platform team.
struct Installation {
    cluster: Cluster,
    collector: Collector,
    shipped: Shipped,
    gateway: Service,
    front: Service,
    _registry: Registry,
}

impl Installation {
    /// Prepares a cluster whose collector has this name.
    fn prepared(named: &str) -> Self {
        let cluster = Cluster::start();
        let registry = Registry::start();
        let collector = Collector::start();
        cluster.register(named, &collector);
        let image = publish_to(&registry, None);
        let image = image.strip_prefix("oci://").expect("oci://");
        let mut front = cluster.service("shop", "front");
        let mut gateway = cluster.gateway(&host("shop", "front"));
        front.pod_mut().wait_until_ready();
        gateway.pod_mut().wait_until_ready();
        Self {
            cluster,
            collector,
            shipped: Shipped::with(image, &host("observability", COLLECTOR), 4317),
            gateway,
            front,
            _registry: registry,
        }
    }

    /// Runs kubectl on a folder below `istio/`, as in `kubectl apply -k istio`.
    fn kubectl(&self, arguments: &[&str], below: &str) {
        let folder = self.shipped.path(below);
        let folder = folder.to_str().expect("a path in UTF-8");
        self.run(&[arguments, &["-k", folder]].concat());
    }

    fn run(&self, arguments: &[&str]) {
        let ran = self.cluster.kubectl(arguments, "");
        ran.unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    }

    /// Makes the service refuse whoever shows no certificate, so that what the gateway sends it from now on shows one.
    fn want_mutual_tls(&self) {
        let strict = json!({
            "apiVersion": "security.istio.io/v1",
            "kind": "PeerAuthentication",
            "metadata": {"name": "default", "namespace": "shop"},
            "spec": {"mtls": {"mode": "STRICT"}},
        });
        self.cluster.apply(&strict.to_string());
        self.front.pod().wait("a refusal of plain text", || {
            let mut connection = Connection::open(self.front.address()).ok()?;
            connection.exchange(&Request::get("/")).err()
        });
    }

    /// Sends requests to a service, which must all be answered, until the spans of one are those of these proxies and no other.
    fn wait_until_chained(&self, to: &Service, proxies: &[Hop]) {
        let mut last = Vec::new();
        let found = wait_for(LIMIT, || {
            let caller = Caller::fresh();
            let request = Request::get("/").header("traceparent", caller.traceparent());
            assert_eq!(send(to.address(), &request).status, 200);
            let look = |now: &Snapshot| {
                is_chain(&now.trace(&caller.trace_id), &caller, proxies).then_some(())
            };
            let sink = self.collector.sink();
            let found = runtime().block_on(sink.wait_for(SHORT, look)).ok();
            last = sink.trace(&caller.trace_id);
            found
        });
        assert!(found.is_some(), "no request left {proxies:?}: {last:#?}");
    }
}

#[test]
#[ignore = "wants etcd, and an API server and istiod that are built once: `cargo cluster` runs it"]
fn a_canary_then_the_mesh_then_nothing_by_the_commands_of_the_guide() {
    let installation = Installation::prepared(COLLECTOR);
    let Installation { gateway, front, .. } = &installation;
    // The service is the last, and calls nobody.
    let [server, client, of_front] = [PATH[0], PATH[1], PATH[2]];

    installation.kubectl(&["apply"], "overlays/canary");
    wait_for_filter(front.pod(), &["shop.sidespan~istio-translated-wasmplugin"]);
    wait_for_filter(gateway.pod(), &[]);
    wait_for_istios_tracer(front.pod(), false);
    wait_for_istios_tracer(gateway.pod(), true);
    // Past the gateway, which still has Istio's own tracer and decides by it.
    installation.wait_until_chained(front, &[of_front]);
    through_istios_tracer(&installation);
    installation.run(&["delete", "telemetry", "sidespan", "-n", "shop"]);
    wait_for_istios_tracer(front.pod(), true);
    installation.kubectl(&["delete", "--ignore-not-found"], "overlays/canary");
    wait_for_filter(front.pod(), &[]);

    installation.want_mutual_tls();
    installation.kubectl(&["apply"], "");
    for service in [gateway, front] {
        wait_for_filter(service.pod(), &[OF_THE_MESH]);
        wait_for_istios_tracer(service.pod(), false);
    }
    installation.wait_until_chained(gateway, &[server, client, of_front]);

    installation.run(&["delete", "telemetry", "sidespan", "-n", "istio-system"]);
    for service in [gateway, front] {
        wait_for_istios_tracer(service.pod(), true);
        assert_eq!(
            service.pod().extensions().len(),
            1,
            "the filter is still there"
        );
    }
    installation.kubectl(&["delete", "--ignore-not-found"], "");
    for service in [gateway, front] {
        wait_for_filter(service.pod(), &[]);
        wait_for_istios_tracer(service.pod(), true);
    }
    assert_eq!(send(gateway.address(), &Request::get("/")).status, 200);

    // Certificates that istiod signed for the pods' tokens.
    for (service, identity) in [
        (
            gateway,
            "spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway",
        ),
        (front, "spiffe://cluster.local/ns/shop/sa/front"),
    ] {
        let certificates = service.pod().admin("/certs").expect("the admin interface");
        assert!(certificates.contains(identity), "{certificates}");
    }
}

/// Applies the overlay of each of two clusters to a cluster in which its collector, and no other, is there.
#[test]
#[ignore = "wants etcd, and an API server and istiod that are built once: `cargo cluster` runs it"]
fn each_of_two_clusters_sends_to_a_collector_of_its_own() {
    let [server, client, of_front] = [PATH[0], PATH[1], PATH[2]];
    for side in ["east", "west"] {
        let installation = Installation::prepared(&format!("{COLLECTOR}-{side}"));
        installation.kubectl(&["apply"], &format!("overlays/two-clusters/{side}"));
        for service in [&installation.gateway, &installation.front] {
            wait_for_filter(service.pod(), &[OF_THE_MESH]);
        }
        installation.wait_until_chained(&installation.gateway, &[server, client, of_front]);
    }
}

/// Sends requests that their caller has sampled to the canary behind a gateway with Istio's own tracer. That decides anew, so at its
/// one per cent hardly any arrives as sampled, unless the caller asks for it by Envoy's header.
fn through_istios_tracer(installation: &Installation) {
    let sent = |asks: bool| -> Vec<Caller> {
        let send = |_| {
            let caller = Caller::fresh();
            let request = Request::get("/").header("traceparent", caller.traceparent());
            let request = if asks {
                request.header("x-client-trace-id", "first")
            } else {
                request
            };
            let status = send(installation.gateway.address(), &request).status;
            assert_eq!(status, 200);
            caller
        };
        (0..20).map(send).collect()
    };
    let left = sent(false);
    let asked = sent(true);
    let sink = installation.collector.sink();
    let recorded = |callers: &[Caller]| {
        let is_recorded = |caller: &&Caller| {
            let spans = sink.trace(&caller.trace_id);
            spans.iter().any(|span| span.scope.name == "sidespan")
        };
        callers.iter().filter(is_recorded).count()
    };
    // Spans of later requests say that those of earlier ones have arrived.
    let all = wait_for(LIMIT, || (recorded(&asked) == asked.len()).then_some(()));
    assert!(all.is_some(), "{} of {}", recorded(&asked), asked.len());
    // Of 20 at one per cent, more than 5 are in fewer than one of ten million runs.
    assert!(
        recorded(&left) <= 5,
        "{} of {}",
        recorded(&left),
        left.len()
    );
}

/// Waits until a proxy has these of the filter's resources, each as a module, and no other.
fn wait_for_filter(pod: &Pod, names: &[&str]) {
    let wanted: Vec<_> = names
        .iter()
        .map(|name| format!("extensions.istio.io/trafficextension/{name}"))
        .collect();
    pod.wait(&format!("{wanted:?}"), || {
        let extensions = pod.extensions();
        let is_module = |(_, config): &(String, Value)| {
            config["@type"]
                .as_str()
                .is_some_and(|name| name.ends_with(".Wasm"))
        };
        let found: Vec<_> = extensions.iter().map(|(name, _)| name.clone()).collect();
        (found == wanted && extensions.iter().all(is_module)).then_some(())
    });
}

/// Waits until all listeners that a proxy takes connections with have Istio's own tracer, or none has it.
fn wait_for_istios_tracer(pod: &Pod, wanted: bool) {
    pod.wait(&format!("Istio's own tracer: {wanted}"), || {
        let dump = pod.admin("/config_dump?resource=dynamic_listeners")?;
        let dump: Value = serde_json::from_str(&dump).ok()?;
        let listeners = dump["configs"].as_array()?;
        let has_tracer = |listener: &Value| {
            let active = listener["active_state"].to_string();
            active.contains(MANAGER).then(|| active.contains(TRACER))
        };
        let mut managed = listeners.iter().filter_map(has_tracer).peekable();
        managed.peek()?;
        managed.all(|has| has == wanted).then_some(())
    });
}

/// The plugin of the root namespace.
const OF_THE_MESH: &str = "istio-system.sidespan~istio-translated-wasmplugin";
/// The time that the spans of one request need: the delay of a batch, a second, and as much again for a busy machine.
const SHORT: Duration = Duration::from_secs(3);
const MANAGER: &str = "envoy.filters.network.http_connection_manager";
const TRACER: &str = "envoy.tracers.opentelemetry";
