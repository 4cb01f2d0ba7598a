//! Properties that the caller sets: a tree of typed values, read by paths of segments.
//!
//! Properties that Envoy derives from the stream itself (`request.path`, `response.code`) are not kept here but computed
//! when a guest asks (`stream/derived_properties.rs`). A value set here wins over a derived value.

mod messages;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

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
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(
    /// The segments, each with a NUL behind it, so that paths below a path stand right behind it in the order of bytes.
    Vec<u8>,
);

impl Path {
    pub(crate) fn starts_with(&self, segment: &str) -> bool {
        self.rest_below(&[segment.as_bytes()]).is_some()
    }

    /// Returns what stands behind these segments; `None` if the path does not begin with them.
    fn rest_below(&self, segments: &[&[u8]]) -> Option<&[u8]> {
        let mut rest = &self.0[..];
        for segment in segments {
            rest = rest.strip_prefix(*segment)?.strip_prefix(b"\0")?;
        }
        Some(rest)
    }

    /// Compares with the path of these segments, which is not made for it.
    fn cmp_segments(&self, segments: &[&[u8]]) -> Ordering {
        let mut rest = &self.0[..];
        for segment in segments {
            let (head, tail) = rest.split_at(rest.len().min(segment.len()));
            match head.cmp(segment) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
            match tail.split_first() {
                Some((0, tail)) => rest = tail,
                Some(_) => return Ordering::Greater,
                None => return Ordering::Less,
            }
        }
        if rest.is_empty() {
            Ordering::Equal
        } else {
            Ordering::Greater
        }
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments = self.0.strip_suffix(b"\0").unwrap_or_default();
        let segments = segments.split(|byte| *byte == 0);
        formatter
            .debug_list()
            .entries(segments.map(String::from_utf8_lossy))
            .finish()
    }
}

impl From<&str> for Path {
    fn from(dotted: &str) -> Self {
        let mut bytes = Vec::with_capacity(dotted.len() + 1);
        bytes.extend_from_slice(dotted.as_bytes());
        for byte in &mut bytes {
            if *byte == b'.' {
                *byte = 0;
            }
        }
        bytes.push(0);
        Self(bytes)
    }
}

impl From<&[&str]> for Path {
    fn from(segments: &[&str]) -> Self {
        let mut bytes = Vec::with_capacity(segments.iter().map(|segment| segment.len() + 1).sum());
        for segment in segments {
            bytes.extend_from_slice(segment.as_bytes());
            bytes.push(0);
        }
        Self(bytes)
    }
}

impl<const COUNT: usize> From<[&str; COUNT]> for Path {
    fn from(segments: [&str; COUNT]) -> Self {
        Self::from(&segments[..])
    }
}

/// The segments of a path that a guest asks for, borrowed, and on the stack as long as there are few.
pub(crate) enum Segments<'a> {
    Few([&'a [u8]; FEW], usize),
    Many(Vec<&'a [u8]>),
}

/// No attribute of Envoy is deeper than this but what is below metadata.
const FEW: usize = 6;

impl<'a> Segments<'a> {
    pub(crate) fn as_slice(&self) -> &[&'a [u8]] {
        match self {
            Self::Few(segments, count) => &segments[..*count],
            Self::Many(segments) => segments,
        }
    }
}

impl<'a> FromIterator<&'a [u8]> for Segments<'a> {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(all: I) -> Self {
        let mut all = all.into_iter();
        let mut segments: [&[u8]; FEW] = [&[]; FEW];
        let mut count = 0;
        while let Some(segment) = all.next() {
            if count == FEW {
                let more = segments.into_iter().chain([segment]).chain(all);
                return Self::Many(more.collect());
            }
            segments[count] = segment;
            count += 1;
        }
        Self::Few(segments, count)
    }
}

/// A tree of property values: the paths in order, so that what is below a path is a part of the list.
#[derive(Clone, Debug, Default)]
pub struct Properties(Vec<(Path, Value)>);

/// The result of a search for a property.
#[derive(Debug, PartialEq)]
pub(crate) enum Found<'a> {
    Value(Cow<'a, Value>),
    /// No value stands at the path but some below it, where Envoy has nothing that could be written.
    Message,
    Nothing,
}

impl Properties {
    /// Sets the value at a path, in place of an earlier value.
    pub fn set(&mut self, path: impl Into<Path>, value: impl Into<Value>) {
        let (path, value) = (path.into(), value.into());
        match self.0.binary_search_by(|(known, _)| known.cmp(&path)) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (path, value)),
        }
    }

    /// Returns the values below a path.
    pub(crate) fn below(&self, path: &[&[u8]]) -> BTreeMap<Vec<u8>, Value> {
        let mut tree = BTreeMap::new();
        let first = self.place(path);
        for (key, value) in &self.0[first..] {
            let Some(rest) = key.rest_below(path) else {
                break;
            };
            if let Some(rest) = rest.strip_suffix(b"\0") {
                insert(&mut tree, rest, value);
            }
        }
        tree
    }

    /// Finds the value at a path: a value that was set, a part of one, or the map of all values below the path.
    pub(crate) fn find(&self, path: &[&[u8]]) -> Found<'_> {
        let Some(root) = path.first().filter(|_| !self.0.is_empty()) else {
            return Found::Nothing;
        };
        if let Some(value) = self.get(path) {
            return Found::Value(Cow::Borrowed(value));
        }
        // Most of what is asked for was never set, and neither was anything near it.
        let root = [*root];
        let first = self.place(&root);
        let nearest = self
            .0
            .get(first)
            .and_then(|(known, _)| known.rest_below(&root));
        if nearest.is_none() {
            return Found::Nothing;
        }
        for length in (1..path.len()).rev() {
            let (ancestor, rest) = path.split_at(length);
            if let Some(value) = self.get(ancestor).and_then(|value| value.walk(rest)) {
                return Found::Value(Cow::Borrowed(value));
            }
        }
        let tree = self.below(path);
        if tree.is_empty() {
            Found::Nothing
        } else if is_struct(path) {
            Found::Value(Cow::Owned(Value::Map(tree)))
        } else {
            messages::encode(path, &tree).map_or(Found::Message, |bytes| {
                Found::Value(Cow::Owned(Value::Bytes(bytes)))
            })
        }
    }

    /// Returns the place of a path in the list, or where it would be.
    fn place(&self, path: &[&[u8]]) -> usize {
        self.0
            .partition_point(|(known, _)| known.cmp_segments(path).is_lt())
    }

    fn get(&self, path: &[&[u8]]) -> Option<&Value> {
        let at = self
            .0
            .binary_search_by(|(known, _)| known.cmp_segments(path))
            .ok()?;
        Some(&self.0[at].1)
    }
}

/// Returns true if Envoy answers with a map at this path, as it does below a `google.protobuf.Struct` such as metadata.
fn is_struct(path: &[&[u8]]) -> bool {
    path.starts_with(&[b"xds", b"node", b"metadata"])
        || (path.len() > 2 && path.contains(&&b"filter_metadata"[..]))
}

/// Inserts a value at a path of segments with a NUL between them.
fn insert(tree: &mut BTreeMap<Vec<u8>, Value>, path: &[u8], value: &Value) {
    let Some(end) = path.iter().position(|byte| *byte == 0) else {
        tree.insert(path.to_vec(), value.clone());
        return;
    };
    let branch = tree
        .entry(path[..end].to_vec())
        .or_insert_with(|| Value::Map(BTreeMap::new()));
    if let Value::Map(branch) = branch {
        insert(branch, &path[end + 1..], value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(value: Value) -> Found<'static> {
        Found::Value(Cow::Owned(value))
    }

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
            value("sidecar~1".into())
        );
        let label: &[&[u8]] = &[
            b"xds",
            b"node",
            b"metadata",
            b"LABELS",
            b"app.kubernetes.io/name",
        ];
        assert_eq!(sample().find(label), value("cart".into()));
    }

    #[test]
    fn finds_the_map_of_everything_below_metadata() {
        let sample = sample();
        let found = sample.find(&[b"xds", b"node", b"metadata", b"LABELS"]);
        let labels = BTreeMap::from([(b"app.kubernetes.io/name".to_vec(), Value::from("cart"))]);
        assert_eq!(found, value(Value::Map(labels)));
    }

    #[test]
    fn makes_messages_of_what_is_set_below_them() {
        let mut properties = Properties::default();
        properties.set("xds.node.id", "n");
        properties.set("xds.node.metadata.K", "v");
        properties.set("xds.node.locality.zone", "z");
        let node = b"\x0a\x01n\x1a\x0a\x0a\x08\x0a\x01K\x12\x03\x1a\x01v\x22\x03\x12\x01z";
        let found = properties.find(&[b"xds", b"node"]);
        assert_eq!(found, value(Value::from(&node[..])));
        properties.set(["metadata", "filter_metadata", "ns", "K"], 2.0);
        let metadata = b"\x0a\x16\x0a\x02ns\x12\x10\x0a\x0e\x0a\x01K\x12\x09\x11\0\0\0\0\0\0\0\x40";
        let found = properties.find(&[b"metadata"]);
        assert_eq!(found, value(Value::from(&metadata[..])));
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

    #[test]
    fn orders_paths_by_their_segments() {
        let path = |segments: &[&str]| Path::from(segments);
        let sorted = [
            path(&["a"]),
            path(&["a", "b"]),
            path(&["a", "b", "c"]),
            path(&["a", "c"]),
            path(&["a!"]),
            path(&["ab"]),
        ];
        for (place, one) in sorted.iter().enumerate() {
            for (other_place, other) in sorted.iter().enumerate() {
                let segments: Vec<&[u8]> = other.0[..other.0.len() - 1]
                    .split(|byte| *byte == 0)
                    .collect();
                let expected = place.cmp(&other_place);
                assert_eq!(one.cmp_segments(&segments), expected, "{one:?} {other:?}");
                assert_eq!(one.cmp(other), expected, "{one:?} {other:?}");
            }
        }
    }
}
