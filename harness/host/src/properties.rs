//! Properties that the caller sets: a tree of typed values, read by paths of segments.
//!
//! Properties that Envoy derives from the stream itself (`request.path`, `response.code`) are not kept here but computed
//! when a guest asks (`stream/derived_properties.rs`). A value set here wins over a derived value.

mod messages;

use std::collections::BTreeMap;

use crate::value::Value;

/// The path of a property: segments from the root of the tree.
///
/// Text is split at dots; a list of segments is taken as it is, because a segment may have dots of its own.
///
/// ```
/// use sidespan_host::Path;
///
/// assert_eq!(Path::from("xds.node.id"), Path::from(["xds", "node", "id"]));
/// assert_ne!(Path::from("metadata.filter_metadata.envoy.lb"), Path::from(["metadata", "filter_metadata", "envoy.lb"]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Vec<u8>>);

impl Path {
    pub(crate) fn starts_with(&self, segment: &str) -> bool {
        self.0
            .first()
            .is_some_and(|first| first == segment.as_bytes())
    }
}

impl From<&str> for Path {
    fn from(dotted: &str) -> Self {
        Self(
            dotted
                .split('.')
                .map(|segment| segment.as_bytes().to_vec())
                .collect(),
        )
    }
}

impl From<&[&str]> for Path {
    fn from(segments: &[&str]) -> Self {
        Self(
            segments
                .iter()
                .map(|segment| segment.as_bytes().to_vec())
                .collect(),
        )
    }
}

impl<const COUNT: usize> From<[&str; COUNT]> for Path {
    fn from(segments: [&str; COUNT]) -> Self {
        Self::from(&segments[..])
    }
}

/// A tree of property values.
#[derive(Clone, Debug, Default)]
pub struct Properties(BTreeMap<Path, Value>);

/// The result of a search for a property.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    Value(Value),
    /// No value stands at the path but some below it, where Envoy has nothing that could be written.
    Message,
    Nothing,
}

impl Properties {
    /// Sets the value at a path, in place of an earlier value.
    pub fn set(&mut self, path: impl Into<Path>, value: impl Into<Value>) {
        self.0.insert(path.into(), value.into());
    }

    /// Returns the values below a path.
    pub(crate) fn below(&self, path: &[&[u8]]) -> BTreeMap<Vec<u8>, Value> {
        let owned = Path(path.iter().map(|segment| segment.to_vec()).collect());
        let below = self.0.range(&owned..);
        let mut tree = BTreeMap::new();
        for (key, value) in below.take_while(|(key, _)| key.0.starts_with(&owned.0)) {
            insert(&mut tree, &key.0[path.len()..], value);
        }
        tree
    }

    /// Finds the value at a path: a value that was set, a part of one, or the map of all values below the path.
    pub(crate) fn find(&self, path: &[&[u8]]) -> Found {
        if self.0.is_empty() {
            return Found::Nothing;
        }
        let owned = Path(path.iter().map(|segment| segment.to_vec()).collect());
        for length in (1..=path.len()).rev() {
            let ancestor = Path(owned.0[..length].to_vec());
            if let Some(value) = self
                .0
                .get(&ancestor)
                .and_then(|value| value.walk(&path[length..]))
            {
                return Found::Value(value.clone());
            }
        }
        let tree = self.below(path);
        if tree.is_empty() {
            Found::Nothing
        } else if is_struct(path) {
            Found::Value(Value::Map(tree))
        } else {
            messages::encode(path, &tree)
                .map_or(Found::Message, |bytes| Found::Value(Value::Bytes(bytes)))
        }
    }
}

/// Returns true if Envoy answers with a map at this path, as it does below a `google.protobuf.Struct` such as metadata.
fn is_struct(path: &[&[u8]]) -> bool {
    path.starts_with(&[b"xds", b"node", b"metadata"])
        || (path.len() > 2 && path.contains(&&b"filter_metadata"[..]))
}

fn insert(tree: &mut BTreeMap<Vec<u8>, Value>, path: &[Vec<u8>], value: &Value) {
    match path {
        [] => {}
        [last] => {
            tree.insert(last.clone(), value.clone());
        }
        [first, rest @ ..] => {
            let branch = tree
                .entry(first.clone())
                .or_insert_with(|| Value::Map(BTreeMap::new()));
            if let Value::Map(branch) = branch {
                insert(branch, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Properties {
        let mut properties = Properties::default();
        properties.set("xds.node.id", "sidecar~1");
        properties.set("xds.node.metadata.NAMESPACE", "payments");
        properties.set(
            [
                "xds",
                "node",
                "metadata",
                "LABELS",
                "app.kubernetes.io/name",
            ],
            "cart",
        );
        properties
    }

    #[test]
    fn finds_a_value_by_its_path() {
        assert_eq!(
            sample().find(&[b"xds", b"node", b"id"]),
            Found::Value("sidecar~1".into())
        );
        let label: &[&[u8]] = &[
            b"xds",
            b"node",
            b"metadata",
            b"LABELS",
            b"app.kubernetes.io/name",
        ];
        assert_eq!(sample().find(label), Found::Value("cart".into()));
    }

    #[test]
    fn finds_the_map_of_everything_below_metadata() {
        let found = sample().find(&[b"xds", b"node", b"metadata", b"LABELS"]);
        let labels = BTreeMap::from([(b"app.kubernetes.io/name".to_vec(), Value::from("cart"))]);
        assert_eq!(found, Found::Value(Value::Map(labels)));
    }

    #[test]
    fn makes_messages_of_what_is_set_below_them() {
        let mut properties = Properties::default();
        properties.set("xds.node.id", "n");
        properties.set("xds.node.metadata.K", "v");
        properties.set("xds.node.locality.zone", "z");
        let node = b"\x0a\x01n\x1a\x0a\x0a\x08\x0a\x01K\x12\x03\x1a\x01v\x22\x03\x12\x01z";
        let found = properties.find(&[b"xds", b"node"]);
        assert_eq!(found, Found::Value(Value::from(&node[..])));
        properties.set(["metadata", "filter_metadata", "ns", "K"], 2.0);
        let metadata = b"\x0a\x16\x0a\x02ns\x12\x10\x0a\x0e\x0a\x01K\x12\x09\x11\0\0\0\0\0\0\0\x40";
        let found = properties.find(&[b"metadata"]);
        assert_eq!(found, Found::Value(Value::from(&metadata[..])));
        assert_eq!(properties.find(&[b"xds"]), Found::Message);
    }

    #[test]
    fn finds_nothing_beside_below_and_above() {
        for path in [
            &[&b"xds"[..], b"route_name"][..],
            &[b"xds", b"node", b"id", b"x"],
            &[b"xd"],
        ] {
            assert_eq!(sample().find(path), Found::Nothing);
        }
    }
}
