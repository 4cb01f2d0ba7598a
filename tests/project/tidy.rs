//! What is written about the code is true of the code: directions, lengths, paths, counters, the artifact.

mod layers;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sidespan_core::stats::{Counter, Gauge};

/// A crate, and which of ours it may use.
const DIRECTIONS: [(&str, &[&str]); 11] = [
    ("filter/core", &[]),
    ("filter/abi", &[]),
    ("filter/plugin", &["sidespan-abi", "sidespan-core"]),
    ("filter/hot", &["sidespan-abi", "sidespan-plugin"]),
    ("filter/wasm", &["sidespan-abi", "sidespan-hot"]),
    ("filter/floor", &[]),
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

/// Lines of a file that are no tests. One idea seldom needs more; a file that does is to be cut, or this to be argued.
const MAX_LINES: usize = 360;
/// The module is loaded into every worker of every proxy.
const MAX_GUEST_BYTES: usize = 512 * 1024;
/// As such it is fetched, from a registry or over xDS. Tables of numbers count most here, for no compressor makes them smaller.
const MAX_GZIPPED_BYTES: usize = 224 * 1024;

fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below the folders of ours with this ending.
fn files(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<_> = ["filter", "harness", "tests", "istio", "examples"]
        .map(|folder| root().join(folder))
        .into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of ours") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                // What somebody has built in `filter/fuzz` is not ours.
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

/// The word itself is looked for, because a lint that is lowered for a module is lowered for its children, too.
#[test]
fn all_unsafe_code_is_in_the_crate_of_the_abi() {
    let abi = root().join("filter/abi/src");
    for path in files(".rs") {
        // Others may ask for the word, as this does.
        if path.starts_with(&abi) || path.ends_with("tests/project/tidy.rs") {
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
    let readmes = files("README.md")
        .into_iter()
        .chain([root().join("README.md"), root().join("CHANGELOG.md")]);
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
    let at_the_root = ["README.md", "CHANGELOG.md", ".ci/run"].map(|file| root().join(file));
    for path in texts.into_iter().chain(at_the_root) {
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

/// The rules of `propagation.md` on formats, their mapping, their conflicts, baggage, export, Jaeger's remote sampling and
/// limits: a prefix and its numbers.
/// Not here: OP-1 (the cluster's), OP-4, OP-5 and OP-7 (defaults that the configuration has otherwise), MS-6 and MS-8 (no
/// answer of ours can break them),
/// JG-11 (headers that only a Jaeger collector's client reads), JG-12 (limits of baggage, which W3C's replace), XR-10 and
/// XR-11 (an option and a response header that there are not), DD-7 (another tracer's order), BG-11 (a table), JR-5 (a file of
/// the server's), RL-4 (nothing to do: limits are of a worker).
const RULES: [(&str, &[u32]); 23] = [
    ("lv", &[1]),
    ("hn", &[1]),
    ("tp", &[1, 2, 3, 4, 5, 6, 7]),
    ("tv", &[1, 2, 3, 4, 5]),
    ("fl", &[1, 2, 3, 4, 5, 6, 7]),
    ("ts", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("tm", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (
        "b3",
        &[
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
            33, 34, 35, 36, 37, 38, 39, 40, 50, 51, 52, 53,
        ],
    ),
    ("jg", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13]),
    ("xr", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ("ot", &[1, 2, 3, 4, 5]),
    ("dd", &[1, 2, 3, 4, 5, 6, 8]),
    ("gc", &[1, 2, 3, 4, 5]),
    ("oc", &[1, 2, 3, 4, 5]),
    ("bg", &[1, 2, 3, 4, 5, 6, 10, 20, 21, 22, 23]),
    ("map", &[1, 2, 3, 10, 11, 12]),
    ("mf", &[1, 2, 3, 4, 10, 11, 12, 13]),
    ("op", &[2, 3, 6]),
    ("ms", &[1, 2, 3, 4, 5, 7]),
    ("rt", &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ("sz", &[1, 2, 3, 4, 5, 6]),
    ("jr", &[1, 2, 3, 4]),
    ("rl", &[1, 2, 3]),
];

#[test]
fn every_rule_has_a_test_that_quotes_its_id() {
    let quoted: BTreeSet<String> = files(".rs")
        .iter()
        .filter(|path| !path.ends_with("tests/project/tidy.rs"))
        .flat_map(|path| {
            let in_tests = is_test_file(path);
            read(path)
                .lines()
                .flat_map(|line| match line.trim().strip_prefix("fn ") {
                    Some(name) => pairs(name, '_'),
                    None if in_tests => pairs(line, '-'),
                    None => Vec::new(),
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<_> = RULES
        .into_iter()
        .flat_map(|(prefix, numbers)| {
            numbers
                .iter()
                .map(move |number| format!("{prefix}_{number}"))
        })
        .filter(|rule| !quoted.contains(rule))
        .collect();
    assert!(missing.is_empty(), "no test quotes {missing:?}");
}

/// Neighbouring words with this between them, in lower case: of `tp_7_and_map_11_start(…` among others `tp_7` and
/// `map_11`; of `B3-11: the export` only `b3_11`.
fn pairs(text: &str, between: char) -> Vec<String> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != between)
        .flat_map(|run| {
            let words: Vec<_> = run.split(between).collect();
            words
                .windows(2)
                .map(|pair| pair.join("_").to_ascii_lowercase())
                .collect::<Vec<_>>()
        })
        .collect()
}
