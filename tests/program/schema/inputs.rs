//! Configurations from the sources of other tests: each string literal that is one, in JSON or YAML.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sidespan::check::input::document::Document;
use sidespan::check::locate::configurations as located;

/// Returns the valid configuration with every key, of which the parser's tests change one value at a time.
pub(super) fn whole() -> Value {
    literals("filter/core/src/config/tests.rs")
        .iter()
        .filter_map(|text| serde_json::from_str::<Value>(text).ok())
        .find(|value| value.get("correlation").is_some())
        .expect("the whole configuration")
}

/// Returns all configurations.
pub(super) fn configurations() -> Vec<String> {
    let mut texts = Vec::new();
    for file in core_tests() {
        texts.extend(literals(&file));
    }
    let core = texts.len();
    for folder in ["harness/cli/src/check", "tests/program", "tests/formats"] {
        for file in files(folder, "rs") {
            texts.extend(literals(&file).iter().flat_map(|text| found(text)));
        }
    }
    for (folder, ending) in [
        ("examples", "json"),
        ("examples", "yaml"),
        ("istio", "yaml"),
    ] {
        for file in files(folder, ending) {
            texts.extend(found(&read(&file)));
        }
    }
    assert!(
        core > 500 && texts.len() - core > 100,
        "{core} of {}",
        texts.len()
    );
    texts
}

/// Returns the values that the parser's tests put into a configuration, each once.
pub(super) fn values() -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for file in core_tests() {
        for text in literals(&file) {
            if let Ok(value) = serde_json::from_str(&text)
                && !values.contains(&value)
                && text.len() < 200
            {
                values.push(value);
            }
        }
    }
    assert!(values.len() > 100, "{}", values.len());
    values
}

/// Returns the configurations of the filter in a document, as `check` finds them.
fn found(text: &str) -> Vec<String> {
    let documents = Document::parse("-", text).unwrap_or_default();
    let objects = documents
        .iter()
        .filter(|document| matches!(document, Document::Object(_)));
    objects
        .flat_map(|document| located(document).found)
        .map(|found| found.json)
        .collect()
}

fn core_tests() -> Vec<String> {
    let mut files = files("filter/core/src/config/tests", "rs");
    files.push("filter/core/src/config/tests.rs".into());
    files
}

/// Returns the string literals of a source, in their order, with their escapes resolved.
fn literals(file: &str) -> Vec<String> {
    let source = read(file);
    let mut literals = Vec::new();
    let mut rest = source.as_str();
    while let Some(start) = rest.find(['"', '\'', '/']) {
        let raw = rest[..start].trim_end_matches('#');
        let hashes = start - raw.len();
        let after = &rest[start + 1..];
        let is_raw = raw.strip_suffix('r').is_some_and(|before| {
            !before.ends_with(|last: char| last.is_alphanumeric() || last == '_')
        });
        if rest[start..].starts_with("//") {
            rest = after.split_once('\n').map_or("", |(_, rest)| rest);
        } else if rest[start..].starts_with('/') {
            rest = after;
        } else if rest[start..].starts_with('\'') {
            // A character that is a quote; all others may stay, and lifetimes have no end.
            rest = after
                .strip_prefix("\"'")
                .or_else(|| after.strip_prefix("\\'"))
                .unwrap_or(after);
        } else if is_raw {
            let end = format!("\"{}", "#".repeat(hashes));
            let (text, behind) = after.split_once(&end).expect("the end of a raw literal");
            literals.push(text.into());
            rest = behind;
        } else {
            let (text, behind) = escaped(after);
            literals.push(text);
            rest = behind;
        }
    }
    literals
}

/// Reads a literal up to its closing quote.
fn escaped(source: &str) -> (String, &str) {
    let mut text = String::new();
    let mut characters = source.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, &source[at + 1..]),
            '\\' => match characters.next().map(|(_, escape)| escape) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('0') => text.push('\0'),
                Some('\n') => {
                    while characters.as_str().starts_with([' ', '\n']) {
                        characters.next();
                    }
                }
                // Codes of characters matter to none of the configurations.
                Some(other) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    (text, "")
}

fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).expect("a folder") {
        let entry = entry.expect("an entry");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("its type").is_dir() {
            found.extend(files(&path, ending));
        } else if Path::new(&path)
            .extension()
            .is_some_and(|known| known == ending)
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
