//! Go's reading and writing of numbers, durations and times, with its words for what is wrong: Jaeger's errors quote them.

mod duration;
mod number;
mod time;

pub(super) use duration::{duration, write_duration};
pub(super) use number::{float, hexadecimal, integer, truth};
pub(super) use time::{rfc3339, write_time};

/// Quotes text as Go's package `time` does: bytes outside of ASCII's printable ones in hexadecimal.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='\u{7f}' => out.push(character),
            _ => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    out.push_str(&format!("\\x{byte:02x}"));
                }
            }
        }
    }
    out.push('"');
    out
}
