//! The tests outside of the `external` modules, which `cargo quick` runs: they start no program but Sidespan, and Sidespan
//! starts no Envoy there.

use std::fs;
use std::path::{Path, PathBuf};

/// Parts of a line that mean another program, and the program.
const OTHER_PROGRAMS: &[(&str, &str)] = &[
    ("sidespan_envoy", "Envoy"),
    ("sidespan_tests::envoy", "Envoy"),
    ("\"--envoy\"", "Envoy"),
    ("sidespan_tests::packages", "Python or Node"),
    ("sidespan_tests::peers", "a Collector or Jaeger"),
    ("sidespan_tests::program", "another program"),
    ("sidespan_tests::rotel", "another program"),
    ("Command::new(", "another program"),
    ("cfg_attr(", "a condition on the machine"),
];
const SIDESPAN: &str = "Command::new(env!(\"CARGO_BIN_EXE_sidespan-program\"))";

#[test]
fn outside_of_external_no_test_needs_another_program() {
    let mut found = Vec::new();
    let mut read = 0;
    for path in files(Path::new(env!("CARGO_MANIFEST_DIR"))) {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}"));
        read += 1;
        for (line, number) in text.replace(SIDESPAN, "").lines().zip(1..) {
            for (part, needed) in OTHER_PROGRAMS {
                if line.contains(*part) {
                    found.push(format!("{}:{number}: {needed}", path.display()));
                }
            }
        }
    }
    assert!(read > 30, "{read} files");
    assert!(
        found.is_empty(),
        "move to `external`:\n{}",
        found.join("\n")
    );
}

/// Returns the sources of all tests below a folder, but for those of `external` modules, the support and this file.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of tests");
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        // The programs in `receivers` are measured by no test.
        let is_left_out = [
            "external",
            "support",
            "receivers",
            "build.rs",
            "project/quick.rs",
        ]
        .iter()
        .any(|name| path.ends_with(name));
        if is_left_out {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}
