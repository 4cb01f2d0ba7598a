//! The node, an Envoy's identity, written as Istio's agent writes it.

use serde_json::{Map, Value, json};

/// The `node` of a bootstrap.
#[derive(Clone, Debug)]
pub struct Node {
    id: String,
    cluster: String,
    metadata: Map<String, Value>,
}

impl Node {
    /// Returns the node of an Envoy outside of any mesh: an id, a cluster, no metadata.
    pub fn plain(id: &str, cluster: &str) -> Self {
        Self {
            id: id.into(),
            cluster: cluster.into(),
            metadata: Map::new(),
        }
    }

    /// Returns the node of a sidecar; the pod's name must end as a Deployment ends it: `<workload>-<hash>-<suffix>`.
    pub fn sidecar(namespace: &str, pod: &str) -> Self {
        Self::istio("sidecar", namespace, pod)
    }

    /// Returns the node of a gateway.
    pub fn gateway(namespace: &str, pod: &str) -> Self {
        Self::istio("router", namespace, pod)
    }

    /// Sets a field of the metadata, in place of an earlier value.
    pub fn metadata(mut self, name: &str, value: Value) -> Self {
        self.metadata.insert(name.into(), value);
        self
    }

    /// Sets a label of the pod.
    pub fn label(mut self, name: &str, value: &str) -> Self {
        let labels = self.metadata.entry("LABELS").or_insert_with(|| json!({}));
        labels[name] = value.into();
        self
    }

    /// Returns the `node` as Envoy reads it.
    pub fn to_json(&self) -> Value {
        json!({"id": self.id, "cluster": self.cluster, "metadata": self.metadata})
    }

    fn istio(role: &str, namespace: &str, pod: &str) -> Self {
        let mut parts = pod.rsplitn(3, '-');
        let workload = parts.nth(2).unwrap_or(pod);
        let metadata = json!({
            "NAME": pod,
            "NAMESPACE": namespace,
            "WORKLOAD_NAME": workload,
            "OWNER": format!("kubernetes://apis/apps/v1/namespaces/{namespace}/deployments/{workload}"),
            "LABELS": {
                "app": workload,
                "service.istio.io/canonical-name": workload,
                "service.istio.io/canonical-revision": "v1",
            },
            "NODE_NAME": "worker-1",
            "CLUSTER_ID": "Kubernetes",
            "MESH_ID": "cluster.local",
            "SERVICE_ACCOUNT": workload,
            "INSTANCE_IPS": "10.0.0.7",
            "INTERCEPTION_MODE": "REDIRECT",
            "ISTIO_VERSION": "1.31.0",
            "APP_CONTAINERS": workload,
        });
        let Value::Object(metadata) = metadata else {
            unreachable!("the literal above is an object")
        };
        Self {
            id: format!("{role}~10.0.0.7~{pod}.{namespace}~{namespace}.svc.cluster.local"),
            cluster: format!("{workload}.{namespace}"),
            metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Node;

    #[test]
    fn writes_what_istio_writes() {
        let node = Node::sidecar("payments", "cart-api-7d9c5b8f6-x2x4z")
            .label("tier", "gold")
            .to_json();
        assert_eq!(
            node["id"],
            "sidecar~10.0.0.7~cart-api-7d9c5b8f6-x2x4z.payments~payments.svc.cluster.local"
        );
        assert_eq!(node["cluster"], "cart-api.payments");
        assert_eq!(node["metadata"]["WORKLOAD_NAME"], "cart-api");
        assert_eq!(node["metadata"]["LABELS"]["tier"], "gold");
        assert_eq!(node["metadata"]["LABELS"]["app"], "cart-api");
    }

    #[test]
    fn a_gateway_is_a_router() {
        let node = Node::gateway("istio-system", "istio-ingressgateway-5f-abc").to_json();
        assert!(
            node["id"].as_str().unwrap().starts_with("router~"),
            "{node}"
        );
    }
}
