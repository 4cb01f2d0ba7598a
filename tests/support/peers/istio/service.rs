//! A service of one pod, and a gateway.

use std::net::{IpAddr, SocketAddr};

use super::application::Application;
use super::pod::Pod;
use super::resources::PORT;

/// A service of one pod, with its application.
pub struct Service {
    pub(super) pod: Pod,
    pub(super) outbound: IpAddr,
    pub(super) application: Option<Application>,
}

impl Service {
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
