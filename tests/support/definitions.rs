//! Definitions of Kubernetes' custom resources: what a resource has that its kind does not know or take.
//!
//! The rules of a definition that are written in CEL are not checked, because only an API server evaluates them.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Returns Istio's definitions; `None`, with a note on standard error that names the test, where there are none on this machine.
///
/// # Panics
/// When the file that `SIDESPAN_ISTIO_CRDS` names cannot be read.
pub fn istio(test: &str) -> Option<Vec<Value>> {
    let Some(path) = env::var_os("SIDESPAN_ISTIO_CRDS").map(PathBuf::from) else {
        // Not `eprintln!`, whose output the test harness captures.
        let note = "for SIDESPAN_ISTIO_CRDS is not set.\n\
                    With the path of Istio's CRDs there, in one YAML file, istio/ is held against their schemas.\n";
        writeln!(io::stderr(), "\nDID NOT RUN: {test}, {note}").expect("standard error");
        return None;
    };
    // From the project's root, as `.ci/run` and people give the path; the tests run in a folder below.
    Some(read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path),
    ))
}

/// Returns the definitions in a file of YAML documents.
///
/// # Panics
/// When the file cannot be read.
pub fn read(path: &Path) -> Vec<Value> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_multiple(&text).expect("definitions in YAML")
}

/// Returns the schema for the kind and the version of a resource.
///
/// # Panics
/// When there is none, or the version is not served.
pub fn schema<'a>(definitions: &'a [Value], resource: &Value) -> &'a Value {
    let (group, version) = resource["apiVersion"]
        .as_str()
        .and_then(|text| text.split_once('/'))
        .expect("group/version");
    let spec = definitions
        .iter()
        .map(|definition| &definition["spec"])
        .find(|spec| spec["group"] == group && spec["names"]["kind"] == resource["kind"])
        .unwrap_or_else(|| panic!("no definition of {} in {group}", resource["kind"]));
    let versions = spec["versions"].as_array().expect("versions");
    let served = versions
        .iter()
        .find(|known| known["name"] == version && known["served"] == true);
    &served.unwrap_or_else(|| panic!("{version} is not served"))["schema"]["openAPIV3Schema"]
}

/// Returns whatever an API server would refuse of a resource, and the fields that it would drop, which `kubectl apply`
/// refuses.
///
/// # Panics
/// As [`schema`].
pub fn faults(definitions: &[Value], resource: &Value) -> Vec<String> {
    let schema = schema(definitions, resource);
    let validator = jsonschema::validator_for(schema).expect("a schema");
    let mut faults: Vec<_> = validator
        .iter_errors(resource)
        .map(|error| error.to_string())
        .collect();
    unknown_fields(
        &resource["spec"],
        &schema["properties"]["spec"],
        "spec",
        &mut faults,
    );
    faults
}

fn unknown_fields(value: &Value, schema: &Value, path: &str, unknown: &mut Vec<String>) {
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                match (&schema["properties"][name], &schema["additionalProperties"]) {
                    (Value::Null, Value::Null) => unknown.push(path),
                    (Value::Null, other) => unknown_fields(value, other, &path, unknown),
                    (field, _) => unknown_fields(value, field, &path, unknown),
                }
            }
        }
        Value::Array(list) => list
            .iter()
            .for_each(|value| unknown_fields(value, &schema["items"], path, unknown)),
        _ => {}
    }
}
