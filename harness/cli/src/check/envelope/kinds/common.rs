//! Parts that several kinds share: metadata, the choice of workloads, the choice of ports.

use super::super::schema::{
    ANY, FREE, Field, INT32, Pattern, Rule, SOME_TEXT, Schema, TEXT, field, formed, integer, list,
    list_by, map, object, required, text, word,
};

pub(super) const API_VERSION: Field = field("apiVersion", TEXT);
pub(super) const KIND: Field = field("kind", TEXT);
pub(super) const STATUS: Field = field("status", FREE);

/// [ObjectMeta](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/), as far as people
/// write it.
pub(super) const METADATA: Field = field(
    "metadata",
    object(&[
        field("annotations", map(&TEXT, ANY)),
        field("creationTimestamp", TEXT),
        field("deletionGracePeriodSeconds", INT32),
        field("deletionTimestamp", TEXT),
        field("finalizers", list(&TEXT, ANY)),
        field("generateName", TEXT),
        field("generation", integer(0, i64::MAX)),
        field("labels", map(&text(0, 63), ANY)),
        field("managedFields", list(&FREE, ANY)),
        field("name", formed(Pattern::ResourceName, 1, 253)),
        field("namespace", text(0, 63)),
        field("ownerReferences", list(&FREE, ANY)),
        field("resourceVersion", TEXT),
        field("selfLink", TEXT),
        field("uid", TEXT),
    ]),
);

const LABEL: Schema = text(0, 63).with(&[Rule::NoWildcard]);

pub(super) const SELECTOR: Field = field(
    "selector",
    object(&[field(
        "matchLabels",
        map(&LABEL, 4096).with(&[Rule::NoWildcardKey, Rule::NoEmptyKey]),
    )]),
);

pub(super) const WORKLOAD_SELECTOR: Field = field(
    "workloadSelector",
    object(&[field("labels", map(&LABEL, 256))]),
);

const TARGET: Schema = object(&[
    field("group", formed(Pattern::Group, 0, 253)),
    required("kind", formed(Pattern::Kind, 1, 63)),
    required("name", text(1, 253)),
    field("namespace", TEXT.with(&[Rule::OwnNamespace])),
])
.with(&[Rule::TargetKind]);

pub(super) const TARGET_REF: Field = field("targetRef", TARGET);
pub(super) const TARGET_REFS: Field = field("targetRefs", list(&TARGET, 16));

/// The requests of an extension: sides and ports.
pub(super) const TRAFFIC: Field = field(
    "match",
    list(
        &object(&[
            field(
                "mode",
                word(&["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"]),
            ),
            field(
                "ports",
                list_by(
                    "number",
                    &object(&[required("number", integer(1, 65535))]),
                    ANY,
                ),
            ),
        ]),
        ANY,
    ),
);

/// The side of a workload in a Telemetry.
pub(super) const MODE: Field = field("mode", word(&["CLIENT_AND_SERVER", "CLIENT", "SERVER"]));

/// Names of entries of MeshConfig's `extensionProviders`.
pub(super) const PROVIDERS: Field = field(
    "providers",
    list(&object(&[required("name", SOME_TEXT)]), ANY),
);
