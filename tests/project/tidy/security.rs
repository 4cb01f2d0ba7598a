//! The security model (`SECURITY.md`): each row has a test, each test exists where the row says, each key of the configuration
//! exists, and each configuration is accepted.

use serde_json::Value;
use sidespan::check::schema::schema;
use sidespan_core::config::{Config, SECTIONS};

use super::{read, root};

fn text() -> String {
    read(&root().join("SECURITY.md"))
}

/// Returns the cells of each row of the tables whose last column says what a row is shown by.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let mut rows = Vec::new();
    let mut is_shown = false;
    for line in text.lines() {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        match cells.last() {
            _ if !line.starts_with('|') => is_shown = false,
            Some(&"shown by") => is_shown = true,
            _ if is_shown && !line.starts_with("|---") => rows.push(cells),
            _ => {}
        }
    }
    rows
}

/// Returns what stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Returns the tests that a text names, each with the file in front of it.
fn tests(text: &str) -> Vec<(&str, &str)> {
    let mut file = None;
    let mut tests = Vec::new();
    for word in quoted(text) {
        let is_name = word.contains('_')
            && word
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        match file {
            _ if word.ends_with(".rs") => file = Some(word),
            Some(file) if is_name => tests.push((file, word)),
            _ => {}
        }
    }
    tests
}

/// Returns what is wrong with the tests that a text names.
fn missing(text: &str) -> Vec<String> {
    let is_there = |(file, name): &(&str, &str)| {
        let path = root().join(file);
        let code = if path.exists() {
            read(&path)
        } else {
            String::new()
        };
        let (_, behind) = code.split_once(&format!("fn {name}(")).unwrap_or_default();
        let (before, _) = code.split_once(&format!("fn {name}(")).unwrap_or_default();
        let attributes = before.rsplit("\n\n").next().unwrap_or_default();
        // Also `#[tokio::test(…)]`.
        let is_test = ["test]", "test("]
            .iter()
            .any(|end| attributes.contains(end));
        !behind.is_empty() && is_test
    };
    let tests = tests(text).into_iter().filter(|test| !is_there(test));
    tests
        .map(|(file, name)| format!("no test {name} in {file}"))
        .collect()
}

/// Returns true if the schema has a key at the end of this path.
fn has_key(schema: &Value, path: &[&str]) -> bool {
    let [first, rest @ ..] = path else {
        return true;
    };
    let forms = schema["anyOf"].as_array().into_iter().flatten();
    let mut all = std::iter::once(schema).chain(forms);
    all.any(|form| has_key_below(&form["properties"][first], rest))
}

fn has_key_below(schema: &Value, rest: &[&str]) -> bool {
    !schema.is_null() && has_key(schema, rest)
}

#[test]
fn every_row_of_the_security_model_has_its_test() {
    let text = text();
    let rows = rows(&text);
    assert!(rows.len() > 40, "{} rows", rows.len());
    for row in &rows {
        let shown = row.last().copied().unwrap_or_default();
        assert!(!tests(shown).is_empty(), "no test: {}", row[0]);
    }
    let prose = text.lines().filter(|line| !line.starts_with('|'));
    let shown = rows.iter().filter_map(|row| row.last().copied());
    let missing: Vec<_> = shown.chain(prose).flat_map(missing).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_key_and_configuration_of_the_security_model_is_accepted() {
    let (text, schema) = (text(), schema());
    let mut keys = 0;
    for word in quoted(&text) {
        let key = word.split(':').next().unwrap_or_default();
        let path: Vec<_> = key.split('.').collect();
        if path.len() > 1 && SECTIONS.contains(&path[0]) {
            assert!(has_key(&schema, &path), "no key {key}");
            keys += 1;
        }
    }
    assert!(keys > 20, "{keys} keys");
    let blocks: Vec<_> = text.split("```json\n").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let json = block.split("```").next().unwrap_or_default();
        if let Err(errors) = Config::parse(json.as_bytes()) {
            panic!("{json}: {errors:?}");
        }
    }
}

#[test]
fn a_row_without_a_test_and_a_name_that_is_none_are_found() {
    let table = "| who | shown by |\n|---|---|\n| a | `x.rs` and more |\n| b | `x.rs`: `no_such_test` |\n\n| c | d |\n";
    let found = rows(table);
    assert_eq!(
        found,
        [["a", "`x.rs` and more"], ["b", "`x.rs`: `no_such_test`"]]
    );
    assert!(tests(found[0][1]).is_empty());
    assert_eq!(tests(found[1][1]), [("x.rs", "no_such_test")]);
    assert_eq!(missing(found[1][1]), ["no test no_such_test in x.rs"]);
    // A function of this file that is no test.
    let helper = "`tests/project/tidy/security.rs`: `has_key_below`";
    assert_eq!(missing(helper).len(), 1);
    let schema = schema();
    assert!(has_key(&schema, &["gateway", "trust", "context"]));
    assert!(!has_key(&schema, &["gateway", "trust", "contexts"]));
}
