use alloc::format;
use alloc::string::String;

use super::*;
use crate::in_memory::header_list::HeaderList;
use crate::propagation::vector::{S, T, T64, lines, saying};

const TRACE_ID: &str = "ot-tracer-traceid";
const SPAN_ID: &str = "ot-tracer-spanid";
const SAMPLED: &str = "ot-tracer-sampled";

fn read(headers: &[(&str, &str)]) -> Extracted {
    extract(&HeaderList::new(headers.iter().copied()).as_request())
}

fn ids(trace_id: &str, span_id: &str) -> Extracted {
    read(&[(TRACE_ID, trace_id), (SPAN_ID, span_id), (SAMPLED, "true")])
}

/// Good ids, and this state.
fn sampled(word: &str) -> Extracted {
    read(&[(TRACE_ID, T64), (SPAN_ID, S), (SAMPLED, word)])
}

fn short(sampling: SamplingState) -> SpanContext {
    SpanContext {
        trace_id: TraceId::from_short_hex(T64.as_bytes()).unwrap(),
        span_id: SpanId::from_hex(S.as_bytes()).ok(),
        sampling,
        random: false,
        short_trace_id: true,
    }
}

fn long(sampling: SamplingState) -> SpanContext {
    SpanContext {
        trace_id: TraceId::from_hex(T.as_bytes()).unwrap(),
        short_trace_id: false,
        ..short(sampling)
    }
}

fn found(sampling: SamplingState) -> Extracted {
    Extracted::Context(short(sampling))
}

/// Returns the headers that leave, where these formats told of the trace; `None` where the format cannot carry the context.
fn written(
    context: Option<SpanContext>,
    same_trace: &[Format],
    before: &[(&str, &str)],
) -> Option<HeaderList> {
    let outgoing = Outgoing {
        same_trace: same_trace.iter().copied().collect(),
        ..saying(context, SamplingState::Deny)
    };
    let before = HeaderList::new(before.iter().copied());
    let mut after = before.clone();
    let is_written = inject(&outgoing, &before.as_request(), &mut after);
    if !is_written {
        assert_eq!(before, after, "what is not written is not touched");
    }
    is_written.then_some(after)
}

fn three_lines(word: &str) -> [String; 3] {
    [
        format!("{SAMPLED}: {word}"),
        format!("{SPAN_ID}: {S}"),
        format!("{TRACE_ID}: {T64}"),
    ]
}

#[test]
fn ot_1_reads_three_headers() {
    assert_eq!(sampled("true"), found(SamplingState::Accept));
    assert_eq!(sampled("false"), found(SamplingState::Deny));
    assert_eq!(read(&[("b3", "0")]), Extracted::Absent);
    let answer = read(&[
        ("Ot-Tracer-TraceId", T64),
        ("OT-TRACER-SPANID", S),
        ("ot-tracer-sampled", " true\t"),
    ]);
    assert_eq!(answer, found(SamplingState::Accept));
}

#[test]
fn ot_1_wants_both_ids() {
    for (headers, refusal) in [
        (&[(TRACE_ID, T64), (SAMPLED, "true")][..], Refusal::SpanId),
        (&[(SPAN_ID, S), (SAMPLED, "true")], Refusal::TraceId),
        (&[(SAMPLED, "true")], Refusal::TraceId),
    ] {
        assert_eq!(read(headers), Extracted::malformed(refusal), "{headers:?}");
    }
}

#[test]
fn takes_the_first_of_repeated_lines() {
    let answer = read(&[
        (TRACE_ID, T64),
        (TRACE_ID, T),
        (SPAN_ID, S),
        (SPAN_ID, "x"),
        (SAMPLED, "true"),
        (SAMPLED, "false"),
    ]);
    assert_eq!(answer, found(SamplingState::Accept));
}

#[test]
fn ot_2_reads_ids_of_either_length() {
    assert_eq!(
        ids(T, S),
        Extracted::Context(long(SamplingState::Accept)),
        "32 digits"
    );
    assert_eq!(ids(T64, S), found(SamplingState::Accept), "16 digits");
    let Extracted::Context(context) = ids("abc", "def") else {
        panic!("short ids are ids");
    };
    assert_eq!(&context.trace_id.to_short_hex(), b"0000000000000abc");
    assert!(context.short_trace_id);
    assert_eq!(
        ids(&T64.to_ascii_uppercase(), &S.to_ascii_uppercase()),
        found(SamplingState::Accept)
    );
}

#[test]
fn ot_2_reads_words_of_any_case_and_numbers() {
    for (word, sampling) in [
        ("1", SamplingState::Accept),
        ("0", SamplingState::Deny),
        ("TRUE", SamplingState::Accept),
        ("True", SamplingState::Accept),
        ("False", SamplingState::Deny),
    ] {
        assert_eq!(sampled(word), found(sampling), "{word}");
    }
}

#[test]
fn ot_2_defers_without_a_decision() {
    let answer = read(&[(TRACE_ID, T64), (SPAN_ID, S)]);
    assert_eq!(answer, found(SamplingState::Deferred));
    assert_eq!(sampled(""), found(SamplingState::Deferred));
}

#[test]
fn ot_2_passes_an_open_decision_on_and_translates_none() {
    let open = short(SamplingState::Deferred);
    for before in [
        &[(TRACE_ID, T64), (SPAN_ID, S)][..],
        &[(TRACE_ID, T64), (SPAN_ID, S), (SAMPLED, "yes")],
    ] {
        let after = written(Some(open), &[Format::OtTrace], before);
        assert_eq!(lines(&after.unwrap()), three_lines("")[1..]);
        let translated = written(Some(open), &[Format::B3], before);
        assert_eq!(translated, None);
    }
}

#[test]
fn ot_3_writes_the_right_half_of_the_trace_id() {
    for (sampling, word) in [
        (SamplingState::Accept, "true"),
        (SamplingState::Debug, "true"),
        (SamplingState::Deny, "false"),
    ] {
        for context in [long(sampling), short(sampling)] {
            let after = written(Some(context), &[], &[(SAMPLED, "yes")]);
            assert_eq!(lines(&after.unwrap()), three_lines(word));
        }
    }
    let mut without_words = long(SamplingState::Accept);
    without_words.trace_id = TraceId::from_halves(1, 0).unwrap();
    assert_eq!(written(Some(without_words), &[], &[]), None);
}

#[test]
fn ot_3_reads_a_span_id_without_its_leading_zeros() {
    assert_eq!(ids(T64, "f067aa0ba902b7"), found(SamplingState::Accept));
}

#[test]
fn ot_4_takes_another_word_for_an_open_decision() {
    for word in ["yes", "2", "01", "d", "tru", "true,false", "\u{e9}"] {
        assert_eq!(sampled(word), found(SamplingState::Deferred), "{word}");
    }
}

#[test]
fn refuses_every_flawed_id_for_itself() {
    let zeros = "0".repeat(32);
    assert_eq!(ids(T64, S), found(SamplingState::Accept));
    for (trace_id, span_id, refusal) in [
        ("", S, Refusal::TraceId),
        (&format!("0{T}"), S, Refusal::TraceId),
        (&format!("g{}", &T64[1..]), S, Refusal::TraceId),
        (&format!("{T64},{T64}"), S, Refusal::TraceId),
        (&zeros, S, Refusal::TraceIdZero),
        ("0", S, Refusal::TraceIdZero),
        (T64, "", Refusal::SpanId),
        (T64, &format!("0{S}"), Refusal::SpanId),
        (T64, &format!("-{}", &S[1..]), Refusal::SpanId),
        (T64, &zeros[..16], Refusal::SpanIdZero),
        (T64, "0", Refusal::SpanIdZero),
    ] {
        assert_eq!(
            ids(trace_id, span_id),
            Extracted::malformed(refusal),
            "{trace_id} {span_id}"
        );
    }
}

#[test]
fn has_no_words_without_ids() {
    let mut without_span = short(SamplingState::Accept);
    without_span.span_id = None;
    for context in [None, Some(without_span)] {
        assert_eq!(written(context, &[Format::OtTrace], &[]), None);
    }
}

#[test]
fn never_panics_whatever_byte_stands_where() {
    for trace_id in [T64, T] {
        let valid = [(TRACE_ID, trace_id), (SPAN_ID, S), (SAMPLED, "true")];
        for which in 0..valid.len() {
            for at in 0..valid[which].1.len() {
                for byte in 0..=255_u8 {
                    let mut headers = valid.map(|(name, value)| (name, value.as_bytes().to_vec()));
                    headers[which].1[at] = byte;
                    let list = HeaderList::new(headers);
                    let Extracted::Context(context) = extract(&list.as_request()) else {
                        continue;
                    };
                    // 16 digits are written of every id.
                    let again = SpanContext {
                        trace_id: TraceId::from_halves(0, context.trace_id.right_half()).unwrap(),
                        short_trace_id: true,
                        ..context
                    };
                    let after = written(Some(context), &[Format::OtTrace], &[]).unwrap();
                    assert_eq!(extract(&after.as_request()), Extracted::Context(again));
                }
            }
        }
    }
}
