//! Documents, built from a parser's events.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, ScalarStyle, Tag};

use super::frame::{Content, Frame, Key, Node, Pairs};
use super::reading::{Reading, Remark, Unreadable};
use crate::check::input::document::Document;
use crate::check::input::path::{push_index, push_key};
use crate::check::input::scalar::Scalar;

/// A reader of events.
#[derive(Default)]
pub(super) struct Builder {
    /// Documents and remarks so far.
    pub(super) reading: Reading,
    frames: Vec<Frame>,
    root: Option<Document>,
    anchors: HashMap<usize, Node>,
    /// Line of the present event.
    pub(super) line: usize,
    // Nodes that were read, and those among them that aliases repeat.
    read: usize,
    repeated: usize,
    anchored: usize,
}

impl Builder {
    /// Takes the next event.
    pub(super) fn take(&mut self, event: Event<'_>) -> Result<(), Unreadable> {
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::DocumentEnd => {
                let root = self.root.take().unwrap_or(Document::Null);
                self.reading.documents.push(root);
            }
            Event::Scalar(text, style, anchor, tag) => {
                return self.scalar(text, style, anchor, tag.as_deref());
            }
            Event::SequenceStart(_, anchor, _) => self.open(anchor, Content::List(Vec::new()))?,
            Event::MappingStart(_, anchor, _) => {
                self.open(anchor, Content::Object(Pairs::default()))?;
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(),
            Event::Alias(anchor) => return self.alias(anchor),
            _ => {}
        }
        Ok(())
    }

    fn fails<T>(&self, message: impl Into<String>) -> Result<T, Unreadable> {
        Err(Unreadable {
            line: Some(self.line),
            message: message.into(),
        })
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Unreadable> {
        let Some(scalar) = Scalar::of(&text, style, tag) else {
            return self.fails("expected a value of the type that its tag (!!…) names");
        };
        let weight = 1 + text.len() / TEXT_A_NODE;
        let line = self.line;
        if let Some(pairs) = self.expecting_key() {
            pairs.key_line = line;
            let is_merge = style == ScalarStyle::Plain && tag.is_none() && text == "<<";
            let key = scalar.key(&text);
            pairs.key = Some(match &key {
                _ if is_merge => Key::Merge,
                Some(key) => Key::Text(key.clone()),
                None => Key::Refused,
            });
            match key {
                None => self.refuse_key(),
                Some(key) if key != *text => self.changed_key(&text, scalar, &key),
                Some(_) => {}
            }
            self.read += weight;
            if anchor == 0 {
                return Ok(());
            }
            let value = scalar.value(text).unwrap_or(Document::Null);
            return self.keep(
                anchor,
                &Node {
                    value,
                    weight,
                    depth: 0,
                },
            );
        }
        let Some(value) = scalar.value(text) else {
            return self.fails("expected a finite number");
        };
        self.read += weight;
        self.add(
            anchor,
            Node {
                value,
                weight,
                depth: 0,
            },
        )
    }

    fn open(&mut self, anchor: usize, content: Content) -> Result<(), Unreadable> {
        if self.expecting_key().is_some() {
            return self.fails(
                "expected text as a key, found a list or an object; in a template of Helm's ({{ … }}), render it first",
            );
        }
        self.read += 1;
        self.frames.push(Frame {
            anchor,
            weight: 1,
            depth: 1,
            content,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Unreadable> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let value = match frame.content {
            Content::List(mut list) => {
                list.shrink_to_fit();
                Document::List(list)
            }
            Content::Object(Pairs { mut pairs, .. }) => {
                pairs.shrink_to_fit();
                Document::Object(pairs)
            }
        };
        let (weight, depth) = (frame.weight, frame.depth);
        self.add(
            frame.anchor,
            Node {
                value,
                weight,
                depth,
            },
        )
    }

    fn alias(&mut self, anchor: usize) -> Result<(), Unreadable> {
        let Some(node) = self.anchors.get(&anchor) else {
            return self.fails("an alias (*…) stands within what it repeats");
        };
        self.read += node.weight;
        self.repeated += node.weight;
        if is_excessive(self.read, self.repeated) {
            return self.fails(TOO_LARGE);
        }
        let node = node.clone();
        if let Some(pairs) = self.expecting_key() {
            let key = match &node.value {
                Document::String(text) => Some(text.clone()),
                Document::Boolean(_) | Document::Number(_) => Some(node.value.to_json()),
                _ => None,
            };
            let is_refused = key.is_none();
            pairs.key = Some(key.map_or(Key::Refused, Key::Text));
            if is_refused {
                self.refuse_key();
            }
            return Ok(());
        }
        self.add(0, node)
    }

    /// Returns the object whose next node is a key.
    fn expecting_key(&mut self) -> Option<&mut Pairs> {
        match self.frames.last_mut() {
            Some(Frame {
                content: Content::Object(pairs),
                ..
            }) if pairs.key.is_none() => Some(pairs),
            _ => None,
        }
    }

    /// Keeps a node for the aliases that may repeat it.
    fn keep(&mut self, anchor: usize, node: &Node) -> Result<(), Unreadable> {
        self.anchored += node.weight;
        if self.anchored > ANCHORED_FLOOR && self.anchored / 4 > self.read {
            return self.fails(TOO_LARGE);
        }
        self.anchors.insert(anchor, node.clone());
        Ok(())
    }

    /// Adds a complete node to the list or object around it.
    fn add(&mut self, anchor: usize, node: Node) -> Result<(), Unreadable> {
        if anchor != 0 {
            self.keep(anchor, &node)?;
        }
        if self.frames.len() + node.depth > MAX_DEPTH {
            return self.fails("nested too deep for any configuration");
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node.value);
            return Ok(());
        };
        frame.weight += node.weight;
        frame.depth = frame.depth.max(node.depth + 1);
        match &mut frame.content {
            Content::List(list) => list.push(node.value),
            Content::Object(pairs) => match pairs.key.take() {
                Some(Key::Text(key)) => {
                    let line = pairs.key_line;
                    if let Some(key) = pairs.insert(key, node.value, false) {
                        let path = self.path(Some(&key));
                        self.line = line;
                        self.refuse(path, "repeated key".into());
                    }
                }
                Some(Key::Merge) if !pairs.merge(node.value) => {
                    return self.fails("expected an object, an alias of one, or a list of them behind the merge key <<");
                }
                _ => {}
            },
        }
        Ok(())
    }

    fn refuse(&mut self, path: String, message: String) {
        let remark = self.remark(path, message);
        self.reading.refused.push(remark);
    }

    fn refuse_key(&mut self) {
        let path = self.path(None);
        self.refuse(
            path,
            "a key here is null, or no text, and Kubernetes refuses it; name it, or write it in quotes".into(),
        );
    }

    fn changed_key(&mut self, written: &str, scalar: Scalar, read: &str) {
        let kind = match scalar {
            Scalar::Boolean(_) => "boolean",
            _ => "number",
        };
        let path = self.path(Some(written));
        let message = format!(
            "Kubernetes reads this key as the {kind} {read}; write \"{written}\" in quotes"
        );
        let remark = self.remark(path, message);
        self.reading.changed.push(remark);
    }

    fn remark(&self, path: String, message: String) -> Remark {
        Remark {
            document: self.reading.documents.len() + 1,
            path,
            line: self.line,
            message,
        }
    }

    /// Returns the path of the innermost list or object, or of a key in it.
    fn path(&self, key: Option<&str>) -> String {
        let mut path = String::from("$");
        let outer = self.frames.len().saturating_sub(1);
        for frame in self.frames.iter().take(outer) {
            match &frame.content {
                Content::List(list) => push_index(&mut path, list.len()),
                Content::Object(pairs) => match &pairs.key {
                    Some(Key::Text(key)) => push_key(&mut path, key),
                    _ => push_key(&mut path, "<<"),
                },
            }
        }
        if let Some(key) = key {
            push_key(&mut path, key);
        }
        path
    }
}

/// Returns true if too much of what was read is repetition; go-yaml's `allowedAliasRatio`.
fn is_excessive(read: usize, repeated: usize) -> bool {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let all = read as f64;
    let position = ((all - LOW) / (HIGH - LOW)).clamp(0.0, 1.0);
    repeated > 100 && read > 1000 && repeated as f64 / all > 0.99 - 0.89 * position
}

/// Depth of lists and objects beyond any real document; serde_json's is 128.
pub(super) const MAX_DEPTH: usize = 512;
/// Length of a text that weighs as much as a node.
const TEXT_A_NODE: usize = 64;
/// Weight of anchored nodes that is never too much.
const ANCHORED_FLOOR: usize = 400_000;
const TOO_LARGE: &str = "too large: what its aliases (*…) repeat is many times the text, and kubectl refuses it too; write it out";
