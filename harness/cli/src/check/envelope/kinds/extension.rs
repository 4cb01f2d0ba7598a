//! [WasmPlugin] and [TrafficExtension], which Istio 1.30 and later make of every WasmPlugin.
//!
//! [WasmPlugin]: https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/
//! [TrafficExtension]: https://istio.io/latest/docs/reference/config/proxy_extensions/

use super::super::schema::{
    ANY, FREE, Field, INT32, Pattern, Rule, SOME_TEXT, Schema, TEXT, field, formed, list_by,
    object, required, text, word,
};
use super::common::{
    API_VERSION, KIND, METADATA, SELECTOR, STATUS, TARGET_REF, TARGET_REFS, TRAFFIC,
};

pub(super) const WASM_PLUGIN: Schema = object(&[
    API_VERSION,
    KIND,
    METADATA,
    required("spec", PLUGIN_SPEC),
    STATUS,
]);

pub(super) const TRAFFIC_EXTENSION: Schema = object(&[
    API_VERSION,
    KIND,
    METADATA,
    required("spec", EXTENSION_SPEC),
    STATUS,
]);

const PLUGIN_SPEC: Schema = object(&[
    FAIL_STRATEGY,
    IMAGE_PULL_POLICY,
    IMAGE_PULL_SECRET,
    TRAFFIC,
    field(
        "phase",
        word(&["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"]),
    ),
    PLUGIN_CONFIG,
    PLUGIN_NAME,
    PRIORITY,
    SELECTOR,
    SHA256,
    TARGET_REF,
    TARGET_REFS,
    TYPE,
    URL,
    VERIFICATION_KEY,
    VM_CONFIG,
])
.with(&[
    Rule::OneTarget(&["selector", "targetRef", "targetRefs"]),
    Rule::OneDigest,
]);

const EXTENSION_SPEC: Schema = object(&[
    field("lua", object(&[required("inlineCode", text(1, 65536))])),
    TRAFFIC,
    field("phase", word(&["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"])),
    PRIORITY,
    SELECTOR,
    TARGET_REFS,
    field(
        "wasm",
        object(&[
            FAIL_STRATEGY,
            IMAGE_PULL_POLICY,
            IMAGE_PULL_SECRET,
            PLUGIN_CONFIG,
            PLUGIN_NAME,
            SHA256,
            TYPE,
            URL,
            VERIFICATION_KEY,
            VM_CONFIG,
        ])
        .with(&[Rule::OneDigest]),
    ),
])
.with(&[
    Rule::OneTarget(&["selector", "targetRefs"]),
    Rule::OneOf(&["wasm", "lua"]),
    Rule::WasmOrLua,
]);

const FAIL_STRATEGY: Field = field(
    "failStrategy",
    word(&["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]),
);
const IMAGE_PULL_POLICY: Field = field(
    "imagePullPolicy",
    word(&["UNSPECIFIED_POLICY", "IfNotPresent", "Always"]),
);
const IMAGE_PULL_SECRET: Field = field("imagePullSecret", text(1, 253));
const PLUGIN_CONFIG: Field = field("pluginConfig", FREE);
const PLUGIN_NAME: Field = field("pluginName", text(1, 256));
const PRIORITY: Field = field("priority", INT32.or_null());
const SHA256: Field = field("sha256", formed(Pattern::Sha256, 0, ANY));
const TYPE: Field = field(
    "type",
    word(&["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"]),
);
const URL: Field = required("url", SOME_TEXT.with(&[Rule::Url]));
const VERIFICATION_KEY: Field = field("verificationKey", TEXT);
const VM_CONFIG: Field = field(
    "vmConfig",
    object(&[field(
        "env",
        list_by(
            "name",
            &object(&[
                required("name", text(1, 256)),
                field("value", text(0, 2048)),
                field("valueFrom", word(&["INLINE", "HOST"])),
            ])
            .with(&[Rule::EnvValue]),
            256,
        ),
    )]),
);
