//! Truth of what is written about the code: dependencies, lengths, paths, counters, the size of the module.

mod comments;
mod layers;
mod rules;
mod security;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sidespan_core::stats::{Counter, Gauge};

/// A crate, and the crates of this workspace that it may use.
const DIRECTIONS: [(&str, &[&str]); 13] = [
    ("filter/core", &[]),
    ("filter/abi", &[]),
    ("filter/plugin", &["sidespan-abi", "sidespan-core"]),
    ("filter/hot", &["sidespan-abi", "sidespan-plugin"]),
    ("filter/wasm", &["sidespan-abi", "sidespan-hot"]),
    ("filter/floor", &[]),
    ("filter/least", &[]),
    ("harness/host", &[]),
    ("harness/sink", &[]),
    ("harness/envoy", &[]),
    (
        "harness/cli",
        &[
            "sidespan-core",
            "sidespan-envoy",
            "sidespan-host",
            "sidespan-sink",
        ],
    ),
    ("examples/messages", &["sidespan-core"]),
    (
        "tests",
        &[
            "sidespan",
            "sidespan-core",
            "sidespan-envoy",
            "sidespan-host",
            "sidespan-sink",
        ],
    ),
];

/// The pages for people at the root.
const AT_THE_ROOT: [&str; 4] = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
];
/// The most lines of a file without its tests. One idea seldom needs more.
const MAX_LINES: usize = 360;
/// The most bytes of the module, because every worker of every proxy loads it.
const MAX_GUEST_BYTES: usize = 512 * 1024;
/// The most bytes of the compressed module, which is fetched from a registry or over xDS. Tables of numbers count most
/// here, because no compressor makes them smaller.
const MAX_GZIPPED_BYTES: usize = 224 * 1024;

fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns all files of this ending in the workspace's folders.
fn files(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<_> = ["filter", "harness", "tests", "istio", "examples"]
        .map(|folder| root().join(folder))
        .into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of ours") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                // Build products of `filter/fuzz`.
                if !path.ends_with("filter/fuzz/target") {
                    folders.push(path);
                }
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn is_test_file(path: &Path) -> bool {
    path.strip_prefix(root())
        .is_ok_and(|path| path.starts_with("tests"))
        || path.file_name().is_some_and(|name| name == "tests.rs")
        || path.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn crates_depend_one_way() {
    for (folder, allowed) in DIRECTIONS {
        let manifest = read(&root().join(folder).join("Cargo.toml"));
        for line in manifest.lines().filter(|line| line.starts_with("sidespan")) {
            let used = line.split(['.', ' ', '=']).next().unwrap_or_default();
            assert!(allowed.contains(&used), "{folder} may not use {used}");
        }
    }
}

#[test]
fn the_filters_crates_refuse_to_panic() {
    for folder in ["filter/core", "filter/abi", "filter/plugin"] {
        let library = read(&root().join(folder).join("src/lib.rs"));
        for law in [
            "unwrap_used",
            "expect_used",
            "panic",
            "indexing_slicing",
            "arithmetic_side_effects",
        ] {
            assert!(
                library.contains(&format!("clippy::{law}")),
                "{folder}: {law}"
            );
        }
    }
    let core = read(&root().join("filter/core/src/lib.rs"));
    assert!(core.contains("#![forbid(unsafe_code)]") && core.contains("#![no_std]"));
    let plugin = read(&root().join("filter/plugin/src/lib.rs"));
    assert!(plugin.contains("#![forbid(unsafe_code)]"));
}

/// Looks for the keyword itself, because a lint that is lowered for a module is lowered for its children, too.
#[test]
fn all_unsafe_code_is_in_the_crate_of_the_abi() {
    // The measuring rod has one file, for it may have no code of ours; a guest of the tests speaks the raw ABI, so that no SDK
    // stands between a scenario and the host; and compiled code comes out of a file in one place, whose head proves it ours.
    let places = [
        "filter/abi/src",
        "harness/host/src/module/directory.rs",
        "filter/least/src/proxy.rs",
        "tests/parity/guest",
    ];
    let places = places.map(|place| root().join(place));
    for path in files(".rs") {
        let is_allowed = places.iter().any(|place| path.starts_with(place));
        // This file names the keyword.
        if is_allowed || path.ends_with("tests/project/tidy.rs") {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            let place = || format!("{}:{}", path.display(), number + 1);
            assert!(words.all(|word| word != "unsafe"), "{}", place());
        }
    }
}

#[test]
fn every_file_says_what_it_is_for_and_holds_one_idea() {
    for path in files(".rs").iter().filter(|path| !is_test_file(path)) {
        let text = read(path);
        assert!(text.starts_with("//!"), "{} has no header", path.display());
        let lines = text
            .lines()
            .take_while(|line| *line != "#[cfg(test)]")
            .count();
        assert!(lines <= MAX_LINES, "{}: {lines} lines", path.display());
    }
}

#[test]
fn every_path_in_a_readme_exists() {
    let folders = [
        "filter/",
        "harness/",
        "istio/",
        "examples/",
        "tests/",
        ".ci/",
    ];
    let guides = files(".md").into_iter();
    let guides = guides.filter(|path| path.parent() == Some(&root().join("istio/docs")));
    let readmes = files("README.md")
        .into_iter()
        .chain(guides)
        .chain(AT_THE_ROOT.map(|file| root().join(file)));
    for readme in readmes {
        let text = read(&readme);
        for word in text.split(['`', ' ', '\n', '(', ')', '|', ',']) {
            let is_path = folders.iter().any(|folder| word.starts_with(folder));
            if is_path && !word.contains(['*', '<', '…']) {
                let path = root().join(word.trim_end_matches(['.', ':', ';']));
                assert!(path.exists(), "{}: {word}", readme.display());
            }
        }
    }
}

#[test]
fn nothing_names_this_machine() {
    let here = root();
    let here = here.to_string_lossy();
    let texts = [".rs", ".md", ".toml", ".yaml", ".json"]
        .map(files)
        .concat();
    let others = [".ci/run", "deny.toml"];
    let at_the_root = AT_THE_ROOT.iter().chain(&others);
    for path in texts
        .into_iter()
        .chain(at_the_root.map(|file| root().join(file)))
    {
        assert!(!read(&path).contains(&*here), "{}", path.display());
    }
}

fn names() -> BTreeSet<&'static str> {
    Counter::ALL
        .map(Counter::name)
        .into_iter()
        .chain(Gauge::ALL.map(Gauge::name))
        .collect()
}

#[test]
fn the_readme_explains_every_number_and_no_other() {
    let readme = read(&root().join("filter/README.md"));
    let (_, section) = readme
        .split_once("## Counters")
        .expect("a section on counters");
    let (section, _) = section.split_once("\n## ").expect("a section behind it");
    let explained: BTreeSet<_> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split(" |").next())
        .flat_map(|cell| cell.split('`'))
        .filter(|name| name.contains('.'))
        .collect();
    assert_eq!(explained, names());
}

#[test]
fn every_number_has_a_test_that_makes_it_move() {
    let tests: String = files(".rs")
        .iter()
        .filter(|path| is_test_file(path) && !path.ends_with("tests/project/tidy.rs"))
        .map(|path| read(path))
        .collect();
    let unmoved: Vec<_> = Counter::ALL
        .into_iter()
        .filter(|counter| {
            let variant = format!("Counter::{counter:?}");
            !tests.contains(&variant) && !tests.contains(counter.name())
        })
        .map(Counter::name)
        .chain(
            Gauge::ALL
                .map(Gauge::name)
                .into_iter()
                .filter(|name| !tests.contains(name)),
        )
        .collect();
    assert!(unmoved.is_empty(), "no test names {unmoved:?}");
}

#[test]
fn the_guest_is_small() {
    let size = sidespan::FILTER.len();
    assert!(size <= MAX_GUEST_BYTES, "{size} bytes");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(sidespan::FILTER).expect("memory");
    let size = gzip.finish().expect("memory").len();
    assert!(size <= MAX_GZIPPED_BYTES, "{size} bytes gzipped");
}
