//! The text of a file: its encoding, and the shapes that are no document at all.

use super::yaml::Unreadable;

/// Returns the text, without the byte order mark with which editors on Windows begin a file.
pub(in crate::check) fn decode(bytes: &[u8]) -> Result<&str, Unreadable> {
    if is_utf16(bytes) {
        return Err(Unreadable {
            line: None,
            message: "UTF-16, as PowerShell's > writes it; save it as UTF-8 (… | Out-File -Encoding utf8 FILE)"
                .into(),
        });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            Err(Unreadable {
                line: Some(line),
                message: format!(
                    "expected UTF-8, found another encoding in line {line}; save it as UTF-8"
                ),
            })
        }
    }
}

fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        // Without a mark: a text of this kind begins with ASCII.
        [0, first, 0, second, ..] | [first, 0, second, 0, ..] => *first != 0 && *second != 0,
        _ => false,
    }
}

/// Returns the reason why there is nothing to check, if the text has neither keys nor values.
pub(in crate::check) fn nothing(file: &str, text: &str) -> Option<String> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .peekable();
    let is_standard_input = file == "-";
    let what = match lines.peek() {
        None if is_standard_input => "standard input is empty",
        None => "the file is empty",
        Some(_) => {
            let is_comment = |line: &str| line.starts_with('#');
            let is_empty = |line: &str| {
                let line = line.strip_prefix("---").unwrap_or(line).trim();
                is_comment(line) || matches!(line, "" | "..." | "null" | "~")
            };
            let mut has_comments_alone = true;
            for line in lines {
                if !is_empty(line) {
                    return None;
                }
                has_comments_alone &= is_comment(line);
            }
            match has_comments_alone {
                true => "only comments",
                false => "only empty documents",
            }
        }
    };
    let cure = match is_standard_input {
        true => {
            "did the command before the pipe fail (kustomize build, helm template), or is - given twice? \
             All defaults are {}"
        }
        false => "did the command that writes it fail? All defaults are {}",
    };
    Some(format!("nothing to check: {what}; {cure}"))
}

/// Returns the line of the first action of a Helm template.
pub(in crate::check) fn template(text: &str) -> Option<usize> {
    let is_action = |line: &str| {
        line.split("{{").skip(1).any(|action| {
            let action = action.trim_start_matches('-').trim_start();
            action.starts_with(['.', '$', '(', '/', '"'])
                || WORDS.iter().any(|word| action.starts_with(word))
        })
    };
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    let mut lines = text.lines().zip(1..);
    lines.find_map(|(line, number)| (!is_comment(line) && is_action(line)).then_some(number))
}

/// The sentence on a template.
pub(in crate::check) const TEMPLATE: &str =
    "this is a template ({{ … }}); render it first: helm template … | sidespan check -";

/// Words with which the actions of Go's templates begin.
const WORDS: [&str; 17] = [
    "if ",
    "else",
    "end",
    "range ",
    "with ",
    "define ",
    "template ",
    "block ",
    "include ",
    "toYaml ",
    "tpl ",
    "printf ",
    "default ",
    "required ",
    "quote ",
    "lookup ",
    "fail ",
];

#[cfg(test)]
mod tests {
    use super::{decode, nothing, template};

    #[test]
    fn a_text_in_another_encoding_is_told_how_to_be_saved() {
        for (bytes, part, line) in [
            (&b"\xff\xfea\0:\0"[..], "UTF-16", None),
            (b"\xfe\xff\0a\0:", "UTF-16", None),
            (b"k\0i\0n\0d\0", "UTF-16", None),
            (b"\0k\0i\0n\0d", "UTF-16", None),
            (b"a: 1\nb: \xe4", "in line 2; save it as UTF-8", Some(2)),
        ] {
            let error = decode(bytes).unwrap_err();
            assert!(error.message.contains(part), "{error:?}");
            assert_eq!(error.line, line, "{error:?}");
        }
        assert_eq!(decode(b"\xef\xbb\xbfa: 1"), Ok("a: 1"));
    }

    #[test]
    fn nothing_is_told_from_something() {
        for (file, text, what) in [
            ("-", "", "standard input is empty"),
            ("-", " \n\n", "standard input is empty"),
            ("a.yaml", "", "the file is empty"),
            ("a.yaml", "# one\n  # two\n", "only comments"),
            ("a.yaml", "---\n", "only empty documents"),
            (
                "a.yaml",
                "--- # x\nnull\n---\n~\n...\n",
                "only empty documents",
            ),
        ] {
            let said = nothing(file, text).expect(text);
            assert!(
                said.starts_with(&format!("nothing to check: {what}; did")),
                "{said}"
            );
        }
        for text in ["{}", "a: 1", "# a\n---\n[]", "--- text", "nulls"] {
            assert_eq!(nothing("-", text), None, "{text}");
        }
    }

    #[test]
    fn a_template_is_told_by_its_actions() {
        for (text, line) in [
            ("a: 1\nb: {{ .Values.x }}\n", Some(2)),
            ("{{- if .Values.x }}\na: 1\n{{- end }}", Some(1)),
            ("a: {{ include \"x\" . | nindent 4 }}", Some(1)),
            ("a: {{$x}}", Some(1)),
            ("# {{ .Values.x }}\na: 1", None),
            ("a: {b: {c: 1}}", None),
            ("a: {{b: 1}: 2}", None),
        ] {
            assert_eq!(template(text), line, "{text}");
        }
    }
}
