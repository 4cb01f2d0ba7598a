//! The clusters that a configuration calls, as one list, so that what is said of one address is said of all.

use sidespan_core::config::Config;
use sidespan_core::export::settings::Protocol;

/// A cluster that the filter calls.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// Keys of its settings: `export`, `otlp`.
    pub keys: [&'static str; 2],
    /// Envoy's name of the cluster.
    pub cluster: &'a str,
    /// The protocol, of which gRPC alone needs HTTP/2.
    pub protocol: Protocol,
    /// The damage where the cluster cannot be called.
    pub loss: &'static str,
}

impl<'a> Destination<'a> {
    /// Returns all clusters that a configuration calls.
    pub fn all(config: &'a Config) -> impl Iterator<Item = Self> {
        let otlp = config.export.otlp.as_ref().map(|otlp| Self {
            keys: ["export", "otlp"],
            cluster: &otlp.cluster,
            protocol: otlp.protocol,
            loss: "every span would be lost",
        });
        let sampling = config.sampling.as_ref();
        let remote = sampling.and_then(|sampling| sampling.remote.as_ref());
        let remote = remote.map(|remote| Self {
            keys: ["sampling", "remote"],
            cluster: &remote.cluster,
            // Any HTTP will do.
            protocol: Protocol::HttpProtobuf,
            loss: "no percentages would ever be fetched",
        });
        otlp.into_iter().chain(remote)
    }

    /// Returns the path of a key below its settings, in the configuration.
    pub fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.keys.join("."))
    }

    /// Returns true where spans are exported to it.
    pub fn is_exporter(&self) -> bool {
        matches!(self.keys, ["export", _])
    }
}
