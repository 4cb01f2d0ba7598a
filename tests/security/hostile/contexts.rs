//! What leaves as a context: well formed, one line a header, and the same context in every format.

use sidespan_core::direction::Direction;
use sidespan_core::headers::Name;
use sidespan_core::propagation::format::Format;
use sidespan_tests::dialect::{self, Context, State};

use super::generate::Generated;

/// A name and a value as they left.
pub(in crate::security) type Line = (Vec<u8>, Vec<u8>);

/// Returns the context that left in all formats.
///
/// # Panics
/// When one is missing, malformed, or another.
pub(in crate::security) fn agreed(generated: &Generated, left: &[Line]) -> Context {
    let text = |name: &str| {
        let value = left.iter().find(|(other, _)| other == name.as_bytes());
        let value = value.map(|(_, value)| String::from_utf8(value.clone()).expect("ASCII"));
        // Of a received priority that says what was decided, any number leaves (DD-4), and any is read (DD-3).
        let is_priority = name == "x-datadog-sampling-priority";
        value.map(|value| match value.parse::<i32>() {
            Ok(priority) if is_priority => priority.clamp(-1, 2).to_string(),
            _ => value,
        })
    };
    let mut one: Option<Context> = None;
    for format in Format::ALL {
        for name in format.headers() {
            let of_name = left
                .iter()
                .filter(|(other, _)| other == name.as_str().as_bytes());
            let lines: Vec<_> = of_name.collect();
            assert!(lines.len() <= 1, "{name:?}: {lines:?}");
            for (_, value) in lines {
                let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
                let is_plain = value.iter().all(is_plain) && value.len() <= 4_200;
                // Datadog's origin is any text, and that of the context that goes on stays its sender's.
                let is_word = name.as_str() == "x-datadog-origin" && came(generated, *name, value);
                assert!(is_plain || is_word, "{name:?}: {}", value.escape_ascii());
            }
        }
        // No more than half of an id has room there, and a half of zeros is none.
        let has_half = !matches!(format, Format::OtTrace | Format::Datadog);
        let Some(context) = dialect::read(format, text) else {
            let is_there = format
                .headers()
                .iter()
                .any(|name| text(name.as_str()).is_some());
            assert!(
                !has_half && !is_there,
                "{format:?} is missing or broken in {}",
                shown(left)
            );
            continue;
        };
        let is_zero = |id: &str| id.bytes().all(|digit| digit == b'0');
        assert!(
            !is_zero(&context.trace_id) && !is_zero(&context.span_id),
            "{context:?}"
        );
        let first = one.get_or_insert_with(|| context.clone());
        assert_eq!(context.trace_id[16..], first.trace_id[16..], "{format:?}");
        assert_eq!(context.span_id, first.span_id, "{format:?}");
        // Of a trace that began in a browser the decision is left to Datadog (DD-5).
        let is_left_open = format == Format::Datadog
            && context.state == State::Deferred
            && text("x-datadog-origin").as_deref() == Some("rum");
        assert!(
            is_left_open || is_recorded(&context) == is_recorded(first),
            "{format:?}: {context:?}, {first:?}"
        );
        if format != Format::OtTrace {
            assert_eq!(context.trace_id, first.trace_id, "{format:?}");
        }
    }
    if let Some(tags) = text("x-datadog-tags") {
        let is_tag = |tag: &str| {
            tag.split_once('=')
                .is_some_and(|(name, value)| !name.contains(' ') && !value.is_empty())
        };
        assert!(tags.len() <= 512 && tags.split(',').all(is_tag), "{tags}");
    }
    if let Some(list) = text("tracestate") {
        assert!(list.split(',').count() <= 32 && !list.is_empty(), "{list}");
    }
    one.expect("a context leaves")
}

/// Returns true if the header is one of a format's.
pub(in crate::security) fn is_context(name: &[u8]) -> bool {
    let mut names = Format::ALL.iter().flat_map(|format| format.headers());
    names.any(|listed| listed.as_str().as_bytes() == name)
}

/// Returns how many spans a request makes whose context left so.
///
/// # Panics
/// When the context is undecided.
pub(in crate::security) fn spans(context: &Context, direction: Direction) -> u64 {
    let spans = match direction {
        Direction::Edge => 2,
        Direction::Inbound | Direction::Outbound => 1,
    };
    match context.state {
        State::Sampled | State::Debug => spans,
        State::Unsampled => 0,
        State::Deferred => panic!("undecided: {context:?}"),
    }
}

/// Returns true if the request has this line, which may have white space around its value.
fn came(generated: &Generated, name: Name, value: &[u8]) -> bool {
    let mut lines = generated.headers.iter();
    lines.any(|(other, sent)| *other == name.as_str() && sent.trim_ascii() == value)
}

/// Returns the contexts among the lines, as text.
pub(in crate::security) fn shown(left: &[Line]) -> String {
    let lines = left.iter().map(|(name, value)| {
        let value = &value[..value.len().min(300)];
        format!("{}: {}\n", name.escape_ascii(), value.escape_ascii())
    });
    lines.collect()
}

fn is_recorded(context: &Context) -> bool {
    matches!(context.state, State::Sampled | State::Debug)
}
