//! A mesh: control plane, registry, collector, and the pods that a test adds.

use std::net::IpAddr;
use std::time::Duration;

use super::addresses::Block;
use super::application::Format;
use super::control_plane::{self, ControlPlane};
use super::pod::{CLUSTER, Credentials, Identity, Pod};
use super::registry::Registry;
use super::resources::{self, COLLECTOR, host};
use super::service::{Service, World};
use crate::collector::Collector;
use crate::peers::Authority;

/// A running mesh. Dropping it ends all of it.
pub struct Mesh {
    control: ControlPlane,
    registry: Registry,
    collector: Collector,
    authority: Authority,
    block: Block,
    drain: Duration,
    cluster: &'static str,
}

/// The path that requests take: through the gateway to `front` and `cart` of the namespace `shop`, and to `pay` of `bank`.
/// `cart` copies B3 headers, `front` the W3C's.
pub struct Path {
    /// In the root namespace.
    pub gateway: Service,
    /// In `shop`, and copies the W3C's headers.
    pub front: Service,
    /// In `shop`, and copies B3 headers.
    pub cart: Service,
    /// In `bank`, and calls nobody.
    pub pay: Service,
}

/// The number of spans of a request along the whole path: of each proxy one inbound and one outbound, but for the last.
pub const SPANS: usize = 7;

impl Mesh {
    /// Starts a mesh without pods.
    ///
    /// # Panics
    /// With the log of what does not start, or with what is missing.
    pub fn start() -> Self {
        Self::draining_for(Duration::from_secs(45))
    }

    /// Starts a mesh as [`Mesh::start`] does, of which the cluster has a name.
    ///
    /// # Panics
    /// As [`Mesh::start`].
    pub fn of_cluster(cluster: &'static str) -> Self {
        Self {
            cluster,
            ..Self::start()
        }
    }

    /// Starts a mesh as [`Mesh::start`] does, in which the connections of a listener that has changed go on for a time: in
    /// Istio's default, 45 seconds.
    ///
    /// # Panics
    /// As [`Mesh::start`].
    pub fn draining_for(drain: Duration) -> Self {
        let mesh = Self {
            drain,
            cluster: CLUSTER,
            control: ControlPlane::start(&control_plane::mesh()),
            registry: Registry::start(),
            collector: Collector::start(),
            authority: Authority::new(),
            block: Block::take(),
        };
        let collector = mesh.collector.sink().grpc_addr();
        mesh.apply(&resources::collector(COLLECTOR, collector));
        mesh
    }

    /// Returns the control plane.
    pub fn control(&self) -> &ControlPlane {
        &self.control
    }

    /// Returns the registry.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// Returns the collector, `otel-collector.observability` to the mesh.
    pub fn collector(&self) -> &Collector {
        &self.collector
    }

    /// Creates or replaces resources, which must be good.
    ///
    /// # Panics
    /// With the reason, when one is refused.
    pub fn apply(&self, yaml: &str) {
        let applied = self.control.apply(yaml);
        applied.unwrap_or_else(|refusal| panic!("{refusal}\n{yaml}"));
    }

    /// Deletes resources, which must be there.
    ///
    /// # Panics
    /// With the reason, when one is not.
    pub fn delete(&self, yaml: &str) {
        let deleted = self.control.delete(yaml);
        deleted.unwrap_or_else(|refusal| panic!("{refusal}\n{yaml}"));
    }

    /// Starts the whole path and waits until all of it is ready.
    ///
    /// # Panics
    /// As [`Mesh::start`].
    pub fn path(&self) -> Path {
        // Started from its end, so that every pod knows those that it calls when it is ready; all at once.
        let pay = self.service("bank", "pay", Format::W3c, None);
        let cart = self.service("shop", "cart", Format::B3, Some(host("bank", "pay")));
        let front = self.service("shop", "front", Format::W3c, Some(host("shop", "cart")));
        let gateway = self.gateway(&host("shop", "front"));
        let mut path = Path {
            gateway,
            front,
            cart,
            pay,
        };
        for service in path.services_mut() {
            service.pod.wait_until_ready();
        }
        path
    }

    /// Starts a service of one pod, and does not wait for it. It calls one other host or none.
    ///
    /// # Panics
    /// As [`Mesh::start`].
    pub fn service(
        &self,
        namespace: &str,
        name: &str,
        format: Format,
        calls: Option<String>,
    ) -> Service {
        Service::start(self, namespace, name, format, calls)
    }

    /// Starts an ingress gateway that sends all requests to a host, and does not wait for it.
    ///
    /// # Panics
    /// As [`Mesh::start`].
    pub fn gateway(&self, to: &str) -> Service {
        Service::start_gateway(self, to)
    }

    /// Starts the pod of a gateway, whose resources are still to come, and does not wait for it.
    ///
    /// # Panics
    /// As [`Mesh::start`].
    pub fn gateway_pod(&self, name: &str) -> Service {
        Service::start_gateway_pod(self, name)
    }
}

impl World for Mesh {
    fn address(&self) -> IpAddr {
        self.block.address()
    }

    fn drain(&self) -> Duration {
        self.drain
    }

    fn apply(&self, yaml: &str) {
        self.apply(yaml);
    }

    fn start(&self, identity: Identity) -> Pod {
        let identity = Identity {
            cluster: self.cluster,
            ..identity
        };
        let credentials = Credentials::Files(&self.authority);
        Pod::start(identity, self.control.discovery(), credentials)
    }
}

impl Path {
    /// Returns the services in the order of a request.
    pub fn services(&self) -> [&Service; 4] {
        [&self.gateway, &self.front, &self.cart, &self.pay]
    }

    fn services_mut(&mut self) -> [&mut Service; 4] {
        let Self {
            gateway,
            front,
            cart,
            pay,
        } = self;
        [gateway, front, cart, pay]
    }
}
