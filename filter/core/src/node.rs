//! The workload that a proxy stands beside, from the metadata of the proxy's node.

use alloc::string::String;
use alloc::vec::Vec;

/// The metadata of a proxy's node, each field with Istio's name for it.
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
    /// `INSTANCE_IPS`: the addresses of the pod or machine, with commas between them, the pod's own first.
    pub addresses: Option<String>,
    /// `POD_UID`, which Istio gives only where it is told to (`ISTIO_META_POD_UID`).
    pub pod_uid: Option<String>,
    /// `NODE_NAME`: the machine.
    pub node: Option<String>,
    /// `CLUSTER_ID`: the Kubernetes cluster.
    pub cluster: Option<String>,
    /// `MESH_ID`
    pub mesh: Option<String>,
    /// The node's `cluster`, which is Envoy's name for the service.
    pub service_cluster: Option<String>,
    /// `LABELS`, only those that the configuration asks for.
    pub labels: Vec<(String, String)>,
    /// The environment variables of the VM, only those that the configuration asks for.
    pub variables: Vec<(String, String)>,
}
