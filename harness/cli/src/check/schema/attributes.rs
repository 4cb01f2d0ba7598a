//! The section `$.spans.attributes`.

use serde_json::{Value, json};
use sidespan_core::config::sections::attributes::{DENIED, MAX_ATTRIBUTES, OTHERS, SOURCES, names};

use super::value::{Schema, form, header_name, list, non_empty, object, text};

pub(super) fn attributes() -> Schema {
    let one: Vec<_> = SOURCES
        .iter()
        .map(|source| json!({"required": [source]}))
        .collect();
    let taken: Vec<_> = names().into_iter().chain(OTHERS).collect();
    let attribute = object([
        (
            "name",
            form(
                r"^(?!sidespan\.)",
                "the name of an attribute that is not of the filter's own",
            )
            .with("minLength", 1)
            .with("not", json!({"enum": taken}))
            .example("tenant")
            .says("The attribute's name, each once; those that the filter writes by itself are taken."),
        ),
        (
            "requestHeader",
            header("x-tenant", "All lines of this header of the request, with commas between them."),
        ),
        (
            "responseHeader",
            header("x-cache", "All lines of this header of the response, with commas between them."),
        ),
        ("literal", text().example("prod").says("This text, for every span.")),
        (
            "environment",
            non_empty().example("BUILD").says(
                "A variable of the VM's environment (vmConfig.env in Istio, vm_config.environment_variables in Envoy).",
            ),
        ),
        ("property", property()),
        (
            "baggage",
            non_empty()
                .example("tier")
                .says("The value of this key in the W3C Baggage that came in."),
        ),
        (
            "default",
            text().example("none").says("The value where the source has none."),
        ),
    ])
    .requires(&["name"])
    .with("oneOf", one);
    list(attribute, MAX_ATTRIBUTES)
        .example(vec![json!({"name": "tenant", "requestHeader": "x-tenant"})])
        .says("Attributes of your own, each with one source.")
}

fn header(example: &str, meaning: &str) -> Schema {
    header_name()
        .with("not", json!({"enum": DENIED}))
        .example(example)
        .says(&format!(
            "{meaning} Headers that carry secrets are refused: {}.",
            DENIED.join(", ")
        ))
}

fn property() -> Schema {
    let segment = r"[^.\u0000-\u001F\u007F-\u009F]+";
    // Names of headers are compared whatever their case, for which a pattern has no flag here.
    let denied: Vec<_> = DENIED.iter().map(|name| any_case(name)).collect();
    let secret: Value = json!([
        {"pattern": r"^request\.(path|query|headers\.:path)$"},
        {"pattern": r"^(request|response)\.(headers|trailers)$"},
        {"pattern": format!(r"^(request|response)\.(headers|trailers)\.({})(\.|$)", denied.join("|"))},
    ]);
    form(
        &format!(r"^{segment}(\.{segment})*$"),
        "the dotted path of a property such as xds.cluster_name, and none that may carry secrets",
    )
    .with("not", json!({"anyOf": secret}))
    .example("xds.cluster_name")
    .says(
        "An attribute of Envoy's, read when the request has ended. request.path and request.query may carry secrets and are \
         refused; request.url_path is the path alone.",
    )
}

fn any_case(name: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!(
            "[{}{}]",
            letter.to_ascii_uppercase(),
            letter.to_ascii_lowercase()
        ),
        false => letter.to_string(),
    };
    name.chars().map(letter).collect()
}
