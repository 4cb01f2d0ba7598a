//! All documents of a text: JSON where the name or the text says so, else YAML.

use super::document::Document;
use super::yaml;

pub(in crate::check) use super::yaml::{Reading, Remark, Unreadable};

impl Document {
    /// Reads all documents of a text, and drops remarks on single keys.
    ///
    /// # Errors
    /// The problem in words, with line and column, and without a part of the text.
    pub fn parse(name: &str, text: &str) -> Result<Vec<Self>, String> {
        match read(name, text) {
            Ok(reading) => Ok(reading.documents),
            Err(error) => Err(error.message),
        }
    }
}

/// Reads all documents of a text.
pub(in crate::check) fn read(name: &str, text: &str) -> Result<Reading, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !may_be_json(name, text) {
        return yaml::read(text);
    }
    match serde_json::from_str(text) {
        Ok(document) => Ok(Reading {
            documents: vec![document],
            ..Reading::default()
        }),
        Err(error) if has_comment(text, &error) => Err(Unreadable {
            line: Some(error.line()),
            message: format!(
                "JSON has no comments (line {}); leave them out, or write YAML with #",
                error.line()
            ),
        }),
        Err(error) if name.ends_with(".json") => Err(Unreadable {
            line: Some(error.line()),
            message: format!("expected JSON: {error}"),
        }),
        // A flow mapping of YAML begins like JSON.
        Err(_) => yaml::read(text),
    }
}

/// Returns true if the text is read as JSON first.
pub(super) fn may_be_json(name: &str, text: &str) -> bool {
    name.ends_with(".json") || text.trim_start().starts_with('{')
}

/// Returns true if the first thing that is no JSON is a comment.
fn has_comment(text: &str, error: &serde_json::Error) -> bool {
    let line = text.lines().nth(error.line().saturating_sub(1));
    let from = error.column().saturating_sub(1);
    let rest = line.and_then(|line| line.get(from..));
    rest.is_some_and(|rest| rest.starts_with("//") || rest.starts_with("/*"))
}
