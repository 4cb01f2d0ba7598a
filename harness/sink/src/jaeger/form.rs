//! The parameters of a URL, as Go's package `net/url` reads them: a pair with a broken escape or a semicolon is passed over.

/// The parameters, in the order given.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the query part of a URL.
    pub(super) fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.filter(|pair| !pair.contains(';'));
        let pairs = pairs.filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescaped(name)?, unescaped(value)?))
        });
        Self(pairs.collect())
    }

    /// Returns the first value of a name; an empty text where there is none.
    pub(super) fn first(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value)
    }

    /// Returns all values of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.0.iter().filter(move |(own, _)| own == name);
        own.map(|(_, value)| value.as_str())
    }

    /// Returns true if a name is there, with or without a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

/// Reads escapes, and `+` as a space; `None` where an escape is broken. Bytes that are no text are replaced.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = match byte {
            b'%' => {
                let (digits, behind) = behind.split_at_checked(2)?;
                let mut byte = [0];
                hex::decode_to_slice(digits, &mut byte).ok()?;
                bytes.extend(byte);
                behind
            }
            b'+' => {
                bytes.push(b' ');
                behind
            }
            _ => {
                bytes.push(*byte);
                behind
            }
        };
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
