use super::*;
use crate::id_generator::SequentialBytes;
use crate::propagation::format::Format;
use alloc::string::String;

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";
const SEND: Operation<'_> = Operation {
    system: "kafka",
    name: "send",
    destination: "orders",
};

fn tracer(percentage: f64) -> MessageTracer<SequentialBytes> {
    let propagator = Propagator::new(&[Format::TraceContext]);
    MessageTracer::new(
        propagator,
        Threshold::of_percentage(percentage),
        SequentialBytes(1),
    )
}

fn received(pairs: &[(&str, &str)]) -> Received {
    let pairs = pairs.iter();
    let headers: Vec<(String, Vec<u8>)> = pairs
        .map(|(name, value)| ((*name).into(), value.as_bytes().into()))
        .collect();
    tracer(0.0).extract(&headers)
}

fn b3(state: &str) -> Received {
    received(&[("b3", &[T, "-", S, state].concat())])
}

fn list(context: &Context) -> String {
    String::from_utf8_lossy(&context.tracestate).into()
}

#[test]
fn mq_2_the_span_of_a_message_is_a_child_and_its_context_travels() {
    let mut tracer = tracer(0.0);
    let span = tracer.produce(SEND, &b3("-1"), Nanos(1)).unwrap();
    assert_eq!(span.kind, MessageKind::Producer);
    assert_eq!(span.name, "send orders");
    assert_eq!(span.parent.map(SpanId::to_hex), Some(*b"00f067aa0ba902b7"));
    assert!(span.links.is_empty());
    let mut message = Vec::new();
    assert!(tracer.inject(&span, &mut message).is_empty());
    let found = tracer.extract(&message).context.unwrap();
    assert_eq!(&found, span.context());
    assert_ne!(found.span.span_id, span.parent);
}

#[test]
fn mq_3_one_message_is_continued_and_linked() {
    let message = b3("-1");
    let span = tracer(0.0).process(SEND, &message, Nanos(1)).unwrap();
    assert_eq!(span.kind, MessageKind::Consumer);
    assert_eq!(span.trace_id().to_hex(), T.as_bytes());
    assert_eq!(span.parent.map(SpanId::to_hex), Some(*b"00f067aa0ba902b7"));
    assert_eq!(span.links, [message.context.unwrap()]);
}

#[test]
fn mq_4_messages_of_a_batch_are_linked_and_those_beyond_the_limit_counted() {
    let mut tracer = tracer(100.0);
    let messages: Vec<_> = (0..130).map(|_| b3("-1")).collect();
    let none = Received::default();
    let span = tracer
        .process_batch(SEND, &none, &messages, Nanos(1))
        .unwrap();
    assert_ne!(span.trace_id().to_hex(), T.as_bytes());
    assert_eq!(span.parent, None);
    assert_eq!((span.links.len(), span.links_left_out), (128, 2));
    // Within another span that one is the parent; a message without a context has nothing to link to.
    let mut current = b3("-1");
    let trace = *b"11111111111111111111111111111111";
    current.context.as_mut().unwrap().span.trace_id =
        crate::ids::TraceId::from_hex(&trace).unwrap();
    let messages = [b3("-1"), none];
    let span = tracer
        .process_batch(SEND, &current, &messages, Nanos(1))
        .unwrap();
    assert_eq!(span.trace_id().to_hex(), trace);
    assert_eq!(span.links.len(), 1);
}

#[test]
fn mq_4_a_single_message_has_no_count_and_a_name_has_an_end() {
    let none = Received::default();
    let count = |messages: &[Received]| {
        let mut tracer = tracer(100.0);
        let span = tracer.process_batch(SEND, &none, messages, Nanos(1));
        let encoded = span.unwrap().attributes.as_encoded().to_vec();
        let key = b"messaging.batch.message_count";
        encoded.windows(key.len()).any(|bytes| bytes == key)
    };
    assert!(!count(&[b3("-1")]));
    assert!(count(&[b3("-1"), b3("-1")]));
    assert!(count(&[]));
    let destination = "é".repeat(600);
    let long = Operation {
        destination: &destination,
        ..SEND
    };
    let span = tracer(100.0).produce(long, &none, Nanos(1)).unwrap();
    assert_eq!(span.name.len(), 1023, "five bytes, and 509 of two");
}

#[test]
fn mq_5_a_batch_is_sampled_where_a_message_is() {
    let none = Received::default();
    for (state, roots, is_sampled) in [
        ("-1", 0.0, true),
        ("-d", 0.0, true),
        ("-0", 0.0, false),
        ("", 0.0, false),
        ("-0", 100.0, true),
    ] {
        let messages = [b3("-0"), b3(state)];
        let span = tracer(roots)
            .process_batch(SEND, &none, &messages, Nanos(1))
            .unwrap();
        assert_eq!(span.context.is_sampled(), is_sampled, "{state} {roots}");
        // With what probability a message was, is not the probability of the batch.
        let expected = if roots > 0.0 { "ot=th:0" } else { "" };
        assert_eq!(list(&span.context), expected, "{state} {roots}");
    }
    let denied = received(&[("b3", "0")]);
    let span = tracer(100.0)
        .process_batch(SEND, &denied, &[b3("-1")], Nanos(1))
        .unwrap();
    assert!(!span.context.is_sampled());
}

#[test]
fn mq_6_decisions_and_thresholds_are_followed_and_the_rest_is_decided() {
    let traceparent = |flags: &str| ["00-", T, "-", S, "-", flags].concat();
    for (sent, roots, is_sampled, expected) in [
        (b3("-1"), 0.0, true, ""),
        (b3("-0"), 100.0, false, ""),
        (b3(""), 100.0, true, "ot=th:0"),
        (b3(""), 0.0, false, ""),
        (received(&[]), 100.0, true, "ot=th:0"),
        (received(&[("b3", "1")]), 0.0, true, ""),
        (received(&[("b3", "0")]), 100.0, false, ""),
        (
            received(&[
                ("traceparent", &traceparent("01")),
                ("tracestate", "ot=th:8,a=1"),
            ]),
            0.0,
            true,
            "ot=th:8,a=1",
        ),
        // This trace would not have been sampled at that threshold.
        (
            received(&[
                ("traceparent", &traceparent("01")),
                ("tracestate", "ot=th:fd70a,a=1"),
            ]),
            0.0,
            true,
            "a=1",
        ),
    ] {
        let span = tracer(roots).produce(SEND, &sent, Nanos(1)).unwrap();
        assert_eq!(span.context.is_sampled(), is_sampled, "{sent:?}");
        assert_eq!(list(&span.context), expected, "{sent:?}");
    }
    // Debug has no probability, whatever the list says.
    let debug = received(&[
        ("traceparent", &traceparent("01")),
        ("tracestate", "ot=th:8,a=1"),
        ("b3", &[T, "-", S, "-d"].concat()),
    ]);
    assert_eq!(
        debug.context.as_ref().unwrap().span.sampling,
        SamplingState::Debug
    );
    let span = tracer(0.0).produce(SEND, &debug, Nanos(1)).unwrap();
    assert!(!list(&span.context).contains("th:"), "{:?}", span.context);
    assert!(list(&span.context).ends_with("a=1"), "{:?}", span.context);
    // Debug travels on, by the id of the new span.
    let span = tracer(0.0).produce(SEND, &b3("-d"), Nanos(1)).unwrap();
    assert!(list(&span.context).ends_with("-d"), "{:?}", span.context);
    assert!(!list(&span.context).contains(S));
}

#[test]
fn makes_no_span_without_randomness_and_counts_that() {
    struct Nothing;
    impl Random for Nothing {
        fn fill(&mut self, _: &mut [u8]) -> bool {
            false
        }
    }
    let propagator = Propagator::new(&[Format::TraceContext]);
    let mut tracer = MessageTracer::new(propagator, Threshold::ALL, Nothing);
    assert_eq!(tracer.produce(SEND, &Received::default(), Nanos(1)), None);
    assert_eq!(tracer.stats().get(Counter::EntropyFailures), 1);
}
