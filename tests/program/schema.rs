//! The JSON Schema that `sidespan check --schema` prints, held against the parser: what the one takes, the other takes.
//!
//! The configurations are those of the parser's own tests, of `check`'s tests, of the examples and manifests, and
//! mutations of a configuration with every key.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Value, json};
use sidespan::check::schema::schema;
use sidespan_core::config::Config;

mod inputs;
mod mutations;
mod values;

/// Rules that a schema cannot say, by the parser's words; `harness/cli/src/check/schema.rs` lists them.
const PARSERS_ALONE: [&str; 6] = [
    "b3 is read before b3multi; ",
    "; a span has each attribute once",
    "expected at least batch.maxSpans (",
    "expected at least initial (",
    "repeated key",
    "expected at most 262144 bytes, found ",
];

/// Both verdicts on many configurations.
struct Verdicts {
    validator: Validator,
    accepted: usize,
    refused: usize,
    by_parser_alone: BTreeSet<&'static str>,
    differences: Vec<String>,
}

impl Verdicts {
    fn new() -> Self {
        Self {
            validator: jsonschema::validator_for(&schema()).expect("a schema"),
            accepted: 0,
            refused: 0,
            by_parser_alone: BTreeSet::new(),
            differences: Vec::new(),
        }
    }

    /// Asks both about a text, if it is JSON.
    fn ask(&mut self, text: &str) {
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return;
        };
        let is_valid = self.validator.is_valid(&value);
        match Config::parse(text.as_bytes()) {
            Ok(_) => {
                self.accepted += 1;
                if !is_valid {
                    let errors: Vec<_> = self
                        .validator
                        .iter_errors(&value)
                        .map(|error| format!("{}: {error}", error.instance_path()))
                        .collect();
                    self.differences
                        .push(format!("the schema alone refuses {text}: {errors:?}"));
                }
            }
            Err(errors) => {
                self.refused += 1;
                let alone = |message: &str| {
                    let mut rules = PARSERS_ALONE.into_iter();
                    rules.find(|rule| message.contains(rule))
                };
                let rules: Option<Vec<_>> =
                    errors.iter().map(|error| alone(&error.message)).collect();
                match rules {
                    Some(rules) => self.by_parser_alone.extend(rules),
                    None if is_valid => self
                        .differences
                        .push(format!("the parser alone refuses {text}: {errors:?}")),
                    None => {}
                }
            }
        }
    }

    fn hold(&self) {
        let shown: Vec<_> = self.differences.iter().take(20).collect();
        assert!(
            shown.is_empty(),
            "{} differences: {shown:#?}",
            self.differences.len()
        );
    }
}

#[test]
fn schema_and_parser_agree_on_the_configurations_of_all_tests() {
    let mut verdicts = Verdicts::new();
    let whole = inputs::whole();
    verdicts.ask(&whole.to_string());
    assert_eq!((verdicts.accepted, verdicts.refused), (1, 0));
    for text in inputs::configurations() {
        verdicts.ask(&text);
    }
    let literals = inputs::values();
    for pointer in mutations::pointers(&whole) {
        for value in &literals {
            verdicts.ask(&mutations::with(&whole, &pointer, Some(value)));
        }
    }
    verdicts.hold();
    assert!(verdicts.accepted > 500, "{}", verdicts.accepted);
    assert!(verdicts.refused > 5_000, "{}", verdicts.refused);
}

#[test]
fn schema_and_parser_agree_on_mutations_of_every_key() {
    let mut verdicts = Verdicts::new();
    for whole in mutations::wholes(&inputs::whole()) {
        verdicts.ask(&whole.to_string());
    }
    let (bases, no_refusal) = (verdicts.accepted, verdicts.refused == 0);
    assert!(bases >= 3 && no_refusal, "{:?}", verdicts.differences);
    for text in mutations::all(&inputs::whole()) {
        verdicts.ask(&text);
    }
    verdicts.hold();
    assert!(verdicts.accepted > 1_000, "{}", verdicts.accepted);
    assert!(verdicts.refused > 5_000, "{}", verdicts.refused);
}

#[test]
fn the_rules_that_only_the_parser_knows_are_refused_by_it_alone() {
    let mut verdicts = Verdicts::new();
    let long = format!("{{{}}}", " ".repeat(256 << 10));
    for text in [
        r#"{"propagation": {"extract": ["b3multi", "b3"]}}"#,
        r#"{"spans": {"attributes": [{"name": "a", "literal": "1"}, {"name": "a", "literal": "2"}]}}"#,
        r#"{"export": {"batch": {"maxSpans": 100}, "queue": {"maxSpans": 99}}}"#,
        r#"{"export": {"retry": {"initial": "2s", "max": "1s"}}}"#,
        r#"{"direction": "auto", "direction": "auto"}"#,
        &long,
    ] {
        verdicts.ask(text);
        let value = serde_json::from_str(text).expect("JSON");
        assert!(verdicts.validator.is_valid(&value), "{text:.99}");
    }
    verdicts.hold();
    assert_eq!(verdicts.by_parser_alone, BTreeSet::from(PARSERS_ALONE));
    assert_eq!(verdicts.accepted, 0);
}

#[test]
fn every_key_of_the_parser_is_in_the_schema_and_the_reverse() {
    let mut objects = Vec::new();
    objects_below(&schema(), Vec::new(), &mut objects);
    assert!(objects.len() > 20, "{objects:?}");
    for (place, properties) in objects {
        // Longer than any word that the parser would guess at.
        let unknown = json!({"x".repeat(50): 1});
        let config = place.iter().rev().fold(unknown, |inner, step| match step {
            Some(key) => json!({key: inner}),
            None => json!([inner]),
        });
        let errors = Config::parse(config.to_string().as_bytes()).expect_err("an unknown key");
        let known = errors
            .iter()
            .find_map(|error| error.message.strip_prefix("unknown key; known here: "))
            .unwrap_or_else(|| panic!("{config}: {errors:?}"));
        let known: BTreeSet<_> = known.split(", ").map(str::to_owned).collect();
        assert_eq!(known, properties, "{config}");
    }
}

/// Collects the objects of a schema: the keys on the way there, `None` for a list, and the objects' own keys.
fn objects_below(
    schema: &Value,
    place: Vec<Option<String>>,
    objects: &mut Vec<(Vec<Option<String>>, BTreeSet<String>)>,
) {
    let below = |step: Option<&str>| [place.clone(), vec![step.map(str::to_owned)]].concat();
    if let Some(properties) = schema["properties"].as_object() {
        objects.push((place.clone(), properties.keys().cloned().collect()));
        for (key, value) in properties {
            objects_below(value, below(Some(key)), objects);
        }
    }
    for form in schema["anyOf"].as_array().into_iter().flatten() {
        objects_below(form, place.clone(), objects);
    }
    if let Some(items) = schema.get("items") {
        objects_below(items, below(None), objects);
    }
    if let Some(values) = schema
        .get("additionalProperties")
        .filter(|values| values.is_object())
    {
        objects_below(values, below(Some("x-name")), objects);
    }
}

#[test]
fn the_readme_lists_every_request_that_is_excluded_by_default() {
    let schema = schema();
    let default = &schema["properties"]["sampling"]["properties"]["exclude"]["default"];
    let entries = default.as_array().expect("a list");
    assert!(
        entries.len() <= 32,
        "a list of one's own may begin with them"
    );
    let readme = include_str!("../../filter/README.md");
    for entry in entries {
        let conditions = entry.as_object().expect("a match");
        for key in ["path", "userAgent"] {
            let Some(pattern) = conditions.get(key) else {
                continue;
            };
            let quoted = format!("`{}`", pattern.as_str().expect("a pattern"));
            assert!(readme.contains(&quoted), "{quoted}");
        }
    }
}
