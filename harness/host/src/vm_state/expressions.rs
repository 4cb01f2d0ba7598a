//! The CEL expressions that a root context has prepared.
//!
//! Attributes and lists of them, which filters use most, are read here and keep their bytes as they are; the crate `cel`
//! reads everything else. The crate knows functions that Envoy does not have, so that they are refused here.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::Program;

use crate::abi_types::{Answer, Status, refuse};

/// The expressions of one root context by token, which end with the root context.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    known: BTreeMap<u32, Expression>,
    next: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum Expression {
    Attribute(Vec<String>),
    List(Vec<Vec<String>>),
    Program(Arc<Program>),
}

impl Expressions {
    /// Parses a source and returns the token of the expression (`expr_create`).
    pub(crate) fn create(&mut self, source: &[u8]) -> Answer<Vec<u8>> {
        let source = String::from_utf8_lossy(source);
        let expression = match read(source.trim()) {
            Ok(expression) => expression,
            Err(reason) => return refuse(Status::BadArgument, reason),
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
    pub(crate) fn delete(&mut self, token: &[u8]) -> Answer {
        self.known.remove(&read_token(token)?);
        Ok(())
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

/// Reads an expression, or returns the reason for which it is none.
fn read(source: &str) -> Result<Expression, String> {
    if let Some(path) = attribute(source) {
        return Ok(Expression::Attribute(path));
    }
    if let Some(paths) = attributes(source) {
        return Ok(Expression::List(paths));
    }
    let program = Program::compile(source)
        .map_err(|errors| format!("`{source}` is no expression of CEL: {errors}"))?;
    let references = program.references();
    let mut unknown = references.functions();
    unknown.retain(|name| !FUNCTIONS.contains(name));
    unknown.sort_unstable();
    if let Some(name) = unknown.first() {
        return Err(format!(
            "`{source}` calls `{name}`, which Envoy's CEL does not have"
        ));
    }
    Ok(Expression::Program(Arc::new(program)))
}

/// Reads a list of attributes.
fn attributes(source: &str) -> Option<Vec<Vec<String>>> {
    let inner = source.strip_prefix('[')?.strip_suffix(']')?.trim();
    if inner.is_empty() {
        return Some(Vec::new());
    }
    inner
        .split(',')
        .map(|part| attribute(part.trim()))
        .collect()
}

/// Reads names with dots between them.
fn attribute(source: &str) -> Option<Vec<String>> {
    let is_name = |segment: &str| {
        segment.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && segment
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && !RESERVED.contains(&segment)
    };
    let segments = source.split('.');
    segments
        .clone()
        .all(is_name)
        .then(|| segments.map(str::to_owned).collect())
}

/// Words that are no names in CEL.
const RESERVED: [&str; 20] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
];

/// The operators and functions of CEL that Envoy 1.40 has, and the macros' own.
const FUNCTIONS: [&str; 51] = [
    "_?_:_",
    "_&&_",
    "_||_",
    "!_",
    "-_",
    "_-_",
    "_+_",
    "_*_",
    "_/_",
    "_%_",
    "_==_",
    "_!=_",
    "_<_",
    "_<=_",
    "_>_",
    "_>=_",
    "_[_]",
    "@in",
    "@not_strictly_false",
    "has",
    "all",
    "exists",
    "exists_one",
    "map",
    "filter",
    "size",
    "startsWith",
    "endsWith",
    "contains",
    "matches",
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "int",
    "string",
    "timestamp",
    "type",
    "uint",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "google.protobuf.Duration",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn reads_attributes_and_lists_of_them_by_itself() {
        assert!(
            matches!(read("request.path"), Ok(Expression::Attribute(it)) if it == path("request.path"))
        );
        assert!(matches!(read("[]"), Ok(Expression::List(it)) if it.is_empty()));
        let list = [path("request.path"), path("response.code")];
        assert!(
            matches!(read("[ request.path , response.code ]"), Ok(Expression::List(it)) if it == list)
        );
    }

    #[test]
    fn leaves_the_rest_to_the_library() {
        for source in [
            "1 + 1",
            "true",
            "[1]",
            "request.headers['a']",
            "[request.path,]",
        ] {
            assert!(
                matches!(read(source), Ok(Expression::Program(_))),
                "{source}"
            );
        }
    }

    #[test]
    fn refuses_what_envoy_refuses_and_says_why() {
        for (source, reason) in [
            ("", "is no expression of CEL"),
            ("[", "is no expression of CEL"),
            ("in", "is no expression of CEL"),
            ("'a'.lowerAscii()", "calls `lowerAscii`"),
            ("max(1, 2)", "calls `max`"),
            ("optional.of(1)", "calls `"),
            ("a.?b", "is no expression of CEL"),
        ] {
            let found = read(source).unwrap_err();
            assert!(found.contains(reason), "{source}: {found}");
        }
    }
}
