//! Texts of strangers that may go to a terminal: names and values of spans, what a module logs, what a server answers.

/// Returns a line without the characters that a terminal obeys: those that move the cursor, change colours or turn the
/// direction of writing. A line break is one of them, so that nothing looks like a line of ours.
pub(crate) fn clean(line: &str) -> String {
    let is_obeyed = |letter: char| letter != '\t' && (letter.is_control() || is_invisible(letter));
    line.replace(is_obeyed, "\u{fffd}")
}

/// Returns the lines of a text, each of them clean.
pub(crate) fn clean_lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(clean)
}

/// Escapes the characters of a JSON text that JSON allows and a terminal obeys: DEL, C1 controls, and those that turn the
/// direction of writing. They stand in strings alone, so the text means the same.
pub(crate) fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '\u{7f}'..='\u{9f}' => out += &escaped(letter),
            _ if is_invisible(letter) => out += &escaped(letter),
            _ => out.push(letter),
        }
    }
    out
}

fn escaped(letter: char) -> String {
    format!("\\u{:04x}", u32::from(letter))
}

/// Returns true for what turns the direction of writing or breaks lines, and is no control character.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
        let lines: Vec<_> = clean_lines("\u{9b}31m\u{202e}x\u{7f}\u{1b}[2J\r\n\té 🕸").collect();
        assert_eq!(lines, ["\u{fffd}31m\u{fffd}x\u{fffd}\u{fffd}[2J", "\té 🕸"]);
        assert_eq!(clean("a\nb"), "a\u{fffd}b", "one line stays one");
    }
}
