//! The service that is called, as far as Istio's name of the cluster names it.
//!
//! Istio names a cluster `DIRECTION|PORT|SUBSET|HOST`, and a host of Kubernetes `SERVICE.NAMESPACE.svc.DOMAIN`. A waypoint's
//! clusters begin with `inbound-vip`. Hosts outside of Kubernetes name no service but an address, which is in
//! `server.address` already, and so do the names of other control planes; nothing is guessed of them.

use crate::codec::scan;

/// A service of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Callee<'a> {
    pub(super) name: &'a [u8],
    pub(super) namespace: &'a [u8],
}

impl<'a> Callee<'a> {
    /// Reads the name of a cluster.
    #[inline]
    pub(super) fn of_cluster(cluster: &'a [u8]) -> Option<Self> {
        let rest = cluster
            .strip_prefix(b"outbound|")
            .or_else(|| cluster.strip_prefix(b"inbound-vip|"))?;
        let (_port, rest) = scan::split_once(rest, b'|')?;
        // Hardly ever there is a subset.
        let host = match rest {
            [b'|', host @ ..] => host,
            rest => scan::split_once(rest, b'|')?.1,
        };
        let (name, rest) = scan::split_once(host, b'.')?;
        let (namespace, rest) = scan::split_once(rest, b'.')?;
        let is_service = rest.starts_with(b"svc.") && !name.is_empty() && !namespace.is_empty();
        (is_service && name != b"*").then_some(Self { name, namespace })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rs_4_knows_istios_names_of_kubernetes_services_and_no_others() {
        for cluster in [
            "outbound|80||cart.shop.svc.cluster.local",
            "outbound|80|v1|cart.shop.svc.cluster.local",
            "outbound|9080||cart.shop.svc.example.org",
            "inbound-vip|80|http|cart.shop.svc.cluster.local",
        ] {
            let expected = Callee {
                name: b"cart",
                namespace: b"shop",
            };
            assert_eq!(
                Callee::of_cluster(cluster.as_bytes()),
                Some(expected),
                "{cluster}"
            );
        }
        for cluster in [
            "",
            "cart",
            "cart.shop.svc.cluster.local",
            "outbound|80||",
            "outbound|80|cart.shop.svc.cluster.local",
            "outbound|443||api.vendor.example",
            "outbound|80||cart.shop",
            "outbound|80||cart.shop.svcs.cluster.local",
            "outbound|80||.shop.svc.cluster.local",
            "outbound|80||cart..svc.cluster.local",
            "outbound|80||*.shop.svc.cluster.local",
            "outbound|80||cart-0.cart.shop.svc.cluster.local",
            "inbound|8080||",
            "inbound|8080||cart.shop.svc.cluster.local",
            "PassthroughCluster",
            "BlackHoleCluster",
        ] {
            assert_eq!(Callee::of_cluster(cluster.as_bytes()), None, "{cluster}");
        }
    }
}
