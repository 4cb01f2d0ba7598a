//! What the proxy tells of an exchange at its end, asked for in one call.
//!
//! A call to the proxy that answers with bytes costs it about half a microsecond, whatever the bytes are, because it enters
//! the module once more to have memory for them. Envoy evaluates expressions of CEL, and a list of attributes is one: the
//! answer comes in the form of a header map, its keys the elements (`serializeValue`, "list"). An element that is not known
//! makes the whole list fail, and a proxy may have been built without CEL: then each is asked for by itself.

use alloc::string::String;

use strum::{IntoStaticStr, VariantArray};

/// An attribute that every span of a kind asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub(crate) enum Attribute {
    /// Nanoseconds, by a clock that never steps back.
    #[strum(serialize = "request\0duration")]
    Duration,
    /// Envoy's response flags as one number.
    #[strum(serialize = "response\0flags")]
    Flags,
    /// The status code of the response.
    #[strum(serialize = "response\0code")]
    StatusCode,
    /// The peer that calls, `ip:port`.
    #[strum(serialize = "source\0address")]
    Source,
    /// `HTTP/1.1`
    #[strum(serialize = "request\0protocol")]
    Protocol,
    /// The peer that is called, `ip:port`.
    #[strum(serialize = "upstream\0address")]
    Upstream,
    /// How often the request was tried.
    #[strum(serialize = "upstream\0request_attempt_count")]
    Attempts,
}

impl Attribute {
    pub(super) const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.as_array().unwrap();

    /// The path of the property.
    #[inline]
    pub(super) fn path(self) -> &'static str {
        self.into()
    }
}

/// The spans whose facts are asked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum AttributeSet {
    /// A SERVER span alone.
    Server,
    /// A CLIENT span alone.
    Client,
    /// Both spans of an edge.
    Both,
}

impl AttributeSet {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.as_array().unwrap();

    /// The list as an expression of CEL.
    pub fn expression(self) -> String {
        let mut text = String::from("[");
        for (index, fact) in self.facts().iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.extend(fact.path().chars().map(|letter| match letter {
                '\0' => '.',
                other => other,
            }));
        }
        text.push(']');
        text
    }

    #[inline]
    pub(super) fn facts(self) -> &'static [Attribute] {
        use Attribute::{Attempts, Duration, Flags, Protocol, Source, StatusCode, Upstream};
        match self {
            Self::Server => &[Duration, Flags, StatusCode, Source, Protocol],
            Self::Client => &[Duration, Flags, StatusCode, Upstream, Attempts],
            Self::Both => &Attribute::ALL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_memory::stream_record::{Record, list};
    use crate::stream_info::answers::Answers;

    #[test]
    fn asks_in_the_language_of_the_proxy() {
        assert_eq!(
            AttributeSet::Client.expression(),
            "[request.duration,response.flags,response.code,upstream.address,upstream.request_attempt_count]"
        );
    }

    #[test]
    fn takes_what_came_in_one_call_and_asks_for_the_rest() {
        let record = Record::default()
            .property("source.address", "10.0.0.1:1")
            .property("upstream.address", "10.0.0.2:2")
            .number("response.flags", 4);
        let two = 2_u64.to_le_bytes();
        let answers = list([&two[..], &two, &two, b"10.0.0.9:9", b"HTTP/2"].into_iter());
        let told = Answers::new(&record, AttributeSet::Server, Some(&answers));
        assert_eq!(told.number(Attribute::Flags), Some(2));
        assert_eq!(
            told.fact(Attribute::Source).as_deref(),
            Some(&b"10.0.0.9:9"[..])
        );
        assert_eq!(
            told.fact(Attribute::Protocol).as_deref(),
            Some(&b"HTTP/2"[..])
        );
        assert_eq!(
            told.fact(Attribute::Upstream).as_deref(),
            Some(&b"10.0.0.2:2"[..])
        );
        for list in [None, Some(&b"\x05\0\0\0"[..]), Some(b"")] {
            let told = Answers::new(&record, AttributeSet::Server, list);
            assert_eq!(told.number(Attribute::Flags), Some(4), "{list:?}");
            assert_eq!(
                told.fact(Attribute::Source).as_deref(),
                Some(&b"10.0.0.1:1"[..])
            );
            assert_eq!(told.fact(Attribute::Protocol), None);
        }
    }
}
