//! The lines and resources of paths: a walk through a text's tokens, once, and only where there are findings.
//!
//! The tree of a document has no lines, because those of a cluster's thousand resources would need more memory than
//! the resources.

use std::borrow::Cow;

use granit_parser::{Event, Parser, ScalarStyle};

use super::document::Document;
use super::parse::may_be_json;
use super::path::{Segment, segments};
use super::scalar::Scalar;
use super::yaml;

mod json_tokens;
mod walk;

pub(in crate::check) use walk::Located;

use walk::Walk;

/// Returns the places of paths, each in the document of this number, counted from 1.
pub(in crate::check) fn locate(name: &str, text: &str, wanted: &[(usize, &str)]) -> Vec<Located> {
    let wanted = wanted
        .iter()
        .map(|(document, path)| (*document, segments(path)));
    located(name, text, wanted.collect())
}

fn located(name: &str, text: &str, wanted: Vec<(usize, Vec<Segment>)>) -> Vec<Located> {
    let mut walk = Walk::new(wanted);
    let is_json =
        may_be_json(name, text) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    match is_json {
        true => {
            walk.start_document();
            json_tokens::read(text, &mut walk);
        }
        false => events(text, &mut walk),
    }
    walk.finish()
}

fn events(text: &str, walk: &mut Walk) {
    for next in Parser::new_from_str_with_options(text, yaml::options()) {
        // What cannot be read has its line already.
        let Ok((event, span)) = next else {
            return;
        };
        let line = span.start.line();
        match event {
            Event::DocumentStart(..) => walk.start_document(),
            Event::SequenceStart(..) => walk.open(false, line),
            Event::MappingStart(..) => walk.open(true, line),
            Event::SequenceEnd | Event::MappingEnd => walk.close(),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                walk.text("", line);
            }
            Event::Scalar(text, style, _, tag) => {
                let key = match walk.expects_key() {
                    true => Scalar::of(&text, style, tag.as_deref())
                        .and_then(|scalar| scalar.key(&text))
                        .map(Cow::Owned),
                    false => None,
                };
                let inner = walk.text(&key.unwrap_or(text.clone()), line);
                if style == ScalarStyle::Literal && !inner.is_empty() {
                    // The span begins behind empty lines.
                    let empty = text.len() - text.trim_start_matches('\n').len();
                    within(&text, line.saturating_sub(empty), inner, walk);
                }
            }
            _ => {}
        }
    }
}

/// Finds the rest of paths in a document that stands as text in another, such as a ConfigMap's.
fn within(text: &str, first: usize, rest: Vec<(usize, Vec<Segment>)>, walk: &mut Walk) {
    if Document::parse("", text).is_err() {
        return;
    }
    let (numbers, wanted): (Vec<_>, Vec<_>) = rest
        .into_iter()
        .map(|(number, segments)| (number, (1, segments)))
        .unzip();
    for (number, found) in numbers.into_iter().zip(located("", text, wanted)) {
        if let Some(line) = found.line {
            walk.place(number, first + line - 1);
        }
    }
}

#[cfg(test)]
mod tests;
