//! A mesh in ambient mode before a control plane, without proxies: two waypoints, and what each would be told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::resources::{self, COLLECTOR, PORT, host, resource};

/// A control plane with a service and a waypoint before it in each of the namespaces `shop` and `bank`, and with a collector's service.
/// Dropping it ends it.
pub struct Waypoints {
    control: ControlPlane,
}

/// Part of what a proxy is told.
#[derive(Debug)]
pub struct Told {
    /// HTTP filters of each filter chain, by its name, in their order.
    pub chains: BTreeMap<String, Vec<String>>,
    /// Names of all clusters.
    pub clusters: BTreeSet<String>,
    /// Filters that the chains want by extension discovery, by their name.
    pub extensions: BTreeMap<String, Value>,
}

impl Waypoints {
    /// Starts a control plane with this mesh configuration.
    ///
    /// # Panics
    /// With its log, when it does not start, or with what is missing.
    pub fn start(mesh: &Value) -> Self {
        let objects: Vec<_> = NAMESPACES.into_iter().flat_map(objects).collect();
        let control = ControlPlane::start_ambient(mesh, &resources::documents(&objects));
        let waypoints = Self { control };
        // No proxy calls it.
        let collector = ([192, 0, 2, 1], 4317).into();
        waypoints.apply(&resources::collector(COLLECTOR, collector));
        waypoints
    }

    /// Creates or replaces resources, which must be good.
    ///
    /// # Panics
    /// With the reason, when one is refused.
    pub fn apply(&self, yaml: &str) {
        let applied = self.control.apply(yaml);
        applied.unwrap_or_else(|refusal| panic!("{refusal}\n{yaml}"));
    }

    /// Returns what the waypoint of a namespace is told.
    ///
    /// # Panics
    /// When nothing answers.
    pub fn waypoint(&self, namespace: &str) -> Told {
        let address = address_of(namespace, WAYPOINT);
        let id = format!("waypoint~{address}~{WAYPOINT}.{namespace}~{namespace}.svc.cluster.local");
        self.tell(&id, namespace, &waypoint_labels())
    }

    /// Returns what a sidecar of a namespace is told, whose service has no waypoint.
    ///
    /// # Panics
    /// When nothing answers.
    pub fn sidecar(&self, namespace: &str) -> Told {
        let id = format!("sidecar~192.0.2.9~quiet.{namespace}~{namespace}.svc.cluster.local");
        self.tell(&id, namespace, &json!({"app": "quiet"}))
    }

    fn tell(&self, id: &str, namespace: &str, labels: &Value) -> Told {
        // What an agent says of its pod.
        let node = json!({
            "id": id,
            "metadata": {
                "NAMESPACE": namespace,
                "LABELS": labels,
                "CLUSTER_ID": "Kubernetes",
                "MESH_ID": "cluster.local",
                "ISTIO_VERSION": "1.31.0",
            },
        });
        let ask = |of_type: &str, names: &[&String]| {
            let told = self.control.discover(&json!({
                "node": node,
                "typeUrl": format!("type.googleapis.com/envoy.config.{of_type}"),
                "resourceNames": names,
            }));
            told["resources"].as_array().cloned().unwrap_or_default()
        };
        let clusters = ask("cluster.v3.Cluster", &[]);
        let mut chains = BTreeMap::new();
        let mut wanted = BTreeSet::new();
        for listener in ask("listener.v3.Listener", &[]) {
            for (chain, filters) in http_filters(&listener) {
                let discovered = filters
                    .iter()
                    .filter(|filter| filter["configDiscovery"].is_object());
                wanted.extend(discovered.map(name));
                chains.insert(chain, filters.iter().map(name).collect());
            }
        }
        let wanted: Vec<_> = wanted.iter().collect();
        let extensions = match wanted.as_slice() {
            // An empty list would ask for all.
            [] => vec![],
            names => ask("core.v3.TypedExtensionConfig", names),
        };
        Told {
            chains,
            clusters: clusters.iter().map(name).collect(),
            extensions: extensions
                .into_iter()
                .map(|mut filter| (name(&filter), filter["typedConfig"].take()))
                .collect(),
        }
    }
}

/// Returns the HTTP filters of each of a listener's chains that has some, by the names of listener and chain.
fn http_filters(listener: &Value) -> Vec<(String, Vec<Value>)> {
    let chains = listener["filterChains"].as_array().into_iter().flatten();
    let all = chains.chain(listener.get("defaultFilterChain"));
    all.flat_map(|chain| {
        let managers = chain["filters"].as_array().into_iter().flatten();
        managers.filter_map(|filter| {
            let filters = filter["typedConfig"]["httpFilters"].as_array()?;
            let name = format!("{}/{}", name(listener), name(chain));
            Some((name, filters.clone()))
        })
    })
    .collect()
}

fn name(of: &Value) -> String {
    of["name"].as_str().unwrap_or_default().to_owned()
}

/// Returns a service and its waypoint: as the Gateway that a platform team applies, and what istiod and a kubelet make of it.
fn objects(namespace: &str) -> Vec<Value> {
    let metadata =
        |labels: &Value| json!({"name": WAYPOINT, "namespace": namespace, "labels": labels});
    let gateway = json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": metadata(&json!({})),
        "spec": {
            "gatewayClassName": "istio-waypoint",
            "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}],
        },
        "status": {"addresses": [{"type": "Hostname", "value": host(namespace, WAYPOINT)}]},
    });
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(&waypoint_labels()),
        "spec": {
            "clusterIP": address_of(namespace, "service of the waypoint"),
            "ports": [{"name": "mesh", "port": 15008, "appProtocol": "hbone"}],
            "selector": waypoint_labels(),
        },
    });
    let pod = |name: &str, labels: &Value| {
        let mut entry = resource(
            "WorkloadEntry",
            namespace,
            name,
            json!({"address": address_of(namespace, name)}),
        );
        entry["metadata"]["labels"] = labels.clone();
        entry
    };
    let mut behind = resource(
        "ServiceEntry",
        namespace,
        BEHIND,
        json!({
            "hosts": [host(namespace, BEHIND)],
            "addresses": [address_of(namespace, "service behind it")],
            "resolution": "STATIC",
            "ports": [{"number": PORT, "name": "http", "protocol": "HTTP"}],
            "workloadSelector": {"labels": {"app": BEHIND}},
        }),
    );
    behind["metadata"]["labels"] = json!({"istio.io/use-waypoint": WAYPOINT});
    vec![
        gateway,
        service,
        pod(WAYPOINT, &waypoint_labels()),
        behind,
        pod(BEHIND, &json!({"app": BEHIND})),
    ]
}

/// Returns an address of a network that is for documentation, another for each.
fn address_of(namespace: &str, name: &str) -> String {
    let whose = |all: &[&str], one: &str| all.iter().position(|other| *other == one);
    let namespace = whose(&NAMESPACES, namespace).expect("one of the namespaces");
    let name = whose(&ADDRESSED, name).expect("one of the addressed");
    format!("198.51.100.{}", 1 + namespace * ADDRESSED.len() + name)
}

fn waypoint_labels() -> Value {
    json!({
        "gateway.networking.k8s.io/gateway-name": WAYPOINT,
        "gateway.istio.io/managed": "istio.io-mesh-controller",
    })
}

const NAMESPACES: [&str; 2] = ["shop", "bank"];
const WAYPOINT: &str = "waypoint";
const BEHIND: &str = "cart";
const ADDRESSED: [&str; 4] = [
    WAYPOINT,
    "service of the waypoint",
    BEHIND,
    "service behind it",
];
