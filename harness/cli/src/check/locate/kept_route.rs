//! Filters in front of ours that change a request and keep the route that was chosen for it before. Envoy chooses the route
//! anew when a WebAssembly filter writes a request header, whatever the header, so behind our filter their choice is lost:
//! it has a way out only for modules of an ABI above 0.2.1, which it does not load.

use crate::check::input::document::Document;

/// Returns a warning, with its path, of each filter of a connection manager that keeps a route in front of ours. `base` is
/// the path of the manager, `ours` that of our filter's configuration.
pub(super) fn warnings(manager: &Document, base: &str, ours: &str) -> Vec<(String, String)> {
    let below = ours.strip_prefix(base).unwrap_or_default();
    let place = below.split(['[', ']']).nth(1);
    let Some(place) = place.and_then(|index| index.parse::<usize>().ok()) else {
        return Vec::new();
    };
    let keeper = |key: &str, index: usize, filter: &Document| {
        let (field, config) = ["typed_config", "typedConfig"]
            .iter()
            .find_map(|field| Some((field, filter.get(field)?)))?;
        let setting = kept_by(config)?;
        Some((
            format!("{base}.{key}[{index}].{field}.{setting}"),
            WARNING.to_owned(),
        ))
    };
    ["http_filters", "httpFilters"]
        .iter()
        .flat_map(|key| {
            let in_front = manager.items(key).iter().enumerate().take(place);
            in_front.filter_map(move |(index, filter)| keeper(key, index, filter))
        })
        .collect()
}

const WARNING: &str = "keeps the route that was chosen before, and the filter behind it makes Envoy choose anew by the \
    changed request, for each header that it writes clears the route; put Sidespan in front of this filter";

/// Returns the setting by which a filter keeps the route although it changes the request.
fn kept_by(config: &Document) -> Option<&'static str> {
    let kind = config.get("@type").and_then(Document::text)?;
    let is = |key: &str, value: &Document| config.get(key) == Some(value);
    let no = Document::Boolean(false);
    let yes = Document::Boolean(true);
    let retained = Document::String("RETAIN".into());
    let keys: &[(&'static str, &Document)] = match kind.rsplit('/').next()? {
        "envoy.extensions.filters.http.lua.v3.Lua" => {
            &[("clear_route_cache", &no), ("clearRouteCache", &no)]
        }
        "envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor" => &[
            ("disable_clear_route_cache", &yes),
            ("disableClearRouteCache", &yes),
            ("route_cache_action", &retained),
            ("routeCacheAction", &retained),
        ],
        _ => return None,
    };
    keys.iter()
        .find(|(key, value)| is(key, value))
        .map(|(key, _)| *key)
}
