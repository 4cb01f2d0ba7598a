//! The metadata of a resource, as far as Kubernetes itself judges it and no definition says so.

use super::judge::below;
use crate::check::input::document::Document;

/// Returns the errors in the name, the namespace and the labels of a resource at a path: paths and sentences.
pub(super) fn errors(resource: &Document, path: &str) -> Vec<(String, String)> {
    let mut errors = Vec::new();
    let at = below(path, "metadata");
    let metadata = resource.get("metadata").unwrap_or(&Document::Null);
    let is_there = |key: &str| !matches!(metadata.get(key), None | Some(Document::Null));
    if !is_there("name") && !is_there("generateName") {
        errors.push((
            below(&at, "name"),
            "missing, and no API server takes a resource without a name; write metadata.name"
                .into(),
        ));
    }
    let namespace = metadata.get("namespace").and_then(Document::text);
    if namespace.is_some_and(|namespace| !namespace.is_empty() && !is_namespace(namespace)) {
        errors.push((
            below(&at, "namespace"),
            "expected lower-case letters, digits and -, as in istio-system".into(),
        ));
    }
    let labels = below(&at, "labels");
    if let Some(Document::Object(pairs)) = metadata.get("labels") {
        for (key, value) in pairs {
            let name = key.rsplit('/').next().unwrap_or_default();
            let is_key = !name.is_empty() && name.len() <= 63 && is_label_value(name);
            if !is_key || !value.text().is_none_or(is_label_value) {
                errors.push((
                    below(&labels, key),
                    "a label that Kubernetes refuses; expected letters, digits, -, _ and ., the first and the last a letter or \
                     a digit"
                        .into(),
                ));
            }
        }
    }
    errors
}

fn is_namespace(text: &str) -> bool {
    let is_inner = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    has_ends(text, is_inner)
        && text
            .bytes()
            .all(|letter| is_inner(letter) || letter == b'-')
}

/// Returns true for the value of a label, which may be empty. Its length is a fact of the definition.
fn is_label_value(text: &str) -> bool {
    let is_inner = |letter: u8| letter.is_ascii_alphanumeric();
    let is_any = |letter: u8| is_inner(letter) || matches!(letter, b'-' | b'_' | b'.');
    text.is_empty() || has_ends(text, is_inner) && text.bytes().all(is_any)
}

fn has_ends(text: &str, is_end: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let mut ends = bytes.first().into_iter().chain(bytes.last());
    !bytes.is_empty() && ends.all(|letter| is_end(*letter))
}
