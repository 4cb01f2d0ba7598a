//! Values in the wrong place, which may be secrets: no sentence repeats them.

use serde_json::{Value, json};

use super::{envoy_filter, extension, telemetry};
use crate::check::check_file;

const SECRET: &str = "hunter2";

/// Returns copies of a value, each with another part replaced by a secret: as text, in a list, under an unknown key.
fn spoilt(value: &Value) -> Vec<Value> {
    let mut copies = vec![
        json!(SECRET),
        json!([SECRET]),
        json!([{"unknown": SECRET}]),
        json!({"unknown": SECRET, "other": {"value": SECRET}}),
    ];
    match value {
        Value::Object(fields) => {
            // The filter's own configuration has its own messages, and so has the percentage of Istio's.
            let around = fields.iter().filter(|(key, _)| {
                !["pluginConfig", "configuration", "randomSamplingPercentage"]
                    .contains(&key.as_str())
            });
            for (key, inner) in around {
                copies.extend(spoilt(inner).into_iter().map(|inner| {
                    let mut copy = fields.clone();
                    copy.insert(key.clone(), inner);
                    copy.into()
                }));
            }
        }
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                copies.extend(spoilt(inner).into_iter().map(|inner| {
                    let mut copy = list.clone();
                    copy[index] = inner;
                    copy.into()
                }));
            }
        }
        _ => {}
    }
    copies
}

#[test]
fn no_sentence_repeats_a_value() {
    let mut refused = 0;
    for resource in [
        extension::PLUGIN,
        extension::EXTENSION,
        telemetry::TELEMETRY,
        envoy_filter::FILTER,
    ] {
        let whole: Value = serde_saphyr::from_str(resource).unwrap();
        for key in ["metadata", "spec"] {
            for copy in spoilt(&whole[key]) {
                let mut resource = whole.clone();
                resource[key] = copy;
                let report = check_file("a.json", resource.to_string().as_bytes());
                refused += usize::from(!report.errors.is_empty());
                for finding in report.errors.iter().chain(&report.warnings) {
                    let line = format!("{}: {}", finding.path, finding.message);
                    assert!(!line.contains(SECRET), "{line}\n{resource}");
                }
            }
        }
    }
    assert!(refused > 150, "{refused}");
}
