//! The envelope of Istio's resources: the facts that `check` carries beside Istio's own definitions, and what `check` says
//! of the resources that a real API server was asked about.

use std::fs;
use std::process::Command;

use serde_json::{Map, Value, json};
use sidespan::check::check_file;
use sidespan::check::envelope::kinds::KINDS;
use sidespan::check::envelope::schema::{Pattern, Rule, Schema, Shape};
use sidespan_tests::definitions;

use super::asked::{ASKED, text};

/// Says "the same" of every kind and version that the definitions have: keys, types, bounds, words, patterns, rules.
#[test]
fn the_facts_are_those_of_istios_definitions() {
    let Some(definitions) = definitions::istio("the_facts_are_those_of_istios_definitions") else {
        return;
    };
    for kind in &KINDS {
        let definition = definitions
            .iter()
            .map(|definition| &definition["spec"])
            .find(|spec| spec["group"] == kind.group && spec["names"]["kind"] == kind.name)
            .unwrap_or_else(|| panic!("no definition of {}", kind.name));
        let versions = definition["versions"].as_array().expect("versions");
        let served: Vec<_> = versions
            .iter()
            .filter(|version| version["served"] == true)
            .filter_map(|version| version["name"].as_str())
            .collect();
        assert_eq!(served, kind.versions, "{}", kind.name);
        let ours = definition_of(&kind.resource);
        for version in versions {
            let theirs = plain(&version["schema"]["openAPIV3Schema"]);
            let place = format!("{} {}", kind.name, version["name"]);
            assert_eq!(theirs["required"], ours["required"], "{place}");
            let mut differences = Vec::new();
            let spec = |schema: &Value| schema["properties"]["spec"].clone();
            differ(&spec(&theirs), &spec(&ours), "spec", &mut differences);
            assert!(
                differences.is_empty(),
                "{place}:\n{}",
                differences.join("\n")
            );
        }
    }
}

/// Returns a schema of ours in the form of a definition.
fn definition_of(schema: &Schema) -> Value {
    let mut form = Map::new();
    let mut set = |key: &str, value: Value| drop(form.insert(key.into(), value));
    let bound = |most: usize| match most {
        usize::MAX => Value::Null,
        most => json!(most),
    };
    match &schema.shape {
        Shape::Object(fields) => {
            set("type", json!("object"));
            let properties: Map<_, _> = fields
                .iter()
                .map(|field| (field.name.to_owned(), definition_of(&field.schema)))
                .collect();
            set("properties", properties.into());
            let required: Vec<_> = fields.iter().filter(|field| field.is_required).collect();
            if !required.is_empty() {
                let names = required.iter().map(|field| field.name);
                set("required", names.collect());
            }
        }
        Shape::Free => {
            set("type", json!("object"));
            set("x-kubernetes-preserve-unknown-fields", json!(true));
        }
        Shape::Map { values, most } => {
            set("type", json!("object"));
            set("additionalProperties", definition_of(values));
            set("maxProperties", bound(*most));
        }
        Shape::List { items, most, key } => {
            set("type", json!("array"));
            set("items", definition_of(items));
            set("maxItems", bound(*most));
            set(
                "x-kubernetes-list-map-keys",
                key.map(|key| json!([key])).unwrap_or_default(),
            );
        }
        Shape::Text {
            least,
            most,
            pattern,
        } => {
            set("type", json!("string"));
            if *least > 0 {
                set("minLength", json!(least));
            }
            set("maxLength", bound(*most));
            set("pattern", pattern.map(expression).unwrap_or_default());
        }
        Shape::Word(words) => {
            set("type", json!("string"));
            set("enum", json!(words));
        }
        Shape::Integer { least, most } => {
            set("type", json!("integer"));
            set("minimum", json!(least));
            set("maximum", json!(most));
        }
        Shape::Number { least, most } => {
            set("type", json!("number"));
            set("minimum", json!(least));
            set("maximum", json!(most));
        }
        Shape::Boolean => set("type", json!("boolean")),
    }
    if schema.is_nullable {
        set("nullable", json!(true));
    }
    let mut rules = Vec::new();
    for rule in schema.rules {
        match rule {
            Rule::OneOf(keys) => {
                let each: Vec<_> = keys.iter().map(|key| json!({"required": [key]})).collect();
                let none = json!({"not": {"anyOf": each}});
                set("oneOf", [vec![none], each].concat().into());
            }
            rule => rules.extend(cel(*rule)),
        }
    }
    if !rules.is_empty() {
        rules.sort();
        set("x-kubernetes-validations", json!(rules));
    }
    form.retain(|_, value| !value.is_null());
    form.into()
}

/// Returns the regular expression of a pattern in the definitions.
fn expression(pattern: Pattern) -> Value {
    json!(match pattern {
        Pattern::Group => r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        Pattern::Kind => "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
        Pattern::Sha256 => "(^$|^[a-f0-9]{64}$)",
        // Of Kubernetes, for `metadata`, which the definitions leave out.
        Pattern::ResourceName => return Value::Null,
    })
}

/// Returns the CEL expression of a rule in the definitions; none for the rules of Istio's webhook.
fn cel(rule: Rule) -> Option<String> {
    let text = match rule {
        Rule::OneTarget(keys) => {
            let terms: Vec<_> = keys
                .iter()
                .map(|key| format!("(has(self.{key}) ? 1 : 0)"))
                .collect();
            return Some(format!("{} <= 1", terms.join(" + ")));
        }
        Rule::WasmOrLua => "has(self.wasm) != has(self.lua)",
        Rule::NoWildcard => r#"!self.contains("*")"#,
        Rule::NoWildcardKey => r#"self.all(key, !key.contains("*"))"#,
        Rule::NoEmptyKey => "self.all(key, key.size() != 0)",
        Rule::OwnNamespace => "self.size() == 0",
        Rule::Url => {
            r#"isURL(self) ? (url(self).getScheme() in ["", "http", "https", "oci", "file"]) : (isURL("http://" + self) && url("http://" + self).getScheme() in ["", "http", "https", "oci", "file"])"#
        }
        Rule::EnvValue => {
            r#"(has(self.valueFrom) ? self.valueFrom : "") != "HOST" || !has(self.value)"#
        }
        Rule::WaypointContext => {
            r#"has(self.context) ? ((self.context == "WAYPOINT") ? has(self.waypoint) : !has(self.waypoint)) : !has(self.waypoint)"#
        }
        Rule::WaypointPort => "0 < self && self <= 65535",
        Rule::TagUpsert => {
            r#"((has(self.operation) ? self.operation : "") == "UPSERT") ? (self.value != "") : true"#
        }
        Rule::TagRemove => {
            r#"((has(self.operation) ? self.operation : "") == "REMOVE") ? !has(self.value) : true"#
        }
        Rule::Duration => "duration(self) >= duration('1ms')",
        Rule::OneOf(_)
        | Rule::TargetKind
        | Rule::WholePatch
        | Rule::OneDigest
        | Rule::InstallingPatch => return None,
    };
    Some(text.into())
}

/// Returns a definition without prose, and with the bounds of formats written out.
fn plain(definition: &Value) -> Value {
    let Value::Object(keys) = definition else {
        return definition.clone();
    };
    let mut form = Map::new();
    for (key, value) in keys {
        let value = match key.as_str() {
            "description" if value.is_string() => continue,
            "x-kubernetes-list-type" | "format" => continue,
            "properties" => {
                let fields = value.as_object().expect("fields");
                let fields = fields.iter();
                fields
                    .map(|(name, field)| (name.clone(), plain(field)))
                    .collect::<Map<_, _>>()
                    .into()
            }
            "x-kubernetes-validations" => {
                let rules = value.as_array().expect("rules").iter();
                let mut rules: Vec<_> = rules
                    .map(|rule| rule["rule"].as_str().expect("a rule"))
                    .map(one_line)
                    .collect();
                rules.sort();
                json!(rules)
            }
            _ => plain(value),
        };
        form.insert(key.clone(), value);
    }
    if keys.get("format").is_some_and(|format| format == "int32") {
        form.insert("minimum".into(), json!(i32::MIN));
        form.insert("maximum".into(), json!(i32::MAX));
    }
    form.into()
}

/// Returns a rule on one line, with the schemes in one order: the definitions have two.
fn one_line(rule: &str) -> String {
    let words: Vec<_> = rule.split_whitespace().collect();
    words
        .join(" ")
        .replace(r#""file", "oci"]"#, r#""oci", "file"]"#)
}

/// Collects the places where two definitions differ; whole numbers are the same in both of their forms.
fn differ(theirs: &Value, ours: &Value, path: &str, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                differ(&theirs[key], &ours[key], &format!("{path}.{key}"), found);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        _ if theirs == ours => {}
        _ => found.push(format!("{path}: theirs {theirs}, ours {ours}")),
    }
}

#[test]
fn refused_is_what_an_api_server_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    for (index, row) in ASKED.into_iter().enumerate() {
        let (name, .., expected) = row;
        let text = text(row);
        let report = check_file("-", text.as_bytes());
        let errors: Vec<_> = report
            .errors
            .iter()
            .map(|error| format!("{}: {}", error.path, error.message))
            .collect();
        match expected {
            Some(beginning) => assert!(
                errors
                    .first()
                    .is_some_and(|error| error.starts_with(beginning)),
                "{name}: {errors:#?}"
            ),
            None => assert_eq!(errors, [""; 0], "{name}"),
        }
        // Once more as users do it.
        let file = folder.path().join(format!("{index}.yaml"));
        fs::write(&file, &text).expect("a file");
        let program = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
            .arg("check")
            .arg(&file)
            .output()
            .expect("the program");
        let code = program.status.code();
        assert_eq!(
            code,
            Some(i32::from(expected.is_some())),
            "{name}: {program:?}"
        );
        let said = String::from_utf8(program.stdout).expect("text");
        assert!(
            expected.is_none_or(|part| said.contains(part)),
            "{name}: {said}"
        );
    }
}
