//! The attributes of an exchange that the proxy answers at its end, in one call.
//!
//! A call to the proxy that answers with bytes is expensive, whatever the bytes are, because the proxy enters the
//! module once more to allocate memory for them. Envoy evaluates expressions of CEL, and a list of attributes is one:
//! the answer has the form of a header map whose keys are the elements (`serializeValue`, "list"). An unknown element
//! makes the whole list fail, and a proxy may have been built without CEL: then each attribute is read with a call of
//! its own.

use alloc::string::String;

use strum::{IntoStaticStr, VariantArray};

/// An attribute of the spans of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub(crate) enum Attribute {
    /// The start of the request in nanoseconds since the epoch, before any filter ran.
    #[strum(serialize = "request\0time")]
    Start,
    /// The duration of the request in nanoseconds, by a clock that never steps back.
    #[strum(serialize = "request\0duration")]
    Duration,
    /// Envoy's response flags as one number.
    #[strum(serialize = "response\0flags")]
    Flags,
    /// The status code of the response.
    #[strum(serialize = "response\0code")]
    StatusCode,
    /// The address of the calling peer, `ip:port`.
    #[strum(serialize = "source\0address")]
    Source,
    /// The protocol of the request, such as `HTTP/1.1`.
    #[strum(serialize = "request\0protocol")]
    Protocol,
    /// The address of the called peer, `ip:port`.
    #[strum(serialize = "upstream\0address")]
    Upstream,
    /// The number of attempts.
    #[strum(serialize = "upstream\0request_attempt_count")]
    Attempts,
    /// The proxy's name of the called cluster.
    #[strum(serialize = "xds\0cluster_name")]
    Cluster,
}

impl Attribute {
    pub(super) const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.as_array().unwrap();

    /// The attributes that every span needs, all of them numbers; the first of all and of each list.
    pub(super) const NUMBERS: [Self; 4] =
        [Self::Start, Self::Duration, Self::Flags, Self::StatusCode];

    /// Returns the path of the property.
    #[inline]
    pub(super) fn path(self) -> &'static str {
        self.into()
    }
}

/// The attributes that are read together, by the spans that need them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum AttributeSet {
    /// The attributes of a SERVER span.
    Server,
    /// The attributes of a CLIENT span.
    Client,
    /// The attributes of both spans of an edge.
    Both,
    /// The attributes that decide on pending spans; `ending` knows their order.
    Ending,
}

impl AttributeSet {
    /// All sets, in the order of their declaration.
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.as_array().unwrap();

    /// Returns the list as an expression of CEL.
    pub fn expression(self) -> String {
        let mut text = String::from("[");
        let numbers = match self {
            Self::Ending => &[][..],
            _ => &Attribute::NUMBERS,
        };
        for (index, attribute) in numbers.iter().chain(self.others()).enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.extend(attribute.path().chars().map(|letter| match letter {
                '\0' => '.',
                other => other,
            }));
        }
        text.push(']');
        text
    }

    /// Returns the attributes behind [`Attribute::NUMBERS`].
    #[inline]
    pub(super) fn others(self) -> &'static [Attribute] {
        use Attribute::{Attempts, Cluster, Flags, Protocol, Source, StatusCode, Upstream};
        match self {
            Self::Server => &[Source, Protocol],
            Self::Client => &[Upstream, Attempts, Cluster],
            Self::Both => &[Source, Protocol, Upstream, Attempts, Cluster],
            Self::Ending => &[Flags, StatusCode],
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
            "[request.time,request.duration,response.flags,response.code,upstream.address,upstream.request_attempt_count,xds.cluster_name]"
        );
    }

    #[test]
    fn takes_what_came_in_one_call_and_asks_for_the_rest() {
        let record = Record::default()
            .property("source.address", "10.0.0.1:1")
            .property("upstream.address", "10.0.0.2:2")
            .number("response.flags", 4);
        let two = 2_u64.to_le_bytes();
        let answers = list([&two[..], &two, &two, &two, b"10.0.0.9:9", b"HTTP/2"].into_iter());
        let answers = Answers::new(&record, AttributeSet::Server, Some(&answers));
        assert_eq!(answers.number(Attribute::Flags), Some(2));
        assert_eq!(
            answers.attribute(Attribute::Source).as_deref(),
            Some(&b"10.0.0.9:9"[..])
        );
        assert_eq!(
            answers.attribute(Attribute::Protocol).as_deref(),
            Some(&b"HTTP/2"[..])
        );
        assert_eq!(
            answers.attribute(Attribute::Upstream).as_deref(),
            Some(&b"10.0.0.2:2"[..])
        );
        for list in [None, Some(&b"\x05\0\0\0"[..]), Some(b"")] {
            let answers = Answers::new(&record, AttributeSet::Server, list);
            assert_eq!(answers.number(Attribute::Flags), Some(4), "{list:?}");
            assert_eq!(
                answers.attribute(Attribute::Source).as_deref(),
                Some(&b"10.0.0.1:1"[..])
            );
            assert_eq!(answers.attribute(Attribute::Protocol), None);
        }
    }
}
