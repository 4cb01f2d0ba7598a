//! The tokens of JSON with their lines.
//!
//! Written here because serde_json tells no positions but those of errors. The text has been read as JSON before.

use super::walk::Walk;

/// Hands all tokens of a JSON text to a walk.
pub(super) fn read(text: &str, walk: &mut Walk) {
    let bytes = text.as_bytes();
    let mut line = 1;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let from = at;
        at += 1;
        match byte {
            b'\n' => line += 1,
            b'{' => walk.open(true, line),
            b'[' => walk.open(false, line),
            b'}' | b']' => walk.close(),
            b'"' => {
                while let Some(byte) = bytes.get(at) {
                    at += if *byte == b'\\' { 2 } else { 1 };
                    if *byte == b'"' {
                        break;
                    }
                }
                let token = text.get(from..at).unwrap_or_default();
                let unquoted: String = serde_json::from_str(token).unwrap_or_default();
                walk.text(&unquoted, line);
            }
            byte if byte.is_ascii_whitespace() || matches!(byte, b',' | b':') => {}
            _ => {
                while bytes
                    .get(at)
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
                {
                    at += 1;
                }
                walk.text(text.get(from..at).unwrap_or_default(), line);
            }
        }
    }
}
