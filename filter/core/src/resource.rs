//! Who speaks: the resource of a worker's spans, from the node metadata that Istio gives its proxies.
//!
//! `service.name` is the first there is of: the configured name, Istio's canonical service, the workload's name, the
//! pod's name without the hashes that a Deployment appends, the node's cluster. Istio's users know their services by
//! the canonical name. What is not known is left out, never guessed; only `service.name` is required, and then it is
//! `unknown_service` (semantic conventions for resources, 1.44.0).

use alloc::string::String;
use alloc::vec::Vec;

use crate::span::Attributes;

/// What a proxy knows of its node; Istio's names for it stand beside each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// `LABELS["service.istio.io/canonical-name"]`
    pub canonical_service: Option<String>,
    /// `WORKLOAD_NAME`
    pub workload: Option<String>,
    /// `NAMESPACE`
    pub namespace: Option<String>,
    /// `NAME`: the pod.
    pub pod: Option<String>,
    /// `NODE_NAME`: the machine.
    pub node: Option<String>,
    /// `CLUSTER_ID`: the Kubernetes cluster.
    pub cluster: Option<String>,
    /// The node's `cluster`, which is Envoy's word for the service.
    pub service_cluster: Option<String>,
    /// `LABELS`, as far as they are asked for.
    pub labels: Vec<(String, String)>,
}

impl Node {
    /// The `service.name` of this node.
    pub fn service_name<'a>(&'a self, configured: Option<&'a str>) -> &'a str {
        [
            configured,
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

    /// The resource's attributes.
    pub fn resource(&self, configured_name: Option<&str>, version: &str) -> Attributes {
        let mut attributes = Attributes::default();
        let mut add = |key: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                attributes.text(key, value.as_bytes());
            }
        };
        add("service.name", Some(self.service_name(configured_name)));
        add("service.namespace", self.namespace.as_deref());
        add("k8s.namespace.name", self.namespace.as_deref());
        add("k8s.pod.name", self.pod.as_deref());
        add("k8s.node.name", self.node.as_deref());
        add("k8s.cluster.name", self.cluster.as_deref());
        add("telemetry.sdk.language", Some("rust"));
        add("telemetry.sdk.name", Some("sidespan"));
        add("telemetry.sdk.version", Some(version));
        attributes
    }
}

/// `reviews-v1-7dcb8cc9d5-x2x5q` is a pod of `reviews-v1`: a ReplicaSet's hash and a pod's five characters, in the
/// alphabet that Kubernetes draws them from. A name of another form stays as it is.
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

/// Kubernetes' alphabet for generated names: no vowels, so that no words come out, and no digits that look like them.
const HASH_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

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

    #[test]
    fn names_the_service_by_the_first_name_there_is() {
        let mut node = node();
        assert_eq!(node.service_name(Some("mine")), "mine");
        assert_eq!(node.service_name(None), "reviews");
        node.canonical_service = None;
        assert_eq!(node.service_name(None), "reviews-v1");
        node.workload = Some(String::new());
        assert_eq!(node.service_name(None), "reviews-v1", "from the pod");
        node.pod = None;
        assert_eq!(node.service_name(None), "reviews.default");
        assert_eq!(Node::default().service_name(None), "unknown_service");
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
