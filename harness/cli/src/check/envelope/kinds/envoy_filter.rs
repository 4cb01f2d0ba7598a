//! [EnvoyFilter](https://istio.io/latest/docs/reference/config/networking/envoy-filter/).

use super::super::schema::{
    ANY, FREE, Field, INT32, Rule, Schema, TEXT, UINT32, field, list, map, object, word,
};
use super::common::{API_VERSION, KIND, METADATA, STATUS, TARGET_REFS, WORKLOAD_SELECTOR};

pub(super) const ENVOY_FILTER: Schema =
    object(&[API_VERSION, KIND, METADATA, field("spec", SPEC), STATUS]);

const SPEC: Schema = object(&[
    field("configPatches", list(&PATCH, ANY)),
    field("priority", INT32),
    TARGET_REFS,
    WORKLOAD_SELECTOR,
])
.with(&[Rule::OneTarget(&["workloadSelector", "targetRefs"])]);

const PATCH: Schema = object(&[
    field(
        "applyTo",
        word(&[
            "INVALID",
            "LISTENER",
            "FILTER_CHAIN",
            "NETWORK_FILTER",
            "HTTP_FILTER",
            "ROUTE_CONFIGURATION",
            "VIRTUAL_HOST",
            "HTTP_ROUTE",
            "CLUSTER",
            "EXTENSION_CONFIG",
            "BOOTSTRAP",
            "LISTENER_FILTER",
        ]),
    ),
    field("match", MATCH),
    field(
        "patch",
        object(&[
            field(
                "filterClass",
                word(&["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"]),
            ),
            field(
                "operation",
                word(&[
                    "INVALID",
                    "MERGE",
                    "ADD",
                    "REMOVE",
                    "INSERT_BEFORE",
                    "INSERT_AFTER",
                    "INSERT_FIRST",
                    "REPLACE",
                    "MERGE_AND_REPLACE_LIST",
                ]),
            ),
            field("value", FREE),
        ]),
    ),
])
.with(&[Rule::WholePatch, Rule::InstallingPatch]);

const MATCH: Schema = object(&[
    field(
        "cluster",
        object(&[
            NAME,
            PORT_NUMBER,
            field("service", TEXT),
            field("subset", TEXT),
        ]),
    ),
    field(
        "context",
        word(&[
            "ANY",
            "SIDECAR_INBOUND",
            "SIDECAR_OUTBOUND",
            "GATEWAY",
            "WAYPOINT",
        ]),
    ),
    field("listener", LISTENER),
    field(
        "proxy",
        object(&[
            field("metadata", map(&TEXT, ANY)),
            field("proxyVersion", TEXT),
        ]),
    ),
    field("routeConfiguration", ROUTE_CONFIGURATION),
    field(
        "waypoint",
        object(&[
            FILTER,
            field("portNumber", UINT32.with(&[Rule::WaypointPort])),
            field("route", object(&[NAME])),
        ]),
    ),
])
.with(&[
    Rule::OneOf(&["listener", "routeConfiguration", "cluster", "waypoint"]),
    Rule::WaypointContext,
]);

const LISTENER: Schema = object(&[
    field(
        "filterChain",
        object(&[
            field("applicationProtocols", TEXT),
            field("destinationPort", UINT32),
            FILTER,
            NAME,
            field("sni", TEXT),
            field("transportProtocol", TEXT),
        ]),
    ),
    field("listenerFilter", TEXT),
    NAME,
    field("portName", TEXT),
    PORT_NUMBER,
]);

const ROUTE_CONFIGURATION: Schema = object(&[
    field("gateway", TEXT),
    NAME,
    field("portName", TEXT),
    PORT_NUMBER,
    field(
        "vhost",
        object(&[
            field("domainName", TEXT),
            NAME,
            field(
                "route",
                object(&[
                    field(
                        "action",
                        word(&["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"]),
                    ),
                    NAME,
                ]),
            ),
        ]),
    ),
]);

const FILTER: Field = field(
    "filter",
    object(&[NAME, field("subFilter", object(&[NAME]))]),
);
const NAME: Field = field("name", TEXT);
const PORT_NUMBER: Field = field("portNumber", UINT32);
