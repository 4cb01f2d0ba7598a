//! Replaces the values of credentials: each by a stand-in of its own, the same wherever it comes again.
//!
//! What was once found to be a credential is replaced in all other places, too, whoever has put it there: a filter that hands
//! it on under another name, a log, the body of a reply. So everything is gone through twice.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::byte_serialize;
use serde_json::Value;

use super::suspicion::{is_harmless_header, is_secret_name, is_secret_value};

/// The credentials that were found, and their stand-ins.
#[derive(Debug, Default)]
pub(super) struct Redactor {
    /// Whole values, by which a value gets the same stand-in again.
    values: BTreeMap<String, String>,
    /// Values and their parts, which are replaced wherever they come.
    parts: BTreeMap<String, String>,
}

impl Redactor {
    /// Hides a value.
    pub(super) fn hide(&mut self, value: &str) -> String {
        let is_stand_in = self.values.values().any(|known| known == value);
        if value.is_empty() || is_stand_in {
            return value.to_owned();
        }
        let number = self.values.len() + 1;
        let stand_in = self
            .values
            .entry(value.to_owned())
            .or_insert_with(|| format!("{STAND_IN}{number}"))
            .clone();
        for part in parts(value) {
            if part.len() >= PART_LENGTH && !stand_in.contains(&part) {
                let encoded: String = byte_serialize(part.as_bytes()).collect();
                self.parts
                    .entry(encoded)
                    .or_insert_with(|| stand_in.clone());
                self.parts.entry(part).or_insert_with(|| stand_in.clone());
            }
        }
        stand_in
    }

    /// Returns the number of credentials.
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// Replaces every credential that is known so far.
    pub(super) fn scrub(&self, text: &str) -> String {
        let mut parts: Vec<_> = self.parts.iter().collect();
        // A part of another part comes behind it.
        parts.sort_by_key(|(part, _)| std::cmp::Reverse(part.len()));
        let mut scrubbed = text.to_owned();
        for (part, stand_in) in parts {
            if scrubbed.contains(part.as_str()) {
                scrubbed = scrubbed.replace(part.as_str(), stand_in);
            }
        }
        scrubbed
    }

    /// Returns the value of a header or trailer as it may be written.
    pub(super) fn header(&mut self, name: &str, value: &[u8]) -> String {
        let Ok(text) = std::str::from_utf8(value) else {
            return self.hide(&hex::encode(value));
        };
        if is_harmless_header(name) {
            return self.scrub(text);
        }
        if is_secret_name(name) {
            return self.hide(text);
        }
        if name.eq_ignore_ascii_case("baggage") {
            return self.pairs(text, ',');
        }
        self.text(text)
    }

    /// Returns a text as it may be written: an URL without what is secret in it, and nothing of what looks like a credential.
    pub(super) fn text(&mut self, text: &str) -> String {
        let is_url = text.contains("://") || text.starts_with('/') && text.contains('?');
        let text = if is_url {
            self.url(text)
        } else {
            text.to_owned()
        };
        // Stand-ins are no credentials, and have their number to tell them apart.
        if is_secret_value(&text) {
            return self.hide(&text);
        }
        self.scrub(&text)
    }

    /// Returns an URL, or the path and the query of one, as it may be written.
    pub(super) fn url(&mut self, url: &str) -> String {
        let (before, fragment) = url
            .split_once('#')
            .map_or((url, None), |(a, b)| (a, Some(b)));
        let (path, query) = before
            .split_once('?')
            .map_or((before, None), |(path, query)| (path, Some(query)));
        let mut written = self.path(path);
        for (mark, part) in [('?', query), ('#', fragment)] {
            if let Some(part) = part {
                written.push(mark);
                written.push_str(&self.pairs(part, '&'));
            }
        }
        written
    }

    /// Returns `:authority` as it may be written.
    pub(super) fn authority(&mut self, authority: &str) -> String {
        match authority.rsplit_once('@') {
            Some((user, host)) => format!("{}@{}", self.user_info(user), self.text(host)),
            None => self.text(authority),
        }
    }

    /// Returns pairs such as a query, a form or baggage as they may be written.
    pub(super) fn pairs(&mut self, text: &str, separator: char) -> String {
        let pairs = text.split(separator).map(|pair| {
            let Some((name, value)) = pair.split_once('=') else {
                // Without a name the value says by its looks alone what it is.
                return self.part(pair);
            };
            let plain = decoded(value);
            let written = match is_secret_name(&decoded(name)) {
                true => self.hide(&plain),
                false => {
                    let written = self.text(&plain);
                    if written == plain {
                        return format!("{}={value}", self.scrub(name));
                    }
                    written
                }
            };
            format!("{}={}", self.scrub(name), encoded(&written))
        });
        let pairs: Vec<_> = pairs.collect();
        pairs.join(&separator.to_string())
    }

    /// Returns a value of JSON as it may be written.
    pub(super) fn json(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.json(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| {
                    let value = match is_secret_name(name) {
                        true => self.hide_json(value),
                        false => self.json(value),
                    };
                    (self.scrub(name), value)
                });
                Value::Object(fields.collect())
            }
            other => other.clone(),
        }
    }

    /// Hides everything in a value of JSON.
    fn hide_json(&mut self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::String(text) => Value::String(self.hide(text)),
            Value::Number(number) => Value::String(self.hide(&number.to_string())),
            Value::Array(items) => items.iter().map(|item| self.hide_json(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter();
                let fields = fields.map(|(name, value)| (self.scrub(name), self.hide_json(value)));
                Value::Object(fields.collect())
            }
        }
    }

    /// Returns the part of an URL in front of its query: the user in it is hidden, and every step that looks like a credential.
    fn path(&mut self, path: &str) -> String {
        let (scheme, rest) = path
            .split_once("://")
            .map_or((None, path), |(scheme, rest)| (Some(scheme), rest));
        let mut steps = Vec::new();
        for (at, step) in rest.split('/').enumerate() {
            let step = match (at, scheme) {
                (0, Some(_)) => self.authority(step),
                // Parameters of a step, as in `/a;jsessionid=…`.
                _ if step.contains(';') => self.pairs(step, ';'),
                _ => self.part(step),
            };
            steps.push(step);
        }
        let scheme = scheme.map_or(String::new(), |scheme| format!("{scheme}://"));
        scheme + &steps.join("/")
    }

    fn part(&mut self, part: &str) -> String {
        let decoded = decoded(part);
        let written = match is_secret_value(&decoded) {
            true => self.hide(&decoded),
            false => self.scrub(&decoded),
        };
        match written == decoded {
            true => part.to_owned(),
            false => encoded(&written),
        }
    }

    fn user_info(&mut self, user: &str) -> String {
        let parts = user.split(':').map(|part| self.hide(&decoded(part)));
        parts.collect::<Vec<_>>().join(":")
    }
}

/// Returns what may be found of a credential elsewhere: the whole, and what it is made of.
fn parts(value: &str) -> Vec<String> {
    let mut parts = vec![value.to_owned()];
    let words = value.split(|letter: char| letter.is_whitespace() || ";,&\"".contains(letter));
    for word in words {
        parts.push(word.to_owned());
        // A cookie's value, and not its name.
        if let Some((_, inner)) = word.split_once('=').filter(|(_, inner)| !inner.is_empty()) {
            parts.push(inner.to_owned());
        }
        // `Basic` hides user and password.
        let plain = STANDARD.decode(word).ok();
        let plain = plain.and_then(|plain| String::from_utf8(plain).ok());
        if let Some((user, password)) = plain.as_deref().and_then(|plain| plain.split_once(':')) {
            parts.extend([user.to_owned(), password.to_owned()]);
        }
    }
    parts.extend(parts.clone().iter().map(|part| decoded(part)));
    parts
}

fn decoded(text: &str) -> String {
    // A field of a form without a name is what the parser takes a lone value for.
    let text = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(text.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

const STAND_IN: &str = "redacted-";

/// Length from which a part of a credential is replaced in other places, too. What is shorter is found by its name alone.
const PART_LENGTH: usize = 6;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_credential_has_one_stand_in_wherever_it_comes() {
        let mut redactor = Redactor::default();
        assert_eq!(
            redactor.header("Authorization", b"Bearer s3cr3t-value"),
            "redacted-1"
        );
        assert_eq!(
            redactor.header("cookie", b"theme=dark; id=abcdefgh"),
            "redacted-2"
        );
        assert_eq!(
            redactor.header("x-note", b"it is s3cr3t-value!"),
            "it is redacted-1!"
        );
        assert_eq!(redactor.header("x-id", b"abcdefgh"), "redacted-2");
        assert_eq!(
            redactor.header("authorization", b"Bearer s3cr3t-value"),
            "redacted-1"
        );
        assert_eq!(
            redactor.header(
                "traceparent",
                b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            ),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        );
        // The word `user` in its name makes no credential of it.
        assert_eq!(redactor.header("User-Agent", b"curl/8"), "curl/8");
        // `Basic dXNlcm5hbWU6aHVudGVyMg==`
        redactor.header("proxy-authorization", b"Basic dXNlcm5hbWU6aHVudGVyMg==");
        assert_eq!(redactor.text("hunter2"), "redacted-3");
    }

    #[test]
    fn urls_keep_what_is_no_credential() {
        for (url, expected) in [
            ("/cart?a=b&c", "/cart?a=b&c"),
            (
                "/cart?token=abcdef&b=c%20d",
                "/cart?token=redacted-1&b=c%20d",
            ),
            (
                "/cart?Access_Token=a%2Fb#password=x",
                "/cart?Access_Token=redacted-1#password=redacted-2",
            ),
            (
                "http://user:pass@shop/a?key=1",
                "http://redacted-1:redacted-2@shop/a?key=redacted-3",
            ),
            ("/a;jsessionid=12/b", "/a;jsessionid=redacted-1/b"),
            ("/reset/8fj3kd92lsk30dkf83jd", "/reset/redacted-1"),
            (
                "/item/123e4567-e89b-12d3-a456-426614174000",
                "/item/123e4567-e89b-12d3-a456-426614174000",
            ),
            (
                "/go?to=https%3A%2F%2Fu%3Ap%40shop%2F",
                "/go?to=https%3A%2F%2Fredacted-1%3Aredacted-2%40shop%2F",
            ),
        ] {
            assert_eq!(Redactor::default().url(url), expected, "{url}");
        }
    }

    #[test]
    fn json_keeps_its_form() {
        let mut redactor = Redactor::default();
        let value = json!({"user": {"name": "a"}, "items": [{"pin": 1234, "n": 2}], "clientSecret": null, "note": "hi"});
        let expected = json!({"user": {"name": "redacted-2"}, "items": [{"pin": "redacted-1", "n": 2}], "clientSecret": null, "note": "hi"});
        let redacted = redactor.json(&value);
        assert_eq!(redacted["note"], "hi");
        assert_eq!(redacted["items"][0]["n"], 2);
        assert_eq!(redacted["clientSecret"], Value::Null);
        assert_eq!(redacted, expected);
    }
}
