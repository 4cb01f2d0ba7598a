//! The section `$.spans`.

use serde_json::json;
use sidespan_core::config::sections::attributes::names;
use sidespan_core::config::sections::spans::{CONVENTIONS, MAX_NAMES, MAX_ROUTES};

use super::attributes::attributes;
use super::request_match::template;
use super::value::{Schema, boolean, form, list, map, non_empty, object, one_of, text, words};

pub(super) fn spans() -> Schema {
    object([
        (
            "serviceName",
            text().example("cart").says(
                "service.name of all spans; by default it is what the proxy's node tells, or OTEL_SERVICE_NAME.",
            ),
        ),
        (
            "routes",
            list(template(), MAX_ROUTES)
                .example(vec!["/api/orders/{id}"])
                .says("Templates of paths, by which spans are named; the first that fits."),
        ),
        ("attributes", attributes()),
        (
            "resource",
            map(
                form(
                    r"^(?!telemetry\.sdk\.|sidespan\.)",
                    "the name of an attribute, but none of the filter's own (telemetry.sdk.*, sidespan.*)",
                )
                .with("minLength", 1),
                text(),
                MAX_NAMES,
            )
            .example(json!({"deployment.environment.name": "prod"}))
            .says("Attributes of the resource, over all other sources."),
        ),
        (
            "omit",
            list(one_of(names()), MAX_NAMES)
                .example(vec!["client.address", "user_agent.original", "url.query"])
                .says("Attributes of the filter's own that are left out, for privacy; the old names go with the new."),
        ),
        (
            "conventions",
            words(&CONVENTIONS).default("stable").says(
                "The names of attributes: stable is OpenTelemetry's semantic conventions 1.44.0, old is 1.20 for HTTP and 1.37 for \
                 RPC, both writes both.",
            ),
        ),
        (
            "redactQuery",
            list(non_empty(), MAX_NAMES)
                .example(vec!["token"])
                .says("Keys of the query whose values leave as REDACTED, besides those that carry signatures."),
        ),
        (
            "accessLog",
            boolean()
                .default(false)
                .says("Leave the ids in the filter state, for Envoy's access log."),
        ),
    ])
    .rule(json!({
        "if": {"required": ["serviceName"], "properties": {"serviceName": {"minLength": 1}}},
        "then": {"properties": {"resource": {"properties": {"service.name": false}}}},
    }))
    .says("Names, attributes and resource of spans.")
}
