//! The headers of a request as a record holds them: a record is printed by tests and looked at by people, and a secret in it
//! would end in a log.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// The headers of a request, the first 16 KiB of them: names in lower case, in the order received; bytes that are not UTF-8 are
/// replaced, and so are the values of headers that bear secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedHeaders(Vec<Header>);

#[derive(Clone, PartialEq, Eq)]
struct Header {
    name: String,
    value: Recorded,
}

#[derive(Clone, PartialEq, Eq)]
enum Recorded {
    Text(String),
    /// The hash of a secret, under a key that only this process has.
    Secret(u64),
}

impl std::fmt::Debug for Header {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {:?}", self.name, self.text())
    }
}

impl Header {
    fn text(&self) -> &str {
        match &self.value {
            Recorded::Text(text) => text,
            Recorded::Secret(_) => RecordedHeaders::REDACTED,
        }
    }
}

impl RecordedHeaders {
    /// What stands in the place of a secret.
    pub const REDACTED: &'static str = "[redacted]";

    /// Records headers, of which each has a name in lower case and a value.
    pub fn new<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut room = MAX_BYTES;
        let headers = headers.into_iter().map_while(|(name, value)| {
            room = room.checked_sub(name.len() + value.len())?;
            let text = String::from_utf8_lossy(value);
            Some(Header {
                name: name.to_owned(),
                value: match bears_secret(name) {
                    true => Recorded::Secret(hash(&text)),
                    false => Recorded::Text(text.into_owned()),
                },
            })
        });
        Self(headers.collect())
    }

    /// Returns names and values, [`RecordedHeaders::REDACTED`] in the place of a secret.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|header| (header.name.as_str(), header.text()))
    }

    /// Returns true if a header of this lower-case name has this value, be it a secret or not: a test knows what it sent.
    pub fn has(&self, name: &str, value: &str) -> bool {
        let mut named = self.0.iter().filter(|header| header.name == name);
        named.any(|header| match &header.value {
            Recorded::Text(text) => text == value,
            Recorded::Secret(secret) => *secret == hash(value),
        })
    }
}

/// Returns true if the value of a header is for the receiver alone, by its lower-case name.
fn bears_secret(name: &str) -> bool {
    // Names that vendors use beside the words that most of them have.
    let vendors = ["x-honeycomb-team", "uptrace-dsn", "sentry-dsn"];
    let words = [
        "auth",
        "cookie",
        "token",
        "secret",
        "password",
        "api-key",
        "apikey",
        "access-key",
        "credential",
        "signature",
    ];
    vendors.contains(&name) || words.iter().any(|word| name.contains(word))
}

fn hash(value: &str) -> u64 {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    KEY.get_or_init(RandomState::new).hash_one(value)
}

/// The most bytes of headers in a record, because a thousand records are kept.
const MAX_BYTES: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(headers: &[(&'a str, &'a str)]) -> RecordedHeaders {
        RecordedHeaders::new(
            headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes())),
        )
    }

    #[test]
    fn the_name_of_a_secret_stays_and_its_value_does_not() {
        for name in [
            "authorization",
            "proxy-authorization",
            "cookie",
            "set-cookie",
            "x-api-key",
            "api-key",
            "dd-api-key",
            "apikey",
            "x-auth-token",
            "x-sf-token",
            "x-honeycomb-team",
            "uptrace-dsn",
            "x-amz-security-token",
            "x-aws-secret",
        ] {
            let headers = of(&[(name, "s3cret"), ("user-agent", "otel/1")]);
            let shown = [(name, RecordedHeaders::REDACTED), ("user-agent", "otel/1")];
            assert_eq!(headers.iter().collect::<Vec<_>>(), shown);
            assert!(!format!("{headers:?}").contains("s3cret"), "{headers:?}");
            assert!(headers.has(name, "s3cret") && !headers.has(name, "secret"));
            assert!(headers.has("user-agent", "otel/1") && !headers.has("user-agent", "x"));
        }
    }

    #[test]
    fn what_is_no_secret_is_told() {
        for name in ["content-type", "user-agent", "x-scope-orgid", "traceparent"] {
            assert_eq!(of(&[(name, "a")]).iter().next(), Some((name, "a")));
        }
    }

    #[test]
    fn a_record_holds_the_beginning_of_many_headers() {
        let value = "v".repeat(1_000);
        let many = [("x", value.as_str()); 20];
        assert_eq!(of(&many).iter().count(), 16);
    }
}
