//! [Telemetry](https://istio.io/latest/docs/reference/config/telemetry/).

use super::super::schema::{
    ANY, BOOLEAN, Field, Rule, SOME_TEXT, Schema, TEXT, field, list, map, number, object, required,
    word,
};
use super::common::{
    API_VERSION, KIND, METADATA, MODE, PROVIDERS, SELECTOR, STATUS, TARGET_REF, TARGET_REFS,
};

pub(super) const TELEMETRY: Schema =
    object(&[API_VERSION, KIND, METADATA, field("spec", SPEC), STATUS]);

const SPEC: Schema = object(&[
    field("accessLogging", list(&ACCESS_LOGGING, ANY)),
    field("metrics", list(&METRICS, ANY)),
    SELECTOR,
    TARGET_REF,
    TARGET_REFS,
    field("tracing", list(&TRACING, ANY)),
])
.with(&[Rule::OneTarget(&["selector", "targetRef", "targetRefs"])]);

const TRACING: Schema = object(&[
    field("customTags", map(&CUSTOM_TAG, ANY)),
    field("disableContextPropagation", BOOLEAN.or_null()),
    field("disableSpanReporting", BOOLEAN.or_null()),
    field("enableIstioTags", BOOLEAN.or_null()),
    field("match", object(&[MODE])),
    PROVIDERS,
    field("randomSamplingPercentage", number(0.0, 100.0).or_null()),
    field("useRequestIdForTraceSampling", BOOLEAN.or_null()),
]);

const CUSTOM_TAG: Schema = object(&[
    field("environment", NAMED),
    field("formatter", LITERAL),
    field("header", NAMED),
    field("literal", LITERAL),
])
.with(&[Rule::OneOf(&[
    "literal",
    "environment",
    "header",
    "formatter",
])]);
const NAMED: Schema = object(&[field("defaultValue", TEXT), required("name", SOME_TEXT)]);
const LITERAL: Schema = object(&[required("value", SOME_TEXT)]);

const ACCESS_LOGGING: Schema = object(&[
    field("disabled", BOOLEAN.or_null()),
    field("filter", object(&[field("expression", TEXT)])),
    field("match", object(&[MODE])),
    PROVIDERS,
]);

const METRICS: Schema = object(&[
    field("overrides", list(&OVERRIDE, ANY)),
    PROVIDERS,
    field("reportingInterval", TEXT.with(&[Rule::Duration])),
]);

const OVERRIDE: Schema = object(&[
    field("disabled", BOOLEAN.or_null()),
    field(
        "match",
        object(&[field("customMetric", SOME_TEXT), METRIC, MODE])
            .with(&[Rule::OneOf(&["metric", "customMetric"])]),
    ),
    field("tagOverrides", map(&TAG_OVERRIDE, ANY)),
]);
const METRIC: Field = field(
    "metric",
    word(&[
        "ALL_METRICS",
        "REQUEST_COUNT",
        "REQUEST_DURATION",
        "REQUEST_SIZE",
        "RESPONSE_SIZE",
        "TCP_OPENED_CONNECTIONS",
        "TCP_CLOSED_CONNECTIONS",
        "TCP_SENT_BYTES",
        "TCP_RECEIVED_BYTES",
        "GRPC_REQUEST_MESSAGES",
        "GRPC_RESPONSE_MESSAGES",
    ]),
);
const TAG_OVERRIDE: Schema = object(&[
    field("operation", word(&["UPSERT", "REMOVE"])),
    field("value", TEXT),
])
.with(&[Rule::TagUpsert, Rule::TagRemove]);
