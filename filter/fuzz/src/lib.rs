//! Helpers of the fuzz targets: headers from bytes, and properties that hold whatever the bytes are.
//!
//! A format reads from its own headers the context that was written; it writes one line of each header; and it writes its
//! own headers again without a change. The targets in `fuzz_targets/` say where their bytes go and call these functions.

use sidespan_core::config::Config;
use sidespan_core::direction::Direction;
use sidespan_core::filter::{Filter, StreamState};
use sidespan_core::id_generator::SequentialBytes;
use sidespan_core::in_memory::header_list::HeaderList;
use sidespan_core::in_memory::proxy::InMemoryProxy;
use sidespan_core::in_memory::stream_record::Record;
use sidespan_core::node::Node;
use sidespan_core::propagation;
use sidespan_core::propagation::context::{Outgoing, SamplingState};
use sidespan_core::propagation::extract::Extraction;
use sidespan_core::propagation::format::Format;
use sidespan_core::propagation::settings::{Propagation, Trust};
use sidespan_core::propagation::tracestate::Tracestate;
use sidespan_core::span::Span;
use sidespan_core::stats::Stats;
use sidespan_core::time::Nanos;

/// Makes the headers of a format from one line of the input for each in turn; a line `~` leaves its header out.
pub fn lines_of(format: Format, input: &[u8]) -> HeaderList {
    let names = format.headers().iter().cycle();
    let lines = input.split(|byte| *byte == b'\n').zip(names);
    HeaderList::new(
        lines
            .filter(|(line, _)| *line != b"~")
            .map(|(line, name)| (name.as_str(), line)),
    )
}

/// Makes headers as in HTTP/1, from lines of a name, `: ` and a value; leaves out lines whose name is no text.
pub fn headers(input: &[u8]) -> HeaderList {
    let lines = input.split(|byte| *byte == b'\n');
    HeaderList::new(lines.filter_map(|line| {
        let colon = line.windows(2).position(|pair| pair == b": ")?;
        let (name, value) = line.split_at_checked(colon)?;
        Some((std::str::from_utf8(name).ok()?, value.get(2..)?))
    }))
}

/// Extracts the context from a list of headers, with trust in Jaeger's debug bit.
pub fn extract<'a>(formats: &[Format], list: &'a HeaderList) -> Extraction<'a> {
    let trust = Trust {
        jaeger_debug: true,
        ..Trust::default()
    };
    let headers = list.as_request();
    propagation::extract(formats, &trust, &headers, &mut Stats::default())
}

/// Returns the headers behind a proxy that reads and writes these formats and decides nothing.
pub fn translate(formats: &[Format], list: &HeaderList) -> HeaderList {
    let propagation = Propagation {
        extract: formats.into(),
        inject: formats.into(),
        ..Propagation::default()
    };
    let headers = list.as_request();
    let found = extract(formats, list);
    let tracestate: Tracestate<'_> = propagation::state_members::add_state_members(
        found.tracestate.clone(),
        found.context,
        found.same_trace,
        &headers,
        &mut Stats::default(),
    );
    let outgoing = Outgoing {
        context: found.context,
        decision: found.decision,
        tracestate: &tracestate,
        same_trace: found.same_trace,
        present: found.present,
        request_ids: found.request_ids,
        traceparent: Default::default(),
    };
    let mut after = list.clone();
    propagation::inject(&(&propagation).into(), &outgoing, &headers, &mut after);
    after
}

/// Checks one format alone: the context that was read is written in one line of each header, and read again.
pub fn one_format(format: Format, list: &HeaderList) {
    let after = translate(&[format], list);
    let (read, again) = (extract(&[format], list), extract(&[format], &after));
    has_one_line_each(&after);
    if let Some(mut context) = read.context {
        context.short_trace_id = false;
        if format == Format::OtTrace && !context.trace_id.is_short() {
            // The format has room for the right half only, and a half of zeros is no id.
            let kept = again.context.map(|again| again.trace_id);
            let has_half = context.trace_id.right_half() != 0;
            assert_eq!(
                kept.map(|id| id.right_half()),
                has_half.then(|| context.trace_id.right_half())
            );
        } else if format != Format::Datadog || context.trace_id.right_half() != 0 {
            let again = again.context.map(|mut again| {
                again.short_trace_id = false;
                again
            });
            assert_eq!(again, Some(context), "{list:?} became {after:?}");
        }
    } else if matches!(format, Format::B3 | Format::B3Multi) {
        assert_eq!(again.decision, read.decision);
    } else {
        assert!(again.present.is_empty(), "{list:?} became {after:?}");
    }
    assert_eq!(translate(&[format], &after), after, "from {list:?}");
}

/// Checks that every format that is present has the same trace id, or its right half, and the same decision.
pub fn all_agree(list: &HeaderList) {
    has_one_line_each(list);
    let whole = extract(&Format::ALL, list);
    for format in Format::ALL {
        let alone = extract(&[format], list);
        if alone.present.is_empty() {
            continue;
        }
        match (whole.context, alone.context) {
            (Some(whole), Some(alone)) => {
                assert!(whole.trace_id.is_same_trace(alone.trace_id), "{list:?}");
                assert_eq!(
                    whole.sampling.without_debug(),
                    alone.sampling.without_debug(),
                    "{list:?}"
                );
                assert!(alone.span_id.is_none() || alone.span_id == whole.span_id);
            }
            (None, None) => {
                assert_eq!(whole.decision, alone.decision, "{list:?}");
                assert_ne!(alone.decision, SamplingState::Deferred, "{list:?}");
            }
            _ => panic!("{format:?} is stale in {list:?}"),
        }
    }
}

/// Checks that no header of any format has two lines.
pub fn has_one_line_each(list: &HeaderList) {
    for name in Format::ALL.iter().flat_map(|format| format.headers()) {
        let lines = list.iter().filter(|(other, _)| *other == name.as_str());
        assert!(lines.count() <= 1, "{name:?} in {list:?}");
    }
}

/// A filter after one finished stream.
pub type Passed = Filter<InMemoryProxy, SequentialBytes, Vec<Span>>;

/// Runs one stream through a new filter: its request, its response, and its end a nanosecond later. Without trailers the
/// response breaks off.
pub fn pass(
    config: &Config,
    direction: Direction,
    request: &HeaderList,
    record: &Record,
    has_trailers: bool,
) -> Passed {
    let proxy = InMemoryProxy::default();
    proxy.face(direction);
    proxy.now.set(Nanos(1));
    proxy.open(request.clone());
    let (node, random) = (Node::default(), SequentialBytes(1));
    let mut filter = Filter::new(config, &node, "", proxy, random, Some(Vec::new()), None);
    let mut stream = StreamState::default();
    filter.on_request_headers(&mut stream);
    filter.proxy.respond(record.clone());
    filter.on_response_headers(&mut stream, false);
    if has_trailers {
        filter.on_response_trailers(&mut stream);
    }
    filter.proxy.now.set(Nanos(2));
    filter.on_end(&mut stream);
    filter
}
