//! The clusters that a configuration calls, in an Envoy bootstrap, which names all its clusters where no discovery adds any.

use sidespan_core::config::Config;
use sidespan_core::export::settings::Protocol;

use super::destination::Destination;
use crate::check::input::document::Document;

/// Returns the problems with the clusters that a configuration calls, held against the document around it: a path in the
/// configuration, and a sentence.
pub fn problems(config: &Config, tree: &Document) -> Vec<(String, String)> {
    let Some(bootstrap) = Bootstrap::of(tree) else {
        return Vec::new();
    };
    Destination::all(config)
        .filter_map(|called| Some((called.path("cluster"), bootstrap.problem(&called)?)))
        .collect()
}

/// The clusters of a bootstrap.
pub(super) struct Bootstrap<'a> {
    clusters: &'a [Document],
    // True if a control plane adds others.
    is_discovered: bool,
}

impl<'a> Bootstrap<'a> {
    pub(super) fn of(tree: &'a Document) -> Option<Self> {
        let either = |tree: &'a Document, names: [&str; 2]| {
            names.into_iter().find_map(|name| tree.get(name))
        };
        let resources = either(tree, ["static_resources", "staticResources"])?;
        let dynamic = either(tree, ["dynamic_resources", "dynamicResources"]);
        Some(Self {
            clusters: resources.items("clusters"),
            is_discovered: dynamic
                .is_some_and(|dynamic| either(dynamic, ["cds_config", "cdsConfig"]).is_some()),
        })
    }

    pub(super) fn problem(&self, called: &Destination<'_>) -> Option<String> {
        let name = |cluster: &'a Document| cluster.get("name").and_then(Document::text);
        let found = self
            .clusters
            .iter()
            .find(|cluster| name(cluster) == Some(called.cluster));
        match found {
            None if self.is_discovered => None,
            None => {
                let names: Vec<_> = self.clusters.iter().filter_map(name).collect();
                let known = match names.as_slice() {
                    [] => "there are none".into(),
                    names => format!("there are {}", names.join(", ")),
                };
                Some(format!(
                    "this Envoy has no cluster {:?}, so {}; {known}; add it to static_resources.clusters",
                    called.cluster, called.loss
                ))
            }
            Some(cluster) => {
                (called.protocol == Protocol::Grpc && !is_http2(cluster)).then(|| {
                    format!(
                        "gRPC needs HTTP/2, and cluster {:?} speaks HTTP/1.1; give it explicit_http_config with \
                         http2_protocol_options: {{}} in its typed_extension_protocol_options",
                        called.cluster
                    )
                })
            }
        }
    }
}

/// Returns true if a cluster speaks HTTP/2: by `HttpProtocolOptions`, or by the field that they have replaced.
fn is_http2(cluster: &Document) -> bool {
    let named = |keys: &[&str]| keys.iter().any(|key| cluster.get(key).is_some());
    if named(&["http2_protocol_options", "http2ProtocolOptions"]) {
        return true;
    }
    let options = [
        "typed_extension_protocol_options",
        "typedExtensionProtocolOptions",
    ];
    let options = options.iter().find_map(|key| cluster.get(key));
    let Some(options) = options.and_then(|all| all.get(HTTP_PROTOCOL_OPTIONS)) else {
        return false;
    };
    let explicit = ["explicit_http_config", "explicitHttpConfig"];
    match explicit.iter().find_map(|key| options.get(key)) {
        Some(explicit) => ["http2_protocol_options", "http2ProtocolOptions"]
            .iter()
            .any(|key| explicit.get(key).is_some()),
        // Negotiated with the collector, or taken over from whoever calls.
        None => true,
    }
}

const HTTP_PROTOCOL_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
