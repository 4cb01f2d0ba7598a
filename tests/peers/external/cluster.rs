//! What is applied to a cluster: a real API server and istiod as it is installed judge it, and pods get it over mutual TLS.
//!
//! All of it is for `cargo cluster` alone, because two programs more are built for it than CI has time for.

mod installed;
mod refused;
mod taken;

use sidespan_tests::peers::istio::Cluster;

/// Asks the API server for a text's resources without creating them, as `kubectl apply` asks: unknown fields are refused.
fn judge(cluster: &Cluster, text: &str) -> Result<String, String> {
    let arguments = ["apply", "--dry-run=server", "--validate=strict", "-f-"];
    cluster.kubectl(&arguments, text)
}
