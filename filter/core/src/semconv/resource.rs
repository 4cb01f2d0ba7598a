//! The resource of a worker's spans, by OpenTelemetry's semantic conventions for resources (1.44.0), and Istio's own
//! tags.
//!
//! A later source replaces an earlier one: the node metadata that Istio gives its proxies, then
//! `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` where the VM's environment has them, then `spans.resource` and
//! `spans.serviceName`. Of the node metadata `service.name` is the first of these that is set: Istio's canonical
//! service, the workload's name, the pod's name without the hashes that a Deployment appends, the node's cluster; the
//! canonical name goes first because Istio's users know their services by it. Unknown attributes are left out, never
//! guessed; only `service.name` is required, and `unknown_service` without a source (section 7.7).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::names::AttributeKey;
use super::settings::Spans;
use crate::codec::percent;
use crate::headers::target;
use crate::node::Node;

/// Environment variables with attributes of the resource (OpenTelemetry, "Environment variable specification").
pub const VARIABLES: [&str; 2] = [SERVICE_NAME, RESOURCE_ATTRIBUTES];

/// The error of `OTEL_RESOURCE_ATTRIBUTES` that is not a list of `key=value` with commas between them, and is therefore
/// ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Attributes of a resource, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource(Vec<(String, String)>);

impl Resource {
    /// Returns the attributes, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns the value of an attribute.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter()
            .find(|(other, _)| *other == key)
            .map(|(_, value)| value)
    }

    fn set(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(other, _)| other == key) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((key.into(), value.into())),
        }
    }
}

impl Node {
    /// Returns the resource of this node's spans. `version` is the filter's, `digest` the configuration's.
    pub fn resource(&self, spans: &Spans, version: &str, digest: &str) -> Resource {
        let mut resource = Resource::default();
        for (key, value) in [
            ("service.name", Some(self.service_name())),
            ("service.namespace", self.namespace.as_deref()),
            ("service.version", self.version.as_deref()),
            ("k8s.namespace.name", self.namespace.as_deref()),
            ("k8s.pod.name", self.pod.as_deref()),
            ("k8s.pod.ip", self.pod_ip()),
            ("k8s.pod.uid", self.pod_uid.as_deref()),
            ("k8s.node.name", self.node.as_deref()),
            ("k8s.cluster.name", self.cluster.as_deref()),
        ] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                resource.set(key, value);
            }
        }
        if let Some((key, name)) = self.owner.as_deref().and_then(owner) {
            resource.set(key, name);
        }
        for (key, value) in self.environment().unwrap_or_default() {
            resource.set(&key, &value);
        }
        for (key, value) in &spans.resource {
            resource.set(key, value);
        }
        if let Some(name) = &spans.service_name {
            resource.set("service.name", name);
        }
        for (key, value) in [
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.name", "sidespan"),
            ("telemetry.sdk.version", version),
            ("sidespan.configuration", digest),
        ] {
            resource.set(key, value);
        }
        resource
    }

    /// Returns the attributes of OpenTelemetry's environment variables. `OTEL_SERVICE_NAME` goes over a service name in
    /// `OTEL_RESOURCE_ATTRIBUTES`.
    ///
    /// # Errors
    /// The whole list is ignored where any part of it is malformed, as the specification asks.
    pub fn environment(&self) -> Result<Vec<(String, String)>, Malformed> {
        let variable = |name: &str| {
            let (_, value) = self.variables.iter().find(|(other, _)| other == name)?;
            Some(value.as_str()).filter(|value| !value.is_empty())
        };
        let mut attributes = Vec::new();
        for pair in variable(RESOURCE_ATTRIBUTES).unwrap_or_default().split(',') {
            if pair.trim().is_empty() {
                continue;
            }
            let (key, value) = pair.split_once('=').ok_or(Malformed)?;
            let value = String::from_utf8(percent::decode(value.trim().as_bytes()))
                .map_err(|_| Malformed)?;
            if key.trim().is_empty() {
                return Err(Malformed);
            }
            attributes.push((key.trim().to_owned(), value));
        }
        if let Some(name) = variable(SERVICE_NAME) {
            attributes.push(("service.name".to_owned(), name.to_owned()));
        }
        Ok(attributes)
    }

    /// Returns the tags that Istio's own tracing adds to spans, which Kiali and many dashboards ask for; a node outside
    /// of a mesh has none (RS-2).
    pub(crate) fn istio_tags(&self) -> impl Iterator<Item = (AttributeKey, &str)> {
        let revision = self.canonical_revision.as_deref();
        let revision = self
            .canonical_service
            .as_ref()
            .map(|_| revision.unwrap_or("latest"));
        // A namespace in the metadata of a proxy outside of any mesh does not make the proxy Istio's.
        let is_istio = self.mesh.is_some() || self.canonical_service.is_some();
        let namespace = self.namespace.as_deref().filter(|_| is_istio);
        let cluster = self.cluster.as_deref().filter(|_| is_istio);
        [
            (
                AttributeKey::CanonicalService,
                self.canonical_service.as_deref(),
            ),
            (AttributeKey::CanonicalRevision, revision),
            (AttributeKey::MeshId, self.mesh.as_deref()),
            (AttributeKey::Namespace, namespace),
            (AttributeKey::ClusterId, cluster),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.filter(|value| !value.is_empty())?)))
    }

    /// Returns the address of the pod; `None` for a machine outside of Kubernetes, which Istio gives addresses as well.
    fn pod_ip(&self) -> Option<&str> {
        let is_pod = self.owner.as_deref()?.starts_with("kubernetes://");
        let first = self.addresses.as_deref()?.split(',').next()?.trim();
        let is_address = target::ip_address(first.as_bytes()) == Some(first.as_bytes());
        Some(first).filter(|_| is_pod && is_address)
    }

    fn service_name(&self) -> &str {
        [
            self.canonical_service.as_deref(),
            self.workload.as_deref(),
            self.pod.as_deref().map(without_hashes),
            self.service_cluster.as_deref(),
        ]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .unwrap_or("unknown_service")
    }
}

/// Returns the attribute for the kind of a workload, and the workload's name.
fn owner(owner: &str) -> Option<(&'static str, &str)> {
    let (rest, name) = owner.rsplit_once('/')?;
    let (_, kind) = rest.rsplit_once('/')?;
    let key = match kind {
        "deployments" => "k8s.deployment.name",
        "replicasets" => "k8s.replicaset.name",
        "statefulsets" => "k8s.statefulset.name",
        "daemonsets" => "k8s.daemonset.name",
        "jobs" => "k8s.job.name",
        "cronjobs" => "k8s.cronjob.name",
        _ => return None,
    };
    Some((key, name)).filter(|_| !name.is_empty())
}

/// Returns the name of a pod without its hashes: `reviews-v1-7dcb8cc9d5-x2x5q` is a pod of `reviews-v1`, with a
/// ReplicaSet's hash and five characters of the pod's own, both in the alphabet of Kubernetes. A name of another form
/// stays as it is.
fn without_hashes(pod: &str) -> &str {
    let is_hash = |text: &str, lengths: core::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| HASH_ALPHABET.contains(&byte))
    };
    let Some((rest, suffix)) = pod.rsplit_once('-') else {
        return pod;
    };
    if !is_hash(suffix, 5..=5) {
        return pod;
    }
    match rest.rsplit_once('-') {
        Some((name, hash)) if is_hash(hash, 6..=10) && !name.is_empty() => name,
        _ => pod,
    }
}

/// The alphabet of names that Kubernetes generates: no vowels, so that no words come out, and no digits that look like
/// vowels.
const HASH_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> Node {
        Node {
            canonical_service: Some("reviews".into()),
            workload: Some("reviews-v1".into()),
            pod: Some("reviews-v1-7dcb8cc9d5-x2x5q".into()),
            service_cluster: Some("reviews.default".into()),
            ..Node::default()
        }
    }

    fn resource(node: &Node, spans: &Spans) -> Resource {
        node.resource(spans, "0.1.0", "01234567")
    }

    #[test]
    fn names_the_service_by_the_first_name_there_is() {
        let mut node = node();
        assert_eq!(node.service_name(), "reviews");
        node.canonical_service = None;
        assert_eq!(node.service_name(), "reviews-v1");
        node.workload = Some(String::new());
        assert_eq!(node.service_name(), "reviews-v1", "from the pod");
        node.pod = None;
        assert_eq!(node.service_name(), "reviews.default");
        assert_eq!(Node::default().service_name(), "unknown_service");
    }

    #[test]
    fn the_pod_is_told_by_its_address_and_its_uid_where_the_node_says_them() {
        let pod = "kubernetes://apis/apps/v1/namespaces/default/deployments/reviews-v1";
        for (owner, addresses, expected) in [
            (Some(pod), Some("10.244.0.7,fe80::1"), Some("10.244.0.7")),
            (Some(pod), Some("fd00::7"), Some("fd00::7")),
            (Some(pod), Some("10.244.0.7:80"), None),
            (Some(pod), Some("reviews"), None),
            (Some(pod), Some(""), None),
            (Some(pod), None, None),
            (None, Some("192.0.2.7"), None),
        ] {
            let node = Node {
                owner: owner.map(Into::into),
                addresses: addresses.map(Into::into),
                ..node()
            };
            let resource = resource(&node, &Spans::default());
            assert_eq!(resource.get("k8s.pod.ip"), expected, "{addresses:?}");
            assert_eq!(resource.get("k8s.pod.uid"), None);
        }
        let node = Node {
            pod_uid: Some("275ecb36-5aa8-4c2a-9c47-d8bb681b9aff".into()),
            ..node()
        };
        assert_eq!(
            resource(&node, &Spans::default()).get("k8s.pod.uid"),
            Some("275ecb36-5aa8-4c2a-9c47-d8bb681b9aff")
        );
    }

    #[test]
    fn a_later_source_replaces_what_an_earlier_one_said() {
        let mut node = node();
        let mut spans = Spans::default();
        let name = |node: &Node, spans: &Spans| {
            let resource = resource(node, spans);
            let count = resource.iter().filter(|(key, _)| *key == "service.name");
            assert_eq!(count.count(), 1);
            resource.get("service.name").map(ToOwned::to_owned)
        };
        assert_eq!(name(&node, &spans).as_deref(), Some("reviews"));
        let list = "service.name=a, service.version = 2%2C5 ,zone=x";
        node.variables = [(RESOURCE_ATTRIBUTES.into(), list.into())].into();
        assert_eq!(name(&node, &spans).as_deref(), Some("a"));
        assert_eq!(resource(&node, &spans).get("service.version"), Some("2,5"));
        assert_eq!(resource(&node, &spans).get("zone"), Some("x"));
        node.variables.push((SERVICE_NAME.into(), "b".into()));
        assert_eq!(name(&node, &spans).as_deref(), Some("b"));
        spans.resource = [
            ("service.name".into(), "c".into()),
            ("zone".into(), "y".into()),
        ]
        .into();
        assert_eq!(name(&node, &spans).as_deref(), Some("c"));
        assert_eq!(resource(&node, &spans).get("zone"), Some("y"));
        spans.service_name = Some("d".into());
        assert_eq!(name(&node, &spans).as_deref(), Some("d"));
        assert_eq!(
            resource(&node, &spans).get("sidespan.configuration"),
            Some("01234567")
        );
    }

    #[test]
    fn a_list_that_cannot_be_read_says_nothing() {
        for (list, expected) in [
            ("", Ok(0)),
            (",", Ok(0)),
            ("a=1,b=", Ok(2)),
            ("a", Err(Malformed)),
            ("a=1,=2", Err(Malformed)),
            ("a=%ff", Err(Malformed)),
        ] {
            let node = Node {
                variables: [(RESOURCE_ATTRIBUTES.into(), list.into())].into(),
                ..Node::default()
            };
            assert_eq!(
                node.environment().map(|found| found.len()),
                expected,
                "{list}"
            );
        }
    }

    #[test]
    fn section_7_7_names_the_workload_by_its_kind() {
        for (metadata, expected) in [
            (
                "kubernetes://apis/apps/v1/namespaces/default/deployments/reviews-v1",
                Some(("k8s.deployment.name", "reviews-v1")),
            ),
            (
                "kubernetes://apis/apps/v1/namespaces/default/statefulsets/db",
                Some(("k8s.statefulset.name", "db")),
            ),
            (
                "kubernetes://apis/batch/v1/namespaces/default/jobs/nightly",
                Some(("k8s.job.name", "nightly")),
            ),
            ("kubernetes://apis/v1/namespaces/default/pods/x", None),
            (
                "kubernetes://apis/apps/v1/namespaces/default/deployments/",
                None,
            ),
            ("cart", None),
            ("", None),
        ] {
            assert_eq!(owner(metadata), expected, "{metadata}");
        }
    }

    #[test]
    fn rs_2_has_istios_tags_in_a_mesh_alone() {
        let tags = |node: &Node| -> Vec<(&'static str, String)> {
            node.istio_tags()
                .map(|(key, value)| (key.name(), value.into()))
                .collect()
        };
        let mut node = Node {
            namespace: Some("default".into()),
            cluster: Some("Kubernetes".into()),
            ..Node::default()
        };
        assert_eq!(tags(&node), []);
        node.canonical_service = Some("reviews".into());
        node.mesh = Some("cluster.local".into());
        assert_eq!(
            tags(&node),
            [
                ("istio.canonical_service", "reviews".into()),
                ("istio.canonical_revision", "latest".into()),
                ("istio.mesh_id", "cluster.local".into()),
                ("istio.namespace", "default".into()),
                ("istio.cluster_id", "Kubernetes".into()),
            ]
        );
    }

    #[test]
    fn takes_only_hashes_off_a_pods_name() {
        let rows = [
            ("reviews-v1-7dcb8cc9d5-x2x5q", "reviews-v1"),
            ("web-0", "web-0"),
            ("cart-redis-master", "cart-redis-master"),
            ("api-7dcb8cc9d5", "api-7dcb8cc9d5"),
            ("7dcb8cc9d5-x2x5q", "7dcb8cc9d5-x2x5q"),
            ("plain", "plain"),
        ];
        for (pod, expected) in rows {
            assert_eq!(without_hashes(pod), expected, "{pod}");
        }
    }
}
