//! The walk: which of the wanted paths lead through the list or object that is being read.

use std::collections::HashMap;

use crate::check::input::path::Segment;

/// The place of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::check) struct Located {
    /// Line of the key or entry, or of the innermost list or object that is there; counted from 1.
    pub(in crate::check) line: Option<usize>,
    /// The resource around the path: `WasmPlugin shop/sidespan-cart`.
    pub(in crate::check) resource: Option<String>,
}

/// A walk through a text.
pub(super) struct Walk {
    wanted: Vec<Wanted>,
    // The numbers of the paths in each document.
    documents: HashMap<usize, Vec<usize>>,
    frames: Vec<Frame>,
    document: usize,
    // Lists and objects that no wanted path leads through, around the present place.
    passed: usize,
}

struct Wanted {
    segments: Vec<Segment>,
    found: Located,
}

/// A list or object that wanted paths lead through, or the metadata of one.
#[derive(Default)]
struct Frame {
    is_object: bool,
    is_metadata: bool,
    active: Vec<usize>,
    // The same by their next step, because a list may be as long as the list of findings.
    next: HashMap<Segment, Vec<usize>>,
    key: Option<String>,
    key_line: usize,
    index: usize,
    kind: String,
    namespace: String,
    name: String,
}

impl Walk {
    pub(super) fn new(wanted: Vec<(usize, Vec<Segment>)>) -> Self {
        let mut documents = HashMap::<_, Vec<_>>::new();
        for (number, (document, _)) in wanted.iter().enumerate() {
            documents.entry(*document).or_default().push(number);
        }
        let wanted = wanted.into_iter().map(|(_, segments)| Wanted {
            segments,
            found: Located::default(),
        });
        Self {
            wanted: wanted.collect(),
            documents,
            frames: Vec::new(),
            document: 0,
            passed: 0,
        }
    }

    pub(super) fn finish(self) -> Vec<Located> {
        self.wanted.into_iter().map(|wanted| wanted.found).collect()
    }

    pub(super) fn start_document(&mut self) {
        self.document += 1;
        self.frames.clear();
        self.passed = 0;
    }

    /// Returns true if the next node is a key that matters.
    pub(super) fn expects_key(&self) -> bool {
        self.passed == 0
            && self
                .frames
                .last()
                .is_some_and(|frame| frame.is_object && frame.key.is_none())
    }

    pub(super) fn place(&mut self, number: usize, line: usize) {
        if let Some(wanted) = self.wanted.get_mut(number) {
            wanted.found.line = Some(line);
        }
    }

    pub(super) fn open(&mut self, is_object: bool, line: usize) {
        if self.passed > 0 || self.expects_key() {
            self.passed += 1;
            return;
        }
        let is_metadata = self.frames.last().is_some_and(|frame| {
            !frame.is_metadata && frame.key.as_deref() == Some("metadata") && is_object
        });
        let active = self.enter(line);
        if active.is_empty() && !is_metadata {
            self.passed = 1;
            return;
        }
        let depth = self.frames.len();
        let mut next = HashMap::<_, Vec<_>>::new();
        for number in &active {
            if let Some(segment) = self
                .wanted
                .get(*number)
                .and_then(|wanted| wanted.segments.get(depth))
            {
                next.entry(segment.clone()).or_default().push(*number);
            }
        }
        self.frames.push(Frame {
            is_object,
            is_metadata,
            active,
            next,
            ..Frame::default()
        });
    }

    pub(super) fn close(&mut self) {
        if self.passed > 0 {
            self.passed -= 1;
            if self.passed == 0 {
                self.leave();
            }
            return;
        }
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let outer = self.frames.last_mut();
        if let (true, Some(outer)) = (frame.is_metadata, outer) {
            outer.namespace = frame.namespace;
            outer.name = frame.name;
        } else if !frame.kind.is_empty() && !frame.name.is_empty() {
            let slash = if frame.namespace.is_empty() { "" } else { "/" };
            let resource = format!("{} {}{slash}{}", frame.kind, frame.namespace, frame.name);
            for number in frame.active {
                if let Some(wanted) = self.wanted.get_mut(number) {
                    wanted
                        .found
                        .resource
                        .get_or_insert_with(|| resource.clone());
                }
            }
        }
        self.leave();
    }

    /// Takes a scalar, and returns the rest of the paths that lead into it, each with its number.
    pub(super) fn text(&mut self, text: &str, line: usize) -> Vec<(usize, Vec<Segment>)> {
        if self.passed > 0 {
            return Vec::new();
        }
        if self.expects_key() {
            if let Some(frame) = self.frames.last_mut() {
                frame.key = Some(text.to_owned());
                frame.key_line = line;
            }
            return Vec::new();
        }
        let active = self.enter(line);
        if let Some(frame) = self.frames.last_mut() {
            match (frame.is_metadata, frame.key.as_deref()) {
                (false, Some("kind")) => text.clone_into(&mut frame.kind),
                (true, Some("name")) => text.clone_into(&mut frame.name),
                (true, Some("namespace")) => text.clone_into(&mut frame.namespace),
                _ => {}
            }
        }
        let depth = self.frames.len();
        self.leave();
        let rest = active.into_iter().filter_map(|number| {
            let rest = self.wanted.get(number)?.segments.get(depth..)?;
            (!rest.is_empty()).then(|| (number, rest.to_vec()))
        });
        rest.collect()
    }

    /// Returns the numbers of the paths that lead to the node that begins here, and places them.
    fn enter(&mut self, line: usize) -> Vec<usize> {
        let (active, line) = match self.frames.last_mut() {
            None => (self.documents.remove(&self.document), line),
            Some(frame) if frame.is_object => {
                let key = Segment::Key(frame.key.clone().unwrap_or_default());
                // A key may be repeated, and the later one is then the finding's.
                (frame.next.get(&key).cloned(), frame.key_line)
            }
            Some(frame) => (frame.next.remove(&Segment::Index(frame.index)), line),
        };
        let active = active.unwrap_or_default();
        for number in &active {
            self.place(*number, line);
        }
        active
    }

    /// Ends a node: the next one in an object is a key, that in a list has the next place.
    fn leave(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.key = None;
            frame.index += 1;
        }
    }
}
