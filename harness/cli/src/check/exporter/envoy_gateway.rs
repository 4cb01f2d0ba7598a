//! The clusters of an Envoy Gateway: one for each backend of a route, and those that an EnvoyProxy merges into the
//! bootstrap. Services by themselves have none.

use sidespan_core::config::Config;

use super::bootstrap::Bootstrap;
use super::destination::Destination;
use crate::check::input::document::Document;

/// The clusters that the EnvoyProxies of a file add.
#[derive(Debug, Default)]
pub struct Gateway {
    bootstraps: Vec<Document>,
    // True if others may be added in a way that is not read.
    is_patched: bool,
}

impl Gateway {
    /// Reads the EnvoyProxies of a file.
    pub fn of(documents: &[Document]) -> Self {
        let mut gateway = Self::default();
        gateway.read(documents);
        gateway
    }

    fn read(&mut self, documents: &[Document]) {
        for document in documents {
            match document.get("kind").and_then(Document::text) {
                Some("EnvoyPatchPolicy") => self.is_patched = true,
                Some("EnvoyProxy") => self.proxy(document),
                Some(kind) if kind.ends_with("List") => self.read(document.items("items")),
                _ => {}
            }
        }
    }

    fn proxy(&mut self, proxy: &Document) {
        let Some(bootstrap) = proxy.at(&["spec", "bootstrap"]) else {
            return;
        };
        let text = bootstrap.get("value").and_then(Document::text);
        match text.map(|text| Document::parse("-", text)) {
            Some(Ok(documents)) => self.bootstraps.extend(documents),
            Some(Err(_)) | None => self.is_patched = true,
        }
    }

    /// Returns the problems with the clusters that a configuration calls: a path in the configuration, and a sentence.
    pub fn problems(&self, config: &Config) -> Vec<(String, String)> {
        Destination::all(config)
            .filter_map(|called| self.problem(&called))
            .collect()
    }

    fn problem(&self, called: &Destination<'_>) -> Option<(String, String)> {
        if called.cluster.starts_with("outbound|") {
            return Some((
                called.path("service"),
                format!(
                    "Envoy Gateway makes no cluster of a service, as Istio does, so {}; write cluster in its place, and add \
                     that to the bootstrap of the EnvoyProxy",
                    called.loss
                ),
            ));
        }
        // Those of routes have the path of their route as name.
        if self.is_patched || called.cluster.contains('/') {
            return None;
        }
        let bootstraps = self.bootstraps.iter().filter_map(Bootstrap::of);
        let problems: Vec<_> = bootstraps
            .map(|bootstrap| bootstrap.problem(called))
            .collect();
        // Which of several EnvoyProxies is the policy's, its Gateway says.
        let problem = problems
            .into_iter()
            .reduce(|first, other| first.and(other))??;
        Some((called.path("cluster"), problem))
    }
}
