//! The protobuf messages that Envoy has for some properties, built of the values that the caller has set below them.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as ProtobufValue};

use crate::value::Value;

/// The fields of `envoy.config.core.v3.Node` that a caller can set.
#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    cluster: String,
    #[prost(message, optional, tag = "3")]
    metadata: Option<Struct>,
    #[prost(message, optional, tag = "4")]
    locality: Option<Locality>,
    #[prost(string, tag = "6")]
    user_agent_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Locality {
    #[prost(string, tag = "1")]
    region: String,
    #[prost(string, tag = "2")]
    zone: String,
    #[prost(string, tag = "3")]
    sub_zone: String,
}

/// `envoy.config.core.v3.Metadata`.
#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(btree_map = "string, message", tag = "1")]
    filter_metadata: BTreeMap<String, Struct>,
}

/// A tree of the values below a path.
type Tree = BTreeMap<Vec<u8>, Value>;

/// Returns the bytes of the message at a path; `None` if Envoy has no message there, or none whose fields are known here.
pub(super) fn encode(path: &[&[u8]], tree: &Tree) -> Option<Vec<u8>> {
    match path {
        [b"xds", b"node"] => Some(node(tree).encode_to_vec()),
        [b"xds", b"node", b"locality"] | [b"upstream", b"locality"] => {
            Some(locality(tree).encode_to_vec())
        }
        [b"metadata"]
        | [
            b"xds",
            b"listener_metadata"
            | b"route_metadata"
            | b"cluster_metadata"
            | b"virtual_host_metadata"
            | b"upstream_host_metadata"
            | b"upstream_host_locality_metadata",
        ] => Some(metadata(tree).encode_to_vec()),
        _ => None,
    }
}

fn node(tree: &Tree) -> Node {
    Node {
        id: text(tree, "id"),
        cluster: text(tree, "cluster"),
        metadata: below(tree, "metadata").map(to_struct),
        locality: below(tree, "locality").map(locality),
        user_agent_name: text(tree, "user_agent_name"),
    }
}

fn locality(tree: &Tree) -> Locality {
    Locality {
        region: text(tree, "region"),
        zone: text(tree, "zone"),
        sub_zone: text(tree, "sub_zone"),
    }
}

fn metadata(tree: &Tree) -> Metadata {
    let namespaces = below(tree, "filter_metadata").into_iter().flatten();
    let as_struct = |(name, value): (&Vec<u8>, &Value)| match value {
        Value::Map(fields) => Some((lossy(name), to_struct(fields))),
        _ => None,
    };
    Metadata {
        filter_metadata: namespaces.filter_map(as_struct).collect(),
    }
}

fn text(tree: &Tree, name: &str) -> String {
    match tree.get(name.as_bytes()) {
        Some(Value::Bytes(bytes)) => lossy(bytes),
        _ => String::new(),
    }
}

fn below<'a>(tree: &'a Tree, name: &str) -> Option<&'a Tree> {
    match tree.get(name.as_bytes()) {
        Some(Value::Map(map)) => Some(map),
        _ => None,
    }
}

fn to_struct(tree: &Tree) -> Struct {
    let fields = tree.iter();
    Struct {
        fields: fields
            .map(|(name, value)| (lossy(name), to_value(value)))
            .collect(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers in a google.protobuf.Struct are doubles"
)]
fn to_value(value: &Value) -> ProtobufValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bytes(bytes) => Kind::StringValue(lossy(bytes)),
        Value::Int(number) => Kind::NumberValue(*number as f64),
        Value::Uint(number) => Kind::NumberValue(*number as f64),
        Value::Double(number) => Kind::NumberValue(*number),
        Value::Bool(truth) => Kind::BoolValue(*truth),
        Value::Map(map) => Kind::StructValue(to_struct(map)),
        Value::List(list) => Kind::ListValue(ListValue {
            values: list.iter().map(to_value).collect(),
        }),
    };
    ProtobufValue { kind: Some(kind) }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
