//! The page's files: each is served, and none but these.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use http::header::{ALLOW, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{Request, Response};
use tonic::body::Body;

use super::answer::serve;
use super::files::FILES;

fn ask(method: &str, path: &str, tag: Option<&str>) -> Option<Response<Body>> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(tag) = tag {
        request = request.header(IF_NONE_MATCH, tag);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    serve(&parts)
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => below(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn every_file_of_the_folder_is_served_and_no_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
    let mut found = Vec::new();
    below(&folder, &mut found);
    let is_served = |path: &&PathBuf| {
        !path.ends_with("README.md") && !path.ends_with("LICENSE") && !path.ends_with("index.html")
    };
    let expected: BTreeSet<String> = found
        .iter()
        .filter(is_served)
        .map(|path| path.strip_prefix(&folder).unwrap().display().to_string())
        .filter(|path| !path.ends_with(".LEGAL.txt"))
        .collect();
    let table: BTreeSet<String> = FILES.iter().map(|file| file.path.to_owned()).collect();
    assert_eq!(table, expected);
}

#[test]
fn the_document_and_its_files_have_their_headers() {
    let header = |answer: &Response<Body>, name| {
        let value = answer.headers().get(name);
        value.map(|it: &http::HeaderValue| it.to_str().unwrap().to_owned())
    };
    for path in [
        "/",
        "/trace/4bf9",
        "/trace/4bf9...ab12",
        "/search",
        "/dependencies",
    ] {
        let answer = ask("GET", path, None).unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let policy = header(&answer, CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.contains("default-src 'none'"), "{policy}");
    }
    for (path, media) in [
        ("/page/main.js", "text/javascript; charset=utf-8"),
        ("/page/style/base.css", "text/css; charset=utf-8"),
        ("/page/icon.svg", "image/svg+xml"),
    ] {
        let answer = ask("GET", path, None).unwrap();
        assert_eq!(header(&answer, CONTENT_TYPE).unwrap(), media);
        assert_eq!(header(&answer, CONTENT_SECURITY_POLICY), None);
        let tag = header(&answer, ETAG).unwrap();
        let again = ask("GET", path, Some(&format!("\"other\", {tag}"))).unwrap();
        assert_eq!(again.status(), 304, "{path}");
    }
    for path in [
        "/page/",
        "/page/none.js",
        "/page/../Cargo.toml",
        "/page/index.html",
    ] {
        assert_eq!(ask("GET", path, None).unwrap().status(), 404, "{path}");
    }
    let posted = ask("POST", "/page/main.js", None).unwrap();
    assert_eq!(posted.status(), 405);
    assert_eq!(header(&posted, ALLOW).unwrap(), "GET, HEAD");
    for (method, path) in [
        ("POST", "/"),
        ("GET", "/v1/traces"),
        ("GET", "/api/traces/4bf9"),
    ] {
        assert!(ask(method, path, None).is_none(), "{method} {path}");
    }
}

/// Looks for what would make markup of data, or ask another origin.
#[test]
fn the_pages_own_scripts_make_no_markup_of_texts_and_import_downwards() {
    const FORBIDDEN: [&str; 9] = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "dangerouslySetInnerHTML",
        "eval(",
        "new Function",
        "http://",
        "https://",
    ];
    const LAYERS: [&str; 4] = ["core/", "parts/", "screens/", "main.js"];
    let layer = |path: &str| LAYERS.iter().position(|layer| path.starts_with(layer));
    let own = FILES
        .iter()
        .filter(|file| !file.path.starts_with("vendor/"));
    for file in own.filter(|file| file.path.ends_with(".js")) {
        let text = std::str::from_utf8(file.bytes).unwrap();
        let path = file.path;
        for word in FORBIDDEN {
            assert!(!text.contains(word), "{path}: {word}");
        }
        assert!(text.starts_with("// "), "{path} has no header");
        assert!(
            text.lines().count() <= 360,
            "{path}: {} lines",
            text.lines().count()
        );
        for import in text.lines().filter_map(|line| line.split_once(" from '")) {
            let (_, target) = import;
            let target = target.trim_end_matches(['\'', ';']);
            let Some(target) = target.strip_prefix("../") else {
                continue;
            };
            // The workers stand beside the layers: they use their own folder and nothing of the document's.
            assert!(
                !path.starts_with("worker/") || target.starts_with("worker/"),
                "{path}: {target}"
            );
            assert!(layer(target) <= layer(path), "{path} imports {target}");
        }
    }
}
