//! Services that the files name, by which Istio makes clusters: Kubernetes Services and ServiceEntries, and the clusters
//! that an EnvoyFilter adds.

use crate::check::input::document::Document;

/// Hosts that one resource makes clusters for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Kind, namespace and name: `Service observability/otel-collector`.
    pub resource: String,
    /// Hosts, or the name of the cluster that an EnvoyFilter adds.
    pub hosts: Vec<String>,
    /// The ports; empty for a cluster of an EnvoyFilter.
    pub ports: Vec<Port>,
}

/// One port of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    /// The number that clients use.
    pub number: u64,
    /// Name of the port; empty where there is none.
    pub name: String,
    /// `appProtocol`, or the `protocol` of a ServiceEntry.
    pub protocol: String,
    /// True for a port of UDP, which Istio makes no cluster for.
    pub is_udp: bool,
}

impl Port {
    /// Returns true if Istio speaks HTTP/2 to it: by `appProtocol`, else by the beginning of the port's name
    /// (`ConvertProtocol` of istiod's `pkg/config/kube`).
    pub fn is_http2(&self) -> bool {
        if self.protocol == "kubernetes.io/h2c" {
            return true;
        }
        let said = match self.protocol.as_str() {
            "" => &self.name,
            protocol => protocol,
        };
        let said = said.to_ascii_lowercase();
        let first = said.split('-').next().unwrap_or_default();
        ["grpc", "http2"].contains(&first)
    }
}

/// Returns the services of one resource.
pub(super) fn read(tree: &Document) -> Vec<Service> {
    let text = |keys: &[&str]| tree.at(keys).and_then(Document::text).unwrap_or_default();
    let (namespace, name) = (
        text(&["metadata", "namespace"]),
        text(&["metadata", "name"]),
    );
    let kind = text(&["kind"]);
    let resource = match namespace {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    };
    let Some(spec) = tree.get("spec") else {
        return Vec::new();
    };
    match kind {
        "Service" => vec![Service {
            resource,
            hosts: vec![format!("{name}.{namespace}.svc.")],
            ports: ports(spec, "port", "appProtocol"),
        }],
        "ServiceEntry" => vec![Service {
            resource,
            hosts: strings(spec.items("hosts")),
            ports: ports(spec, "number", "protocol"),
        }],
        _ => spec
            .items("configPatches")
            .iter()
            .filter(|patch| patch.get("applyTo").and_then(Document::text) == Some("CLUSTER"))
            .filter_map(|patch| patch.at(&["patch", "value", "name"])?.text())
            .map(|cluster| Service {
                resource: resource.clone(),
                hosts: vec![cluster.to_owned()],
                ports: Vec::new(),
            })
            .collect(),
    }
}

impl Service {
    /// Returns true if this is the service of a host. The domain of the cluster is left open, which is most often
    /// `cluster.local`.
    pub fn is_for(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| {
            own == host || own.ends_with('.') && host.strip_prefix(own.as_str()).is_some()
        })
    }
}

fn ports(spec: &Document, number: &str, protocol: &str) -> Vec<Port> {
    let text = |port: &Document, key| {
        let text = port.get(key).and_then(Document::text);
        text.unwrap_or_default().to_owned()
    };
    spec.items("ports")
        .iter()
        .filter_map(|port| {
            Some(Port {
                number: port.get(number)?.to_json().parse().ok()?,
                name: text(port, "name"),
                protocol: text(port, protocol),
                is_udp: text(port, "protocol") == "UDP",
            })
        })
        .collect()
}

fn strings(list: &[Document]) -> Vec<String> {
    list.iter()
        .filter_map(Document::text)
        .map(str::to_owned)
        .collect()
}
