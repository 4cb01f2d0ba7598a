//! A service of one pod, and a gateway.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::application::{Application, Format};
use super::pod::{Identity, Kind, Pod};
use super::resources::{self, GATEWAY, PORT, ROOT};

/// Place that takes resources and runs pods.
pub(super) trait World {
    /// Returns an address for a pod, another with each call.
    fn address(&self) -> IpAddr;

    /// Returns the time for which connections of a listener that has changed go on.
    fn drain(&self) -> Duration;

    /// Creates or replaces resources, which must be good.
    ///
    /// # Panics
    /// With the reason, when one is refused.
    fn apply(&self, yaml: &str);

    /// Starts a pod, and does not wait until it is ready.
    ///
    /// # Panics
    /// With what is missing.
    fn start(&self, identity: Identity) -> Pod;
}

/// A service of one pod, with its application.
pub struct Service {
    pub(super) pod: Pod,
    outbound: IpAddr,
    application: Option<Application>,
}

impl Service {
    /// Starts a service of one pod that calls one other host or none, and does not wait for it.
    ///
    /// # Panics
    /// As [`World::apply`] and [`World::start`].
    pub(super) fn start(
        world: &impl World,
        namespace: &str,
        name: &str,
        format: Format,
        calls: Option<String>,
    ) -> Self {
        let application = Application::start(format, calls);
        let outbound = world.address();
        application.call_through((outbound, PORT).into());
        let identity = identity(world, Kind::Sidecar, namespace, name);
        world.apply(&resources::service(
            namespace,
            name,
            &identity.labels(),
            identity.address,
            application.address(),
            outbound,
        ));
        Self {
            pod: world.start(identity),
            outbound,
            application: Some(application),
        }
    }

    /// Starts an ingress gateway that sends all requests to a host, and does not wait for it.
    ///
    /// # Panics
    /// As [`World::apply`] and [`World::start`].
    pub(super) fn start_gateway(world: &impl World, to: &str) -> Self {
        let identity = identity(world, Kind::Gateway, ROOT, GATEWAY);
        world.apply(&resources::gateway(identity.address, to));
        Self::alone(world, identity)
    }

    /// Starts the pod of a gateway, whose resources are still to come, and does not wait for it.
    ///
    /// # Panics
    /// As [`World::start`].
    pub(super) fn start_gateway_pod(world: &impl World, name: &str) -> Self {
        Self::alone(world, identity(world, Kind::Gateway, ROOT, name))
    }

    fn alone(world: &impl World, identity: Identity) -> Self {
        Self {
            outbound: identity.address,
            pod: world.start(identity),
            application: None,
        }
    }

    /// Returns the pod.
    pub fn pod(&self) -> &Pod {
        &self.pod
    }

    /// Returns the pod, to wait until it is ready.
    pub fn pod_mut(&mut self) -> &mut Pod {
        &mut self.pod
    }

    /// Makes the application answer the next requests with 503.
    ///
    /// # Panics
    /// When it is a gateway.
    pub fn fail(&self, count: u64) {
        let application = self.application.as_ref();
        application.expect("an application").fail(count);
    }

    /// Returns the address at which callers reach it.
    pub fn address(&self) -> SocketAddr {
        (self.pod.address(), PORT).into()
    }

    /// Returns the address at which its own application reaches all services by their host names.
    pub fn outbound(&self) -> SocketAddr {
        (self.outbound, PORT).into()
    }
}

fn identity(world: &impl World, kind: Kind, namespace: &str, name: &str) -> Identity {
    Identity::new(kind, namespace, name, world.address(), world.drain())
}
