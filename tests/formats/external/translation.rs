//! A service that speaks only one format calls a service that speaks only another, through two sidecars: all 81 pairs.
//!
//! Each request is a [`Journey`] of `translation/mesh.rs`, sampled, not sampled, and as debug or undecided where the caller
//! can express that. Both sidecars write all nine formats and sample nothing by themselves, so that a lost decision shows
//! as a missing trace. The journeys are made once; each test checks all of them for one promise.

mod losses;
mod mesh;

use std::sync::OnceLock;

use sidespan_core::propagation::format::Format;
use sidespan_sink::{SpanKind, StoredSpan};
use sidespan_tests::dialect::{self, Context, State};
use sidespan_tests::envoy::{counter, settle};
use sidespan_tests::readme;

use mesh::{Journey, Mesh};

#[test]
fn every_dialect_reads_what_it_writes() {
    for format in Format::ALL {
        for state in State::ALL {
            for left_half in ["4bf92f3577b34da6", "0000000000000000"] {
                let said = Context {
                    trace_id: format!("{left_half}a3ce929d0e0e4736"),
                    span_id: "00f067aa0ba902b7".into(),
                    state,
                };
                let lines = dialect::write(format, &said);
                let value = |name: &str| {
                    let mut found = lines.iter().filter(|(own, _)| *own == name);
                    found.next().map(|(_, value)| value.clone())
                };
                let is_cut = format == Format::OtTrace && !said.is_narrow();
                if dialect::can_say(format, state) && !is_cut {
                    assert_eq!(dialect::read(format, value), Some(said), "{format:?}");
                }
            }
        }
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_trace_is_one_through_all_81_pairs() {
    for journey in journeys() {
        let expected = Context {
            trace_id: journey.trace_id_at(journey.service),
            span_id: String::new(),
            state: journey.arriving_state().in_words_of(journey.service),
        };
        let at_app = journey.at_app().expect("a context");
        assert_ne!(at_app.span_id, journey.said.span_id, "MAP-12: {journey}");
        let at_app = Context {
            span_id: String::new(),
            ..at_app
        };
        assert_eq!(at_app, expected, "{journey}");
        for format in Format::ALL {
            let at_end = journey.at_end(format).expect("a context in every format");
            assert_eq!(
                at_end.trace_id,
                narrowed_for(format, journey.trace_id_behind()),
                "{format:?} at the end: {journey}"
            );
        }
    }
    let pairs = journeys().filter(|journey| journey.said.state == State::Unsampled);
    assert_eq!(pairs.count(), 81);
}

/// Checks MAP-3: a service of `ottrace` gets the right half of the id, from which the left one cannot be known.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_trace_is_split_only_behind_ottrace_and_only_if_its_id_has_128_bits() {
    for journey in journeys() {
        let is_whole = journey.trace_id_behind() == journey.said.trace_id;
        let is_cut = journey.service == Format::OtTrace && !journey.said.is_narrow();
        assert_eq!(is_whole, !is_cut, "{journey}");
    }
    let behind_ottrace = |is_narrow| {
        let through = journeys().filter(|journey| journey.service == Format::OtTrace);
        let sampled = through.filter(|journey| journey.said.state == State::Sampled);
        sampled
            .filter(|journey| journey.said.is_narrow() == is_narrow)
            .count()
    };
    assert_eq!([behind_ottrace(false), behind_ottrace(true)], [8, 9]);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_decision_and_debug_arrive_wherever_there_is_a_word_for_them() {
    for journey in journeys() {
        let arriving = journey.arriving_state();
        // A service cannot pass on what its format cannot express.
        let behind = arriving.in_words_of(journey.service);
        let at_app = journey.at_app().expect("a context");
        assert_eq!(at_app.state, behind, "{journey}");
        for format in Format::ALL {
            let at_end = journey.at_end(format).expect("a context in every format");
            assert_eq!(
                at_end.state,
                behind.in_words_of(format),
                "{format:?} at the end: {journey}"
            );
        }
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_sidecars_spans_are_one_chain_from_caller_to_end() {
    for journey in journeys() {
        let spans = journey.spans();
        if journey.arriving_state() == State::Unsampled {
            assert_eq!(spans, [], "{journey}");
            continue;
        }
        let [calling, serving, onward] = spans else {
            panic!("3 spans expected: {journey}\n{spans:#?}");
        };
        let of = |span: &StoredSpan| (span.service().to_owned(), span.kind);
        assert_eq!(
            [of(calling), of(serving), of(onward)],
            [
                ("caller".into(), SpanKind::Client),
                ("app".into(), SpanKind::Server),
                ("app".into(), SpanKind::Client)
            ],
            "{journey}"
        );
        let parents = [calling, serving, onward].map(|span| span.parent_span_id.as_ref());
        assert_eq!(
            parents,
            [&journey.said.span_id, &calling.span_id, &serving.span_id].map(Some),
            "MAP-10: {journey}"
        );
        let traces = [calling, serving, onward].map(|span| span.trace_id.as_str());
        let trace_id = journey.said.trace_id.as_str();
        assert_eq!(
            traces,
            [trace_id, trace_id, journey.trace_id_behind()],
            "{journey}"
        );
        assert_eq!(
            journey.at_app().expect("a context").span_id,
            serving.span_id,
            "{journey}"
        );
        for format in Format::ALL {
            let at_end = journey.at_end(format).expect("a context in every format");
            assert_eq!(
                at_end.span_id, onward.span_id,
                "{format:?} at the end: {journey}"
            );
        }
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn an_open_decision_is_taken_once_and_by_the_first_sidecar() {
    let undecided = journeys().filter(|journey| journey.said.state == State::Deferred);
    let mesh = mesh();
    for envoy in [&mesh.caller, &mesh.app] {
        settle(envoy);
        for format in Format::ALL {
            assert_eq!(
                counter(envoy, &format!("context.{}.malformed", format.name())),
                0
            );
        }
        assert_eq!(counter(envoy, "context.conflict"), 0);
        assert_eq!(counter(envoy, "sampled.default"), 0);
    }
    assert_eq!(
        counter(&mesh.caller, "dropped.default"),
        undecided.count() as u64
    );
    assert_eq!(counter(&mesh.app, "dropped.default"), 0);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn what_is_lost_between_two_formats_is_what_the_readme_says() {
    readme::documents("lost between two formats", &losses::table(mesh()));
}

fn journeys() -> impl Iterator<Item = &'static Journey> {
    mesh().journeys.iter()
}

fn mesh() -> &'static Mesh {
    static MESH: OnceLock<Mesh> = OnceLock::new();
    MESH.get_or_init(Mesh::travelled)
}

/// Returns the id as a reader of the format knows it.
fn narrowed_for(format: Format, trace_id: &str) -> String {
    if format == Format::OtTrace {
        format!("{:0>32}", &trace_id[16..])
    } else {
        trace_id.into()
    }
}
