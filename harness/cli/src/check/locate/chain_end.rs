//! The end of a chain of HTTP filters. Envoy refuses a chain whose terminal filter is missing or not last: the router, and
//! behind the router, in `upstream_http_filters` and in a cluster's options, the codec.

use crate::check::input::document::Document;

/// Returns the error, with its path, of a chain in which our filter cannot stand where it does. `base` is the path of the
/// object with the chain, `ours` that of our filter's configuration.
pub(super) fn error(
    owner: &Document,
    base: &str,
    ours: &str,
    is_patch: bool,
) -> Option<(String, String)> {
    let (key, is_upstream) = KEYS.into_iter().find(|(key, _)| owner.get(key).is_some())?;
    let chain = format!("{base}.{key}[");
    let (index, below) = ours.strip_prefix(&chain)?.split_once(']')?;
    // A filter of the router inside of this chain stands in a chain of its own.
    let is_nested = KEYS
        .iter()
        .any(|(key, _)| below.contains(&format!(".{key}[")));
    // A patch may be merged into a chain with an end.
    if is_nested || is_patch && !is_upstream {
        return None;
    }
    let kind_of_owner = owner.get("@type").and_then(Document::text);
    let is_cluster = kind_of_owner.is_some_and(|kind| kind.ends_with(".HttpProtocolOptions"));
    let end = match is_upstream || is_cluster {
        true => "upstream_codec",
        false => "router",
    };
    let filters = owner.items(key);
    let in_front = filters.iter().take(index.parse().ok()?);
    let problem = if in_front.into_iter().any(|filter| kind(filter) == Some(end)) {
        format!(
            "stands behind envoy.filters.http.{end}, and Envoy refuses a chain in which that is not last; put the filter in \
             front of it"
        )
    } else {
        let last = filters.last().and_then(kind)?;
        if last == end || MAY_END.contains(&last) {
            return None;
        }
        format!(
            "its chain ends with none that sends a request on, and Envoy refuses such a chain; put envoy.filters.http.{end} \
             behind all others"
        )
    };
    Some((format!("{chain}{index}]"), problem))
}

/// The keys of chains, and whether they are behind the router.
const KEYS: [(&str, bool); 4] = [
    ("http_filters", false),
    ("httpFilters", false),
    ("upstream_http_filters", true),
    ("upstreamHttpFilters", true),
];

/// Filters of Envoy that end a chain by their configuration.
const MAY_END: [&str; 3] = ["composite", "dynamic_modules", "mcp_router"];

/// Returns the name of Envoy's kind of a filter; `None` for filters of others, and those whose kind comes later.
fn kind(filter: &Document) -> Option<&str> {
    let config = ["typed_config", "typedConfig"]
        .iter()
        .find_map(|key| filter.get(key));
    let Some(config) = config else {
        let name = filter.get("name").and_then(Document::text)?;
        return name.strip_prefix("envoy.filters.http.");
    };
    let urls = ["type_url", "typeUrl", "@type"];
    let url = urls.iter().find_map(|key| config.get(key)?.text())?;
    let name = url.rsplit('/').next()?;
    name.strip_prefix("envoy.extensions.filters.http.")?
        .split('.')
        .next()
}
