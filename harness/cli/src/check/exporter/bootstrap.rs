//! The collector's cluster in an Envoy bootstrap, which names all its clusters where no discovery adds any.

use sidespan_core::config::Config;
use sidespan_core::export::settings::Protocol;

use crate::check::input::document::Document;

/// Returns the problem with the exporter's cluster in the document around a configuration: a key below `export.otlp`,
/// and a sentence.
pub fn problem(config: &Config, tree: &Document) -> Option<(&'static str, String)> {
    let otlp = config.export.otlp.as_ref()?;
    let either = |tree: &'_ Document, names: [&str; 2]| {
        names.iter().find_map(|name| tree.get(name)).cloned()
    };
    let resources = either(tree, ["static_resources", "staticResources"])?;
    let clusters = resources.items("clusters");
    let dynamic = either(tree, ["dynamic_resources", "dynamicResources"]);
    let is_discovered =
        dynamic.is_some_and(|dynamic| either(&dynamic, ["cds_config", "cdsConfig"]).is_some());
    let name = |cluster: &Document| {
        cluster
            .get("name")
            .and_then(Document::text)
            .map(str::to_owned)
    };
    let found = clusters
        .iter()
        .find(|cluster| name(cluster).as_deref() == Some(&otlp.cluster));
    match found {
        None if is_discovered => None,
        None => {
            let names: Vec<_> = clusters.iter().filter_map(name).collect();
            let known = match names.as_slice() {
                [] => "there are none".into(),
                names => format!("there are {}", names.join(", ")),
            };
            Some((
                "cluster",
                format!(
                    "this Envoy has no cluster {:?}, so every span would be lost; {known}; add it to static_resources.clusters",
                    otlp.cluster
                ),
            ))
        }
        Some(cluster) => (otlp.protocol == Protocol::Grpc && !is_http2(cluster)).then(|| {
            (
                "cluster",
                format!(
                    "gRPC needs HTTP/2, and cluster {:?} speaks HTTP/1.1; give it explicit_http_config with \
                     http2_protocol_options: {{}} in its typed_extension_protocol_options",
                    otlp.cluster
                ),
            )
        }),
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
