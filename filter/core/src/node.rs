//! The workload that a proxy stands beside, as the metadata of the proxy's node tells it.

use alloc::string::String;
use alloc::vec::Vec;

/// What a proxy knows of its node; Istio's names for it stand beside each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// `LABELS["service.istio.io/canonical-name"]`
    pub canonical_service: Option<String>,
    /// `LABELS["service.istio.io/canonical-revision"]`
    pub canonical_revision: Option<String>,
    /// `LABELS["app.kubernetes.io/version"]`, or else `LABELS["version"]`, which Istio's own documents use.
    pub version: Option<String>,
    /// `WORKLOAD_NAME`
    pub workload: Option<String>,
    /// `OWNER`: `kubernetes://apis/apps/v1/namespaces/payments/deployments/cart`
    pub owner: Option<String>,
    /// `NAMESPACE`
    pub namespace: Option<String>,
    /// `NAME`: the pod.
    pub pod: Option<String>,
    /// `NODE_NAME`: the machine.
    pub node: Option<String>,
    /// `CLUSTER_ID`: the Kubernetes cluster.
    pub cluster: Option<String>,
    /// `MESH_ID`
    pub mesh: Option<String>,
    /// The node's `cluster`, which is Envoy's word for the service.
    pub service_cluster: Option<String>,
    /// `LABELS`, as far as they are asked for.
    pub labels: Vec<(String, String)>,
    /// The environment of the VM, as far as it is asked for.
    pub variables: Vec<(String, String)>,
}
