//! JSON that may go to a terminal.

/// Escapes the characters of a JSON text that JSON allows and a terminal obeys: DEL, C1 controls, and those that turn the
/// direction of writing. They stand in strings alone, so the text means the same.
pub(crate) fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => out += &format!("\\u{:04x}", u32::from(letter)),
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_means_the_same() {
        let value = serde_json::json!({"\u{9b}31m": "\u{202e}x\u{7f}\u{1b}[2J\n é 🕸"});
        let json = harmless(&value.to_string());
        assert!(!json.chars().any(char::is_control), "{json}");
        assert!(!json.contains('\u{202e}'), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read, value);
    }
}
