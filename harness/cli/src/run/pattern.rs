//! Text patterns of a scenario, with names for values that are not known beforehand.
//!
//! ```text
//! 00-{trace}-{span}-01     {name} is a run of letters and digits; the first one found is remembered, and from then
//!                          on the name stands for exactly that
//! 00-*-*-01                * is anything, also nothing
//! {{, }}, {*}              the characters {, } and * themselves
//! ```
//!
//! In a request the same text is filled in: every name must be known, and `*` has no meaning there.
//!
//! Written here because a scenario's names are captured once and must then recur, and globs have no names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// The names of a scenario, and their values so far.
pub(super) type Known = BTreeMap<String, String>;

/// A text with names and stars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Anything,
    Name(String),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A message on what is wrong with the braces, and the cure.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        while let Some(character) = rest.chars().next() {
            let (part, length) = match character {
                '{' if rest.starts_with("{{") => (Part::Literal("{".into()), 2),
                '{' if rest.starts_with("{*}") => (Part::Literal("*".into()), 3),
                '}' if rest.starts_with("}}") => (Part::Literal("}".into()), 2),
                '{' => {
                    let name = rest[1..].split('}').next().unwrap_or_default();
                    let is_name = name
                        .chars()
                        .all(|letter| letter.is_alphanumeric() || letter == '_');
                    if name.is_empty() || !is_name || !rest[1..].contains('}') {
                        return Err(format!(
                            "expected a name such as {{trace}} in {source:?}; write {{{{ for a brace"
                        ));
                    }
                    (Part::Name(name.into()), name.len() + 2)
                }
                '}' => {
                    return Err(format!(
                        "expected {{ before }} in {source:?}; write }}}} for a brace"
                    ));
                }
                '*' => (Part::Anything, 1),
                other => (Part::Literal(other.into()), other.len_utf8()),
            };
            rest = &rest[length..];
            match part {
                Part::Literal(text) => literal.push_str(&text),
                part => {
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(part);
                }
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self {
            source: source.into(),
            parts,
        })
    }

    /// Returns true if the value matches. Unknown names then get their value from the match.
    pub(super) fn matches(&self, value: &str, known: &mut Known) -> bool {
        let mut tried = known.clone();
        let is_match = matches(&self.parts, value, &mut tried);
        if is_match {
            *known = tried;
        }
        is_match
    }

    /// Returns true if some part of the text matches. Nothing is remembered.
    pub(super) fn is_in(&self, text: &str, known: &Known) -> bool {
        let parts = [&[Part::Anything], self.parts.as_slice(), &[Part::Anything]].concat();
        matches(&parts, text, &mut known.clone())
    }

    /// Returns the text with the names' values filled in.
    ///
    /// # Errors
    /// The name that stands for nothing yet.
    pub(super) fn fill(&self, known: &Known) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Anything => text.push('*'),
                Part::Name(name) => {
                    text.push_str(known.get(name).ok_or_else(|| {
                        format!("{{{name}}} stands for nothing yet; define it under `let`, or capture it before")
                    })?);
                }
            }
        }
        Ok(text)
    }

    /// Returns the pattern for people, with the values of known names filled in.
    pub(super) fn shown(&self, known: &Known) -> String {
        let part = |part: &Part| match part {
            Part::Literal(literal) => literal.clone(),
            Part::Anything => "*".into(),
            Part::Name(name) => known
                .get(name)
                .cloned()
                .unwrap_or_else(|| format!("{{{name}}}")),
        };
        self.parts.iter().map(part).collect()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source)
    }
}

fn matches(parts: &[Part], value: &str, known: &mut Known) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return value.is_empty();
    };
    match first {
        Part::Literal(literal) => value
            .strip_prefix(literal.as_str())
            .is_some_and(|value| matches(rest, value, known)),
        Part::Anything => {
            let ends = value.char_indices().map(|(at, _)| at).chain([value.len()]);
            ends.into_iter()
                .any(|end| matches(rest, &value[end..], known))
        }
        Part::Name(name) => {
            if let Some(text) = known.get(name).cloned() {
                return value
                    .strip_prefix(text.as_str())
                    .is_some_and(|value| matches(rest, value, known));
            }
            let longest = value
                .find(|letter: char| !letter.is_ascii_alphanumeric())
                .unwrap_or(value.len());
            (1..=longest).rev().any(|end| {
                known.insert(name.clone(), value[..end].into());
                let is_match = matches(rest, &value[end..], known);
                if !is_match {
                    known.remove(name);
                }
                is_match
            })
        }
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Pattern;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Pattern, E> {
                Pattern::parse(text).map_err(E::custom)
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Pattern, E> {
                Err(quote(value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Pattern, E> {
                Err(quote(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Pattern, E> {
                Err(quote(value))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Pattern, E> {
                Err(quote(value))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Text with {name} for a value that is remembered, * for anything, {{ }} {*} for the characters themselves.",
        })
    }
}

/// Makes an error that asks for quotes, because YAML reads both `1` and `00` as numbers and only quotes keep the
/// digits.
pub(super) fn quote<E: Error>(found: impl fmt::Display) -> E {
    E::custom(format!("expected text, found {found}; quote it"))
}

#[cfg(test)]
mod tests {
    use super::{Known, Pattern};

    fn known(pairs: &[(&str, &str)]) -> Known {
        pairs
            .iter()
            .map(|(name, text)| ((*name).into(), (*text).into()))
            .collect()
    }

    #[test]
    fn matches_and_remembers() {
        for (pattern, value, before, expected) in [
            ("", "", &[][..], Some(&[][..])),
            ("abc", "abc", &[], Some(&[])),
            ("abc", "abcd", &[], None),
            ("a*d", "abcd", &[], Some(&[])),
            ("*", "", &[], Some(&[])),
            (
                "00-{t}-{s}-01",
                "00-4b-0a-01",
                &[],
                Some(&[("t", "4b"), ("s", "0a")]),
            ),
            ("00-{t}-{s}-01", "00-4b-0a-00", &[], None),
            ("{t}", "", &[], None),
            ("{t}", "a-b", &[], None),
            ("{t}-{t}", "ab-ab", &[], Some(&[("t", "ab")])),
            ("{t}-{t}", "ab-ac", &[], None),
            ("{t}{s}", "ab", &[], Some(&[("t", "a"), ("s", "b")])),
            ("x{t}", "x1", &[("t", "1")], Some(&[("t", "1")])),
            ("x{t}", "x2", &[("t", "1")], None),
            ("{{{t}}}", "{1}", &[], Some(&[("t", "1")])),
            ("{*}", "*", &[], Some(&[])),
            ("{*}", "x", &[], None),
            ("é*", "été", &[], Some(&[])),
        ] {
            let mut now = known(before);
            let is_match = Pattern::parse(pattern).unwrap().matches(value, &mut now);
            assert_eq!(
                is_match.then_some(&now),
                expected.map(known).as_ref(),
                "{pattern} against {value}"
            );
            if !is_match {
                assert_eq!(now, known(before), "what does not match is not remembered");
            }
        }
    }

    #[test]
    fn finds_itself_in_a_line() {
        let pattern = Pattern::parse("trace {t} of").unwrap();
        assert!(pattern.is_in("the trace 4b of all", &known(&[])));
        assert!(pattern.is_in("trace 4b of", &known(&[("t", "4b")])));
        assert!(!pattern.is_in("trace 4c of", &known(&[("t", "4b")])));
        assert!(Pattern::parse("").unwrap().is_in("", &known(&[])));
    }

    #[test]
    fn fills_in_what_is_known() {
        let pattern = Pattern::parse("00-{t}-{s}").unwrap();
        assert_eq!(
            pattern.fill(&known(&[("t", "1"), ("s", "2")])).unwrap(),
            "00-1-2"
        );
        assert_eq!(pattern.shown(&known(&[("t", "1")])), "00-1-{s}");
        let error = pattern.fill(&known(&[("t", "1")])).unwrap_err();
        assert_eq!(
            error,
            "{s} stands for nothing yet; define it under `let`, or capture it before"
        );
    }

    #[test]
    fn refuses_braces_that_mean_nothing() {
        for (pattern, expected) in [
            (
                "{t",
                "expected a name such as {trace} in \"{t\"; write {{ for a brace",
            ),
            (
                "{}",
                "expected a name such as {trace} in \"{}\"; write {{ for a brace",
            ),
            (
                "{a-b}",
                "expected a name such as {trace} in \"{a-b}\"; write {{ for a brace",
            ),
            ("t}", "expected { before } in \"t}\"; write }} for a brace"),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap_err(), expected);
        }
    }
}
