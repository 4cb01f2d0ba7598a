//! The patterns of the configuration, in which `*` is any run of characters, also an empty one, and the templates of
//! paths, in which `{name}` is one segment that is not empty.
//!
//! A pattern matches the whole value, and upper and lower case differ: `pay*` matches `pay` and `payments`, neither
//! `Pay` nor `repay`. The parts between stars are searched from left to right and never again, so the time grows with
//! the length of the value, never exponentially. Values are bytes, because header values need not be UTF-8.
//!
//! Not the crate `wildmatch`, because it compares text, and gives `?` a meaning that patterns here do not have.

use crate::codec::scan;
use alloc::string::String;

/// A pattern that is compared with every request, with the length of the text before its first star.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    pattern: String,
    // The invariant is `prefix <= pattern.len()`.
    prefix: usize,
}

impl Glob {
    #[inline]
    pub(crate) fn new(pattern: &str) -> Self {
        Self {
            pattern: pattern.into(),
            prefix: pattern.find('*').unwrap_or(pattern.len()),
        }
    }

    /// Returns true if the pattern matches the whole value; nearly always the first byte already decides.
    #[inline]
    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        let Some((prefix, rest)) = self.pattern.as_bytes().split_at_checked(self.prefix) else {
            return false;
        };
        match rest {
            [] => value.len() == prefix.len() && prefix.first() == value.first() && prefix == value,
            _ if prefix
                .first()
                .is_some_and(|first| value.first() != Some(first)) =>
            {
                false
            }
            [_] => value.starts_with(prefix),
            _ => matches(&self.pattern, value),
        }
    }
}

/// Returns true if the pattern matches the whole value.
#[inline]
pub fn matches(pattern: &str, value: &[u8]) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern.as_bytes() == value;
    };
    let Some(mut value) = value.strip_prefix(first.as_bytes()) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match after(value, part) {
            Some(rest) => value = rest,
            None => return false,
        }
    }
    value.ends_with(last.as_bytes())
}

/// Returns true if the template matches the whole path. Parameters of a segment (`orders;v=1`, RFC 3986, section 3.3) are
/// no part of its name, because the frameworks that know them choose a route without them.
#[inline]
pub fn template_matches(template: &str, path: &[u8]) -> bool {
    let mut segments = scan::split(path, b'/');
    let name = |segment: &'_ [u8]| scan::position(segment, b';').unwrap_or(segment.len());
    let is_like = |part: &str, segment: &[u8]| match part.starts_with('{') {
        true => name(segment) > 0,
        false => {
            part.as_bytes() == segment || segment.get(..name(segment)) == Some(part.as_bytes())
        }
    };
    template
        .split('/')
        .all(|part| segments.next().is_some_and(|found| is_like(part, found)))
        && segments.next().is_none()
}

/// Returns the number of a pattern's characters that are no stars, which says how exact the pattern is.
pub fn literal_characters(pattern: &str) -> usize {
    pattern
        .chars()
        .filter(|character| *character != '*')
        .count()
}

/// Returns the bytes behind the first occurrence of the part.
#[inline]
fn after<'a>(value: &'a [u8], part: &str) -> Option<&'a [u8]> {
    let at = scan::find(value, part.as_bytes())?;
    value.get(at.saturating_add(part.len())..)
}

#[cfg(test)]
mod tests {
    use super::{Glob, literal_characters, matches, template_matches};
    use alloc::string::String;
    use alloc::vec::Vec;

    #[test]
    fn describes_the_whole_value() {
        for (pattern, value, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything at all", true),
            ("**", "", true),
            ("pay", "pay", true),
            ("pay", "payments", false),
            ("pay", "Pay", false),
            ("pay*", "pay", true),
            ("pay*", "payments", true),
            ("pay*", "repay", false),
            ("*pay", "repay", true),
            ("*pay", "repays", false),
            ("*pay*", "repays", true),
            ("a*b", "ab", true),
            ("a*b", "a", false),
            ("a*a", "a", false),
            ("ab*ba", "aba", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abcbc", true),
            ("a*b*c", "acb", false),
            ("*ab*ab*", "abab", true),
            ("*ab*ab*", "aba", false),
            ("a?c", "abc", false),
            ("[ab]", "a", false),
            ("é*", "ecole", false),
            ("é*", "été", true),
        ] {
            assert_eq!(
                matches(pattern, value.as_bytes()),
                expected,
                "{pattern} against {value}"
            );
        }
    }

    #[test]
    fn finds_parts_between_bytes_that_are_not_utf8() {
        assert!(matches("*é*z", b"\xff\xc3\xc3\xa9\xe2\x82z"));
        assert!(matches("*", b"\xff"));
        assert!(matches("\u{0}*", b"\x00\xff"));
        assert!(!matches("*a*", b"\xff\xfe"));
        assert!(!matches("*é*", b"\xc3 \xa9"));
    }

    /// A simple matcher that tries everything, as the model.
    fn model(pattern: &[u8], value: &[u8]) -> bool {
        match (pattern, value) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=value.len()).any(|at| model(rest, &value[at..])),
            ([first, rest @ ..], [found, behind @ ..]) => first == found && model(rest, behind),
            _ => false,
        }
    }

    #[test]
    fn agrees_with_the_model_on_all_short_words() {
        let words = |letters: &[u8], longest: u32| {
            let mut words: Vec<String> = Vec::new();
            for length in 0..=longest {
                for number in 0..letters.len().pow(length) {
                    let letter = |place| letters[number / letters.len().pow(place) % letters.len()];
                    words.push((0..length).map(|place| char::from(letter(place))).collect());
                }
            }
            words
        };
        let values = words(b"ab", 6);
        for pattern in words(b"ab*", 5) {
            for value in &values {
                let expected = model(pattern.as_bytes(), value.as_bytes());
                assert_eq!(
                    matches(&pattern, value.as_bytes()),
                    expected,
                    "{pattern} against {value}"
                );
                assert_eq!(
                    Glob::new(&pattern).matches(value.as_bytes()),
                    expected,
                    "{pattern} against {value}"
                );
            }
        }
    }

    #[test]
    fn is_fast_where_backtracking_is_not() {
        let pattern = "*a".repeat(64) + "*b";
        let value = "a".repeat(60_000);
        assert!(!matches(&pattern, value.as_bytes()));
    }

    #[test]
    fn a_template_describes_the_whole_path_segment_by_segment() {
        for (template, path, expected) in [
            ("/orders/{id}", "/orders/7", true),
            ("/orders/{id}", "/orders/{id}", true),
            ("/orders/{id}", "/orders/%2F", true),
            ("/orders/{id}", "/orders/", false),
            ("/orders/{id}", "/orders", false),
            ("/orders/{id}", "/orders/7/", false),
            ("/orders/{id}", "/orders/7/items", false),
            ("/orders/{id}", "/Orders/7", false),
            ("/orders/{id}", "orders/7", false),
            ("/orders/{id}", "/a/orders/7", false),
            ("/orders/{id}", "", false),
            ("/orders/{id}/items/{item}", "/orders/7/items/8", true),
            ("/orders/{id}/items/{item}", "/orders/7/items/", false),
            ("/orders/{id}/items/{item}", "/orders//items/8", false),
            ("/{any}", "/x", true),
            ("/{any}", "/", false),
            ("/", "/", true),
            ("/orders/{id}", "/orders;v=1/7", true),
            ("/orders/{id}", "/orders;v=1/7;x=2", true),
            ("/orders/{id}", "/orders/;x=2", false),
            ("/orders;v=1/{id}", "/orders;v=1/7", true),
            ("/orders;v=1/{id}", "/orders/7", false),
        ] {
            assert_eq!(
                template_matches(template, path.as_bytes()),
                expected,
                "{template} against {path}"
            );
        }
        assert!(template_matches("/{any}", b"/\xff"));
    }

    #[test]
    fn counts_characters_and_not_bytes() {
        assert_eq!(literal_characters("é*e**"), 2);
        assert_eq!(literal_characters("*"), 0);
    }
}
