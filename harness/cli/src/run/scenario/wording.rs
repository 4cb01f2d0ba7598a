//! Words of the YAML library, in the terms of who writes a scenario.

use anyhow::bail;

/// Returns a file's text.
///
/// # Errors
/// The place of the first byte that is none.
pub(super) fn text(bytes: &[u8]) -> anyhow::Result<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = before
                .rsplit(|byte| *byte == b'\n')
                .next()
                .unwrap_or_default();
            let column = String::from_utf8_lossy(column).chars().count() + 1;
            bail!(
                "line {line} column {column}: expected UTF-8, found other bytes; write them as {{hex: …}}"
            )
        }
    }
}

/// Returns a message of the library with its types named as a reader knows them.
pub(super) fn of_scenarios(message: &str) -> String {
    let mut message = message.to_owned();
    for (theirs, ours) in WORDS {
        message = message.replace(theirs, ours);
    }
    message
}

const WORDS: [(&str, &str); 8] = [
    ("invalid u8", "expected a whole number from 0 to 255"),
    ("invalid u16", "expected a whole number from 0 to 65535"),
    (
        "invalid u32",
        "expected a whole number from 0 to 4294967295",
    ),
    ("invalid u64", "expected a whole number"),
    ("a nonzero u8", "a whole number from 1 to 255"),
    (
        "expected sequence start",
        "expected a list, as `[…]` or lines that begin with `- `",
    ),
    (
        "expected mapping start",
        "expected keys and values, as `{…}` or lines of `key: value`",
    ),
    (
        ", set DuplicateKeyPolicy in Options if acceptable",
        "; leave out one",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_place_of_bytes_that_are_no_text() {
        let error = text(b"name: x\n# \xc3\xa4 \xff").unwrap_err().to_string();
        assert!(error.starts_with("line 2 column 5: "), "{error}");
    }
}
