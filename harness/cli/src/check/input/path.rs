//! JSON paths in findings: `$.spec.match[0].headers["x-id"]`.

use std::fmt::Write;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::check) enum Segment {
    /// A key of an object.
    Key(String),
    /// A place in a list, counted from 0.
    Index(usize),
}

/// Adds a key to a path.
pub(in crate::check) fn push_key(path: &mut String, key: &str) {
    let is_plain = !key.is_empty()
        && key
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
    // Writing to a String cannot fail.
    let _ = match is_plain {
        true => write!(path, ".{key}"),
        false => write!(path, "[{key:?}]"),
    };
}

/// Adds a place in a list to a path.
pub(in crate::check) fn push_index(path: &mut String, index: usize) {
    let _ = write!(path, "[{index}]");
}

/// Returns the steps of a path, up to the first that cannot be read.
pub(in crate::check) fn segments(path: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    while let Some((segment, behind)) = first(rest) {
        segments.push(segment);
        rest = behind;
    }
    segments
}

fn first(path: &str) -> Option<(Segment, &str)> {
    if let Some(rest) = path.strip_prefix('.') {
        let (key, rest) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
        return Some((Segment::Key(key.to_owned()), rest));
    }
    let inside = path.strip_prefix('[')?;
    if let Some(text) = inside.strip_prefix('"') {
        let (key, rest) = quoted(text)?;
        return Some((Segment::Key(key), rest.strip_prefix(']')?));
    }
    let (index, rest) = inside.split_once(']')?;
    Some((Segment::Index(index.parse().ok()?), rest))
}

/// Reads text up to its closing quotation mark; escapes other than those of `"` and `\` are left as they are.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((key, text.get(at + 1..)?)),
            '\\' => match characters.next()?.1 {
                escaped @ ('"' | '\\' | '\'') => key.push(escaped),
                other => key.extend(['\\', other]),
            },
            _ => key.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Segment, push_index, push_key, segments};

    #[test]
    fn a_path_is_read_as_it_was_written() {
        let keys = ["spec", "team-*", "a.b[0]", "with \"quotes\" \\", "", "it's"];
        let mut path = String::from("$");
        let mut expected = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            push_key(&mut path, key);
            push_index(&mut path, index);
            expected.extend([Segment::Key((*key).to_owned()), Segment::Index(index)]);
        }
        assert_eq!(segments(&path), expected, "{path}");
        assert_eq!(segments("$"), []);
        assert_eq!(segments("$.a[x].b"), [Segment::Key("a".into())]);
    }
}
