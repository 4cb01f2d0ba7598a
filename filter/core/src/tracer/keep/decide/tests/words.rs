//! The word to the caller: who says it, who hears it, and where it is taken out.

use super::*;

#[test]
fn the_word_goes_from_the_callee_to_the_caller_and_on_to_the_root() {
    let mut callee = Pod::of("{}");
    let failed = exchange(&mut callee, Direction::Inbound, &Record::answered(503));
    assert_eq!(failed.words[0], word(&failed.spans[0]));
    let HeaderChange::Set(said) = &failed.words[0] else {
        panic!("{:?}", failed.words);
    };
    let said = String::from_utf8(said.clone()).unwrap();

    let mut pod = Pod::of("{}");
    let hidden = Record::answered(200).header("server-timing", &said);
    let client = exchange(&mut pod, Direction::Outbound, &hidden);
    assert!(text(&client.spans[0]).contains("callee"));
    assert_eq!(client.spans[0].status, Status::Unset);
    assert!(client.words.iter().all(|word| *word == HeaderChange::Leave));
    assert_eq!(pod.notes(), 1, "for the other side of the pod");

    let server = exchange(&mut pod, Direction::Inbound, &Record::answered(200));
    assert!(text(&server.spans[0]).contains("callee"));
    assert_eq!(
        server.words[0],
        word(&server.spans[0]),
        "and says so in turn"
    );
    assert_eq!(pod.counted(Counter::KeptCallee), 2);
}

#[test]
fn a_word_about_another_trace_is_none() {
    let other = format!("trace;desc=00-{}-{S}-01", T.replace('4', "5"));
    let mut pod = Pod::of("{}");
    let answer = Record::answered(200).header("server-timing", &other);
    assert_eq!(exchange(&mut pod, Direction::Outbound, &answer).spans, []);
}

#[test]
fn an_applications_own_metrics_stay() {
    let mut pod = Pod::of("{}");
    let answer = Record::answered(500).header("server-timing", "db;dur=53");
    let done = exchange(&mut pod, Direction::Inbound, &answer);
    let expected = format!(
        "trace;desc=00-{T}-{}-01, db;dur=53",
        hex(done.spans[0].span_id)
    );
    assert_eq!(done.words[0], HeaderChange::Set(expected.into_bytes()));
}

#[test]
fn the_words_that_others_said_in_other_lines_stay() {
    let said = format!("trace;desc=00-{T}-{S}-01");
    let mut pod = Pod::of("{}");
    let answer = Record::answered(500)
        .header("server-timing", "db;dur=53")
        .header("server-timing", &said)
        .header("server-timing", "app;dur=1");
    let done = exchange(&mut pod, Direction::Inbound, &answer);
    let id = hex(done.spans[0].span_id);
    let expected = format!("trace;desc=00-{T}-{id}-01, db;dur=53, app;dur=1");
    assert_eq!(done.words[0], HeaderChange::Set(expected.into_bytes()));
    let answer = Record::answered(200)
        .header("server-timing", "db;dur=53")
        .header("server-timing", &said)
        .header("server-timing", "app;dur=1");
    let done = exchange(&mut pod, Direction::Edge, &answer);
    assert_eq!(done.spans.len(), 2, "the word was in the second line");
    assert_eq!(
        done.words[0],
        HeaderChange::Set(b"db;dur=53, app;dur=1".to_vec())
    );
    let stripped = HeaderChange::stripped_if(true, ResponsePart::Headers, &answer);
    assert_eq!(
        stripped,
        HeaderChange::Set(b"db;dur=53, app;dur=1".to_vec())
    );
}

#[test]
fn who_named_no_span_is_told_of_none() {
    let mut pod = Pod::of("{}");
    let answer = Record::answered(503);
    let done = pod.exchange(Direction::Inbound, &[(":path", "/")], &answer, 0);
    assert_eq!(done.spans.len(), 1);
    assert_eq!(done.words[0], HeaderChange::Leave);
}

#[test]
fn an_edge_keeps_both_spans_and_lets_no_word_out() {
    let said = format!("trace;desc=00-{T}-{S}-01, db;dur=53");
    for (config, direction) in [
        ("{}", Direction::Edge),
        (r#"{"tell": false}"#, Direction::Inbound),
    ] {
        for (value, expected) in [
            (said.as_str(), HeaderChange::Set(b"db;dur=53".to_vec())),
            (&said[..said.find(',').unwrap()], HeaderChange::Remove),
            ("db;dur=53", HeaderChange::Leave),
        ] {
            let mut pod = Pod::of(config);
            let answer = Record::answered(503).header("server-timing", value);
            let done = exchange(&mut pod, direction, &answer);
            assert_eq!(done.words[0], expected, "{value}");
            if direction == Direction::Inbound {
                continue;
            }
            let [server, client] = &done.spans[..] else {
                panic!("{:?}", done.spans);
            };
            assert_eq!(client.parent_span_id, Some(server.span_id));
            assert_eq!((server.flags, client.flags), (0x300, 0x100));
            assert!(pod.notes() == 0, "the other side is the same stream");
        }
    }
    let mut pod = Pod::of("{}");
    let told = Record::answered(200).header("server-timing", &said);
    let done = exchange(&mut pod, Direction::Edge, &told);
    assert_eq!(done.spans.len(), 2, "the root is told, too");
    assert!(done.spans.iter().all(|span| text(span).contains("callee")));
}

#[test]
fn edges_let_no_word_out_whatever_was_decided() {
    for (config, direction, expected) in [
        ("{}", Some(Direction::Edge), true),
        ("{}", Some(Direction::Inbound), false),
        ("{}", None, false),
        (r#"{"tell": false}"#, Some(Direction::Outbound), true),
        (r#"{"tell": false}"#, None, true),
    ] {
        let tracer = tracer(&keeping(config));
        assert_eq!(tracer.strips_server_timing(direction), expected, "{config}");
    }
    assert!(!tracer("{}").strips_server_timing(Some(Direction::Edge)));
}

fn tracer(config: &str) -> Tracer {
    let config = Config::parse(config.as_bytes()).unwrap();
    Tracer::new(&config, &Node::default())
}
