//! The details of a collector's error: `google.rpc.Status`, and the `RetryInfo` in it (OTLP, "Failures").
//!
//! ```text
//! Status    2 message, 3 details (Any: 1 type_url, 2 value)
//! RetryInfo 1 retry_delay (Duration: 1 seconds, 2 nanos)
//! ```
//!
//! In HTTP the Status is the body of an error. In gRPC the Status is base64 in `grpc-status-details-bin`, and its message
//! is also in `grpc-message`, percent-encoded. Bytes that cannot be read count as absent.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use base64::Engine;

use super::settings::Protocol;
use crate::codec::base64::BASE64;
use crate::codec::{percent, protobuf, scan};
use crate::export::answer::Answer;
use crate::export::grpc_frame;
use crate::export::http_body::HttpBody;
use crate::otlp;

/// The server's permission to send the same request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RetryInfo {
    /// The delay before the retry, if the server gives one.
    pub(super) delay: Option<Duration>,
}

/// Finds the `RetryInfo` in `grpc-status-details-bin`.
pub(super) fn retry_info(details: &[u8]) -> Option<RetryInfo> {
    let status = decoded(details)?;
    fields(&status).find_map(|field| match field {
        (STATUS_DETAILS, protobuf::Field::Bytes(any)) => {
            let is_retry_info = bytes(any, ANY_TYPE_URL) == Some(RETRY_INFO);
            is_retry_info.then(|| RetryInfo {
                delay: bytes(any, ANY_VALUE)
                    .and_then(|info| bytes(info, RETRY_INFO_DELAY))
                    .and_then(duration),
            })
        }
        _ => None,
    })
}

/// Returns the collector's message of an error, as it may stand in a log: short, in one line, and nothing but text. The
/// words of the secrets are removed, but for very short ones, because a collector that refuses a key may repeat it.
pub fn message<'a>(
    protocol: Protocol,
    answer: &Answer<'_>,
    secrets: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let grpc_message = answer.grpc.message.filter(|message| !message.is_empty());
    let message = match (protocol, grpc_message) {
        (Protocol::Grpc, Some(message)) => Cow::Owned(percent::decode(message)),
        (Protocol::Grpc, None) => Cow::Borrowed(
            grpc_frame::grpc_message(answer.body)
                .and_then(otlp::response::partial_success_message)?,
        ),
        (Protocol::HttpProtobuf, _) => match HttpBody::read(answer) {
            HttpBody::Protobuf(body) if matches!(answer.status, Some([b'2', ..])) => {
                Cow::Borrowed(otlp::response::partial_success_message(body)?)
            }
            HttpBody::Protobuf(body) => Cow::Borrowed(bytes(body, STATUS_MESSAGE)?),
            HttpBody::Json(json) if !json.message.is_empty() => {
                Cow::Owned(json.message.into_bytes())
            }
            // Pages of proxies and of login forms say who has answered.
            HttpBody::Json(_) | HttpBody::Other(_) => Cow::Borrowed(answer.body),
        },
    };
    let mut text = String::from_utf8_lossy(&message);
    let words = secrets.into_iter().flat_map(str::split_whitespace);
    for word in words.filter(|word| word.len() >= MIN_SECRET) {
        if let Some(hidden) = without(&text, word) {
            text = Cow::Owned(hidden);
        }
    }
    let mut line = String::new();
    for character in text.trim().chars().take(MAX_SAID) {
        // Escaped, because line ends would start a log line in the proxy's name, and escape sequences reach a terminal.
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            line.extend(character.escape_unicode());
        } else {
            line.push(character);
        }
    }
    Some(line).filter(|line| !line.is_empty())
}

/// Returns the text without a word; `None` where the word is not in it.
fn without(text: &str, word: &str) -> Option<String> {
    let mut hidden = String::new();
    let mut rest = text;
    while let Some(at) = scan::find(rest.as_bytes(), word.as_bytes()) {
        hidden.push_str(rest.get(..at)?);
        hidden.push('…');
        rest = rest.get(at.saturating_add(word.len())..)?;
    }
    if rest.len() == text.len() {
        return None;
    }
    hidden.push_str(rest);
    Some(hidden)
}

fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    // Three bytes for every four characters, rounded up.
    let room = text.len().div_ceil(4).saturating_mul(3);
    let mut bytes = vec![0; room.min(MAX_DETAILS)];
    let length = BASE64.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

fn duration(message: &[u8]) -> Option<Duration> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in fields(message) {
        match field {
            (DURATION_SECONDS, protobuf::Field::Number(number)) => seconds = number,
            (DURATION_NANOS, protobuf::Field::Number(number)) => nanos = number,
            _ => {}
        }
    }
    // A negative number has its highest bit set, and is no delay.
    let seconds = i64::try_from(seconds).ok()?.unsigned_abs();
    let nanos = u32::try_from(nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}

/// Returns the first field of this number that is text, bytes or a message.
fn bytes(message: &[u8], field: u64) -> Option<&[u8]> {
    fields(message).find_map(|(number, value)| match value {
        protobuf::Field::Bytes(bytes) if number == field => Some(bytes),
        _ => None,
    })
}

fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, protobuf::Field<'_>)> {
    core::iter::from_fn(move || protobuf::read(&mut message))
}

const STATUS_MESSAGE: u64 = 2;
const STATUS_DETAILS: u64 = 3;
const ANY_TYPE_URL: u64 = 1;
const ANY_VALUE: u64 = 2;
const RETRY_INFO_DELAY: u64 = 1;
const DURATION_SECONDS: u64 = 1;
const DURATION_NANOS: u64 = 2;
const RETRY_INFO: &[u8] = b"type.googleapis.com/google.rpc.RetryInfo";
/// The shortest word that is removed, because shorter words are no secrets and stand everywhere.
const MIN_SECRET: usize = 4;
/// The largest number of characters of a message that are logged.
const MAX_SAID: usize = 256;
/// The largest size of decoded details: Envoy's default limit for all headers together.
const MAX_DETAILS: usize = 60 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::answer::Grpc;
    use alloc::string::ToString;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

    fn told(protocol: Protocol, answer: &Answer<'_>) -> Option<String> {
        super::message(protocol, answer, [])
    }

    /// `Status {code, message: "slow down", details}`, each detail by its type and its value.
    fn status(details: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        protobuf::number(&mut out, 1, 8);
        protobuf::bytes(&mut out, STATUS_MESSAGE, b"slow down");
        for (kind, value) in details {
            protobuf::message(&mut out, STATUS_DETAILS, 1, |out| {
                protobuf::bytes(out, ANY_TYPE_URL, kind);
                protobuf::bytes(out, ANY_VALUE, value);
            });
        }
        out
    }

    fn retry_after(seconds: u64, nanos: u64) -> Vec<u8> {
        let mut out = Vec::new();
        protobuf::message(&mut out, RETRY_INFO_DELAY, 1, |out| {
            protobuf::number(out, DURATION_SECONDS, seconds);
            protobuf::number(out, DURATION_NANOS, nanos);
        });
        out
    }

    fn text(bytes: &[u8], engine: &impl Engine) -> Vec<u8> {
        let mut text = vec![0; bytes.len() * 2 + 4];
        let length = engine.encode_slice(bytes, &mut text).unwrap();
        text.truncate(length);
        text
    }

    #[test]
    fn rt_9_finds_the_delay_in_base64_with_and_without_padding() {
        let other: (&[u8], &[u8]) = (b"type.googleapis.com/google.rpc.DebugInfo", b"\x0a\x01x");
        for length in 0..4 {
            // Every length of padding comes up.
            let filler = vec![b'x'; length];
            let delay = retry_after(2, 500_000_000);
            let status = status(&[(&filler, b"y"), other, (RETRY_INFO, &delay)]);
            for text in [text(&status, &STANDARD), text(&status, &STANDARD_NO_PAD)] {
                let found = retry_info(&text).unwrap();
                assert_eq!(found.delay, Some(Duration::from_millis(2500)), "{length}");
            }
        }
    }

    #[test]
    fn rt_9_a_retry_info_without_a_delay_is_one_nevertheless() {
        for value in [
            &b""[..],
            &retry_after(u64::MAX, 0),
            &retry_after(1, 1_000_000_000),
            b"\xff",
        ] {
            let text = text(&status(&[(RETRY_INFO, value)]), &STANDARD);
            assert_eq!(
                retry_info(&text),
                Some(RetryInfo { delay: None }),
                "{value:?}"
            );
        }
        let zero = text(&status(&[(RETRY_INFO, &retry_after(0, 0))]), &STANDARD);
        let zero_delay = retry_info(&zero).unwrap().delay;
        assert!(zero_delay.is_none_or(|delay| delay.is_zero()));
    }

    #[test]
    fn rt_9_believes_no_byte() {
        let whole = text(&status(&[(RETRY_INFO, &retry_after(1, 0))]), &STANDARD);
        assert!(retry_info(&whole).is_some());
        for end in 0..whole.len() {
            retry_info(&whole[..end]);
            for byte in 0..=255 {
                let mut changed = whole.clone();
                changed[end] = byte;
                retry_info(&changed);
            }
        }
        assert_eq!(retry_info(&text(&status(&[]), &STANDARD)), None);
        assert_eq!(
            retry_info(&vec![b'A'; 200_000]),
            None,
            "more than any header"
        );
    }

    #[test]
    fn rt_7_repeats_the_message_of_an_error_in_one_short_line() {
        let long = "é".repeat(1_000);
        for (message, expected) in [
            ("no such tenant", "no such tenant".to_string()),
            (
                "a\r\n[info] b\u{1b}[2J",
                r"a\u{d}\u{a}[info] b\u{1b}[2J".to_string(),
            ),
            (&*long, "é".repeat(256)),
        ] {
            let mut body = Vec::new();
            protobuf::number(&mut body, 1, 3);
            protobuf::bytes(&mut body, STATUS_MESSAGE, message.as_bytes());
            let answer = Answer {
                status: Some(b"400"),
                body: &body,
                ..Answer::default()
            };
            assert_eq!(told(Protocol::HttpProtobuf, &answer), Some(expected));
        }
        for body in [&b""[..], b"\x12\x05abc", b"\x12\x01 "] {
            let answer = Answer {
                status: Some(b"404"),
                body,
                ..Answer::default()
            };
            assert_eq!(told(Protocol::HttpProtobuf, &answer), None, "{body:?}");
        }
        for (status, content_type, body, expected) in [
            (
                "301",
                "text/html",
                "<html>\r\nmoved</html>",
                r"<html>\u{d}\u{a}moved</html>",
            ),
            ("401", "text/plain", "no key\n", "no key"),
            (
                "413",
                "application/json",
                r#"{"code": 3, "message": "too large"}"#,
                "too large",
            ),
            (
                "413",
                "application/json",
                r#"{"error": "too large"}"#,
                r#"{"error": "too large"}"#,
            ),
            ("404", "", "<html>404</html>", "<html>404</html>"),
            (
                "200",
                "text/html",
                "<html>log in</html>",
                "<html>log in</html>",
            ),
            (
                "200",
                "application/json",
                r#"{"partialSuccess": {"errorMessage": "old"}}"#,
                "old",
            ),
        ] {
            let answer = Answer {
                status: Some(status.as_bytes()),
                content_type: Some(content_type.as_bytes()),
                body: body.as_bytes(),
                ..Answer::default()
            };
            let said = told(Protocol::HttpProtobuf, &answer);
            assert_eq!(said.as_deref(), Some(expected), "{status} {body}");
        }
    }

    #[test]
    fn rt_7_repeats_grpcs_message_decoded() {
        for (message, expected) in [
            ("plain", "plain"),
            ("caf%C3%A9", "café"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("a%0Ab", r"a\u{a}b"),
            ("%FF", "\u{fffd}"),
        ] {
            let answer = Answer {
                status: Some(b"200"),
                grpc: Grpc {
                    status: Some(b"3"),
                    message: Some(message.as_bytes()),
                    details: None,
                },
                ..Answer::default()
            };
            assert_eq!(told(Protocol::Grpc, &answer).as_deref(), Some(expected));
        }
    }

    #[test]
    fn rt_7_repeats_no_secret() {
        for (message, expected) in [
            ("bad token abc-123!", "bad token …!"),
            ("no Bearer abc-123abc-123", "no … ……"),
            ("a b 12", "a b 12"),
        ] {
            let mut body = Vec::new();
            protobuf::bytes(&mut body, STATUS_MESSAGE, message.as_bytes());
            let answer = Answer {
                status: Some(b"401"),
                body: &body,
                ..Answer::default()
            };
            let secrets = ["Bearer abc-123", "12", ""];
            let line = super::message(Protocol::HttpProtobuf, &answer, secrets);
            assert_eq!(line.as_deref(), Some(expected));
        }
    }

    #[test]
    fn rt_2_repeats_why_spans_were_rejected() {
        let partial = b"\x0a\x0c\x08\x03\x12\x08too late";
        let http = Answer {
            status: Some(b"200"),
            body: partial,
            ..Answer::default()
        };
        assert_eq!(
            told(Protocol::HttpProtobuf, &http).as_deref(),
            Some("too late")
        );
        let framed = [
            &grpc_frame::grpc_prefix(partial.len(), crate::export::settings::Compression::None)[..],
            partial,
        ]
        .concat();
        let grpc = Answer {
            body: &framed,
            grpc: Grpc {
                status: Some(b"0"),
                message: Some(b""),
                details: None,
            },
            ..http
        };
        assert_eq!(told(Protocol::Grpc, &grpc).as_deref(), Some("too late"));
    }
}
