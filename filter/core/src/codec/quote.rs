//! Received text in messages of the filter: quoted, cut, on one line.

use alloc::string::String;

/// Returns the text in quotes, without control characters, and cut where it is too long for a log line.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for (index, character) in text.chars().enumerate() {
        if index >= MAX_QUOTED {
            quoted.push('…');
            break;
        }
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if character.is_control() => quoted.extend(character.escape_default()),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

pub(crate) const MAX_QUOTED: usize = 64;
