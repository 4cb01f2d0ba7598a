//! The tags of the older search: `service.name=cart http.route="/a b" error`.

/// Reads keys and values.
///
/// # Errors
/// A line that says what is wrong where, the place in characters from 1.
pub(super) fn read(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut chars = text.chars().enumerate().peekable();
    while let Some((at, first)) = chars.next() {
        if first.is_whitespace() {
            continue;
        }
        if matches!(first, '=' | '"') {
            return Err(format!(
                "invalid tags: expected a key at character {}, found {first:?}",
                at + 1
            ));
        }
        let mut key = String::from(first);
        while let Some((_, it)) = chars.next_if(|(_, it)| !it.is_whitespace() && *it != '=') {
            key.push(it);
        }
        let mut value = String::new();
        if chars.next_if(|(_, it)| *it == '=').is_some() {
            if let Some((start, _)) = chars.next_if(|(_, it)| *it == '"') {
                let mut is_open = true;
                while let Some((_, it)) = chars.next() {
                    match it {
                        '"' => {
                            is_open = false;
                            break;
                        }
                        '\\' => value.extend(chars.next().map(|(_, it)| it)),
                        it => value.push(it),
                    }
                }
                if is_open {
                    return Err(format!(
                        "invalid tags: the quotation mark at character {} has no end",
                        start + 1
                    ));
                }
            } else {
                while let Some((_, it)) = chars.next_if(|(_, it)| !it.is_whitespace()) {
                    value.push(it);
                }
            }
        }
        if pairs.iter().any(|(known, _)| *known == key) {
            return Err(format!("invalid tags: tag {key} has been set twice"));
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}
