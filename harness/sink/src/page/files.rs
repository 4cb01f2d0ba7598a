//! The page's files, built into the program, and their addresses.

/// A file of the page.
#[derive(Debug)]
pub(super) struct File {
    /// The path below `/page/`.
    pub(super) path: &'static str,
    /// The media type.
    pub(super) media: &'static str,
    /// The content.
    pub(super) bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal)*) => {
        &[$(File { path: $path, media: media($path), bytes: include_bytes!(concat!("../../page/", $path)) }),*]
    };
}

/// The document, which every address of the page answers with.
pub(super) static DOCUMENT: File = File {
    path: "",
    media: "text/html; charset=utf-8",
    bytes: include_bytes!("../../page/index.html"),
};

/// The files below `/page/`.
pub(super) static FILES: &[File] = files! {
    "core/api.js"
    "core/color.js"
    "core/data.js"
    "core/environment.js"
    "core/files.js"
    "core/router.js"
    "core/state.js"
    "core/time.js"
    "core/view.js"
    "core/width.js"
    "icon.svg"
    "main.js"
    "parts/attributes.js"
    "parts/bar.js"
    "parts/completion.js"
    "parts/difference.js"
    "parts/dots.js"
    "parts/filter.js"
    "parts/filter_form.js"
    "parts/frame.js"
    "parts/keys.js"
    "parts/minimap.js"
    "parts/model.js"
    "parts/panel.js"
    "parts/query.js"
    "parts/requests.js"
    "parts/rows.js"
    "parts/stage.js"
    "parts/times.js"
    "parts/verdict.js"
    "parts/waterfall.js"
    "screens/compare.js"
    "screens/compare_rows.js"
    "screens/empty.js"
    "screens/figures.js"
    "screens/list.js"
    "screens/list_rows.js"
    "screens/list_tools.js"
    "screens/map.js"
    "screens/map_graph.js"
    "screens/map_links.js"
    "screens/map_tables.js"
    "screens/span.js"
    "screens/states.js"
    "screens/trace.js"
    "screens/trace_find.js"
    "screens/trace_head.js"
    "screens/verdict.js"
    "style/base.css"
    "style/compare.css"
    "style/list.css"
    "style/map.css"
    "style/span.css"
    "style/trace.css"
    "style/verdict.css"
    "vendor/dagre/dagre.esm.js"
    "vendor/htm/htm.module.js"
    "vendor/preact/hooks.mjs"
    "vendor/preact/preact.mjs"
    "vendor/signals-core/signals-core.module.js"
    "vendor/signals/signals.module.js"
    "vendor/uplot/uPlot.esm.js"
    "vendor/uplot/uPlot.min.css"
    "vendor/virtual-core/index.js"
    "vendor/virtual-core/ios-gesture.js"
    "vendor/virtual-core/lazy-measurements.js"
    "vendor/virtual-core/scroll-classifier.js"
    "vendor/virtual-core/utils.js"
    "worker/columns.js"
    "worker/compare.js"
    "worker/details.js"
    "worker/fetch.js"
    "worker/figures.js"
    "worker/intervals.js"
    "worker/layout.js"
    "worker/list.js"
    "worker/main.js"
    "worker/map.js"
    "worker/otlp.js"
    "worker/structure.js"
    "worker/trace.js"
    "worker/tree.js"
};

/// Returns the file at an address: `None` if the address is not the page's, `Some(None)` if it is and has no file.
///
/// `/search`, `/trace/ID` and `/dependencies` are addresses of Jaeger's own page, which guides and other programs link to.
pub(super) fn file(path: &str) -> Option<Option<&'static File>> {
    if matches!(path, "/" | "/search" | "/dependencies") || path.starts_with("/trace/") {
        return Some(Some(&DOCUMENT));
    }
    let path = path.strip_prefix("/page/")?;
    Some(FILES.iter().find(|file| file.path == path))
}

/// Returns the media type by the ending of a name.
const fn media(path: &str) -> &'static str {
    match path.as_bytes() {
        [.., b'.', b'c', b's', b's'] => "text/css; charset=utf-8",
        [.., b'.', b's', b'v', b'g'] => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}
