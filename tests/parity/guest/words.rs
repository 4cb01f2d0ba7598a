//! The words of a script's line, and the way in which results are written.

/// Cuts a line into words. `"a b\n\x00"` is one word, `"ab"*3` is `ababab`, a bare word ends at a space.
pub fn words(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (word, behind) = word(rest);
        words.push(word);
        rest = behind.trim_start();
    }
    words
}

fn word(text: &str) -> (Vec<u8>, &str) {
    let mut word = Vec::new();
    let mut letters = text.char_indices();
    let mut is_quoted = false;
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                is_quoted = !is_quoted;
                let digits: String = letters
                    .as_str()
                    .strip_prefix('*')
                    .map_or(String::new(), |it| {
                        it.chars().take_while(char::is_ascii_digit).collect()
                    });
                if !is_quoted && let Ok(times) = digits.parse() {
                    let behind = &letters.as_str()[1 + digits.len()..];
                    return (word.repeat(times), behind);
                }
            }
            '\\' if is_quoted => match letters.next().map(|(_, letter)| letter) {
                Some('n') => word.push(b'\n'),
                Some('r') => word.push(b'\r'),
                Some('0') => word.push(0),
                Some('x') => {
                    let digits: String = letters.by_ref().take(2).map(|(_, it)| it).collect();
                    word.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
                }
                Some(other) => push(&mut word, other),
                None => {}
            },
            ' ' if !is_quoted => return (word, &text[at..]),
            other => push(&mut word, other),
        }
    }
    (word, "")
}

fn push(word: &mut Vec<u8>, letter: char) {
    word.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Returns `name` and `value` of `name=value`; the name may begin with a colon.
pub fn pair(word: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let at = word
        .iter()
        .position(|byte| *byte == b'=')
        .unwrap_or(word.len());
    let value = word.get(at + 1..).unwrap_or_default();
    (word[..at].to_vec(), value.to_vec())
}

/// Writes header fields as the ABI has them: number, lengths, and then each name and value with a zero behind.
pub fn encode(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = (pairs.len() as u32).to_le_bytes().to_vec();
    for (name, value) in pairs {
        bytes.extend((name.len() as u32).to_le_bytes());
        bytes.extend((value.len() as u32).to_le_bytes());
    }
    for (name, value) in pairs {
        bytes.extend([name.as_slice(), b"\0", value, b"\0"].concat());
    }
    bytes
}

/// Reads header fields; `None` if these bytes are none.
pub fn decode(bytes: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let number = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    };
    let count = number(0)?;
    let mut at = 4 + count.checked_mul(8)?;
    let mut pairs = Vec::new();
    for index in 0..count {
        let (name, value) = (number(4 + index * 8)?, number(8 + index * 8)?);
        let fields = (
            bytes.get(at..at + name)?,
            bytes.get(at + name + 1..at + name + 1 + value)?,
        );
        pairs.push((fields.0.to_vec(), fields.1.to_vec()));
        at += name + value + 2;
    }
    Some(pairs)
}

/// Writes bytes for people: text in quotes, everything else in hex, and of long ones the length.
pub fn shown(bytes: &[u8]) -> String {
    if bytes.len() > 600 {
        return format!("{} bytes, {} ...", bytes.len(), shown(&bytes[..40]));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => format!("\"{text}\""),
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Writes header fields for people.
pub fn shown_pairs(bytes: &[u8]) -> String {
    let Some(pairs) = decode(bytes) else {
        return format!("no pairs: {}", shown(bytes));
    };
    let pairs = pairs.iter().map(|(name, value)| {
        let (name, value) = (
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value),
        );
        format!("{name}={value}")
    });
    format!("[{}]", pairs.collect::<Vec<_>>().join(", "))
}

/// Returns the name of a status.
pub fn status(number: u32) -> String {
    let names = [
        "OK",
        "NOT_FOUND",
        "BAD_ARGUMENT",
        "SERIALIZATION_FAILURE",
        "PARSE_FAILURE",
        "BAD_EXPRESSION",
        "INVALID_MEMORY_ACCESS",
        "EMPTY",
        "CAS_MISMATCH",
        "RESULT_MISMATCH",
        "INTERNAL_FAILURE",
        "BROKEN_CONNECTION",
        "UNIMPLEMENTED",
    ];
    names
        .get(number as usize)
        .map_or(number.to_string(), |name| (*name).into())
}
