//! The CEL expressions that a root context has prepared: attributes and lists of attributes.

use std::collections::BTreeMap;

use crate::abi_types::{Answer, Status, refuse};

/// The expressions of one root context by token, which end with the root context.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    known: BTreeMap<u32, Expression>,
    next: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Attribute(Vec<String>),
    List(Vec<Vec<String>>),
}

impl Expressions {
    /// Parses a source and returns the token of the expression (`expr_create`).
    pub(crate) fn create(&mut self, source: &[u8]) -> Answer<Vec<u8>> {
        let source = String::from_utf8_lossy(source);
        let expression = match parse(source.trim()) {
            Ok(expression) => expression,
            Err(Unread::Broken) => {
                return refuse(
                    Status::BadArgument,
                    format!("`{source}` is no expression of CEL"),
                );
            }
            Err(Unread::Unknown) => {
                let reason = format!(
                    "this host evaluates attributes (`request.path`) and lists of them, and `{source}` is neither; Envoy \
                     takes all of CEL"
                );
                return refuse(Status::Unimplemented, reason);
            }
        };
        let token = self.next;
        self.next += 1;
        self.known.insert(token, expression);
        Ok(token.to_le_bytes().to_vec())
    }

    /// Returns the expression of a token.
    pub(crate) fn get(&self, token: u32) -> Option<&Expression> {
        self.known.get(&token)
    }

    /// Removes an expression (`expr_delete`). An unknown token is no error.
    pub(crate) fn delete(&mut self, token: &[u8]) -> Answer<Vec<u8>> {
        self.known.remove(&read_token(token)?);
        Ok(Vec::new())
    }
}

/// Reads the token of an expression, as `expr_create` returned it.
pub(crate) fn read_token(bytes: &[u8]) -> Answer<u32> {
    match bytes.try_into() {
        Ok(bytes) => Ok(u32::from_le_bytes(bytes)),
        Err(_) => refuse(
            Status::BadArgument,
            format!("a token is 4 bytes, and these are {}", bytes.len()),
        ),
    }
}

/// The reasons for which a source is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unread {
    /// A source that is no expression at all.
    Broken,
    /// A source that may be an expression, but none that this host evaluates.
    Unknown,
}

fn parse(source: &str) -> Result<Expression, Unread> {
    let Some(rest) = source.strip_prefix('[') else {
        return attribute(source).map(Expression::Attribute);
    };
    let inner = rest.strip_suffix(']').ok_or(Unread::Broken)?.trim();
    if inner.is_empty() {
        return Ok(Expression::List(Vec::new()));
    }
    inner
        .split(',')
        .map(|part| attribute(part.trim()))
        .collect::<Result<_, _>>()
        .map(Expression::List)
}

fn attribute(source: &str) -> Result<Vec<String>, Unread> {
    let is_name = |segment: &str| {
        segment.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && segment
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    match source.split('.').all(is_name) {
        true => Ok(source.split('.').map(str::to_owned).collect()),
        false if source.is_empty() => Err(Unread::Broken),
        false => Err(Unread::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_attributes_and_lists_and_says_what_it_does_not() {
        let path = |text: &str| -> Vec<String> { text.split('.').map(str::to_owned).collect() };
        for (source, expected) in [
            (
                "request.path",
                Ok(Expression::Attribute(path("request.path"))),
            ),
            (
                "plugin_name",
                Ok(Expression::Attribute(path("plugin_name"))),
            ),
            ("[]", Ok(Expression::List(Vec::new()))),
            (
                "[ request.path , response.code ]",
                Ok(Expression::List(vec![
                    path("request.path"),
                    path("response.code"),
                ])),
            ),
            ("", Err(Unread::Broken)),
            ("[", Err(Unread::Broken)),
            ("[request.path,]", Err(Unread::Broken)),
            ("1 + 1", Err(Unread::Unknown)),
            ("request.headers['a']", Err(Unread::Unknown)),
        ] {
            assert_eq!(parse(source), expected, "{source}");
        }
    }
}
