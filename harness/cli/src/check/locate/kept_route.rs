//! Filters in front of ours that change a request and keep the route that was chosen for it before. Envoy chooses the route
//! anew when a WebAssembly filter writes a request header, whatever the header, so behind our filter their choice is lost:
//! it has a way out only for modules of an ABI above 0.2.1, which it does not load.

use crate::check::input::document::Document;

/// Returns the filters of a connection manager that keep a route, each with its path below the manager and the index in the
/// chain.
pub(super) fn keepers(manager: &Document) -> Vec<(String, usize)> {
    ["http_filters", "httpFilters"]
        .iter()
        .flat_map(|key| {
            let filters = manager.items(key).iter().enumerate();
            filters.map(move |(index, filter)| (format!("{key}[{index}]"), index, filter))
        })
        .filter_map(|(path, index, filter)| {
            let (key, config) = ["typed_config", "typedConfig"]
                .iter()
                .find_map(|key| Some((key, filter.get(key)?)))?;
            let setting = kept_by(config)?;
            Some((format!("{path}.{key}.{setting}"), index))
        })
        .collect()
}

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
