//! The JSON Schema of a scenario, made from the types that read it.

use serde_json::{Value, json};

use super::scenario::Scenario;

/// Returns the schema of one scenario, a document of a file.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Scenario).to_value();
    schema["anyOf"] = json!([{"required": ["requests"]}, {"required": ["connections"]}]);
    schema
}
