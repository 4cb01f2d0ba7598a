//! The properties that the caller gives a stream at its start.

use crate::properties::{Path, Properties};
use crate::value::Value;

/// The properties of a stream that the caller knows at its start.
///
/// ```
/// use sidespan_host::StreamProperties;
///
/// let properties = StreamProperties::new()
///     .listener_direction(2)
///     .source("10.0.0.1", 40000)
///     .upstream("10.0.0.2", 8080)
///     .set("xds.cluster_name", "outbound|8080||orders.shop.svc.cluster.local");
/// ```
#[derive(Clone, Debug, Default)]
pub struct StreamProperties {
    pub(crate) values: Properties,
    pub(crate) upstream: Properties,
}

impl StreamProperties {
    /// Returns an empty set of properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets any property. The value wins over a derived one; below `upstream` it is visible once an upstream is chosen.
    #[must_use]
    pub fn set(mut self, path: impl Into<Path>, value: impl Into<Value>) -> Self {
        self.insert(path.into(), value.into());
        self
    }

    /// Sets `source.address` and `source.port`.
    #[must_use]
    pub fn source(self, ip: &str, port: u16) -> Self {
        self.set("source.address", format!("{ip}:{port}"))
            .set("source.port", i64::from(port))
    }

    /// Sets `destination.address` and `destination.port`.
    #[must_use]
    pub fn destination(self, ip: &str, port: u16) -> Self {
        self.set("destination.address", format!("{ip}:{port}"))
            .set("destination.port", i64::from(port))
    }

    /// Sets `upstream.address` and `upstream.port`.
    #[must_use]
    pub fn upstream(self, ip: &str, port: u16) -> Self {
        self.set("upstream.address", format!("{ip}:{port}"))
            .set("upstream.port", i64::from(port))
    }

    /// Sets `xds.listener_direction`: 0 none, 1 inbound, 2 outbound.
    #[must_use]
    pub fn listener_direction(self, direction: i64) -> Self {
        self.set("xds.listener_direction", direction)
    }

    pub(crate) fn insert(&mut self, path: Path, value: Value) {
        if path.starts_with("upstream") {
            self.upstream.set(path, value);
        } else {
            self.values.set(path, value);
        }
    }
}
