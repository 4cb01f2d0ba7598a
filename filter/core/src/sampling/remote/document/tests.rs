use alloc::format;
use alloc::string::{String, ToString};

use super::*;

fn read(json: &str) -> Document {
    Document::parse(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn operations<const N: usize>(
    probability: f64,
    lower_bound: f64,
    listed: [(&str, f64); N],
) -> Document {
    let mut table = Table::default();
    for (name, share) in listed {
        table.insert(name.into(), share);
    }
    Document::Operations(Operations {
        probability,
        lower_bound,
        listed: table,
        left_out: 0,
    })
}

#[test]
fn jr_2_reads_every_kind_of_strategy() {
    for (json, expected) in [
        (
            r#"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.8}}"#,
            Document::Probability(0.8),
        ),
        (
            r#"{"probabilisticSampling":{"samplingRate":1}}"#,
            Document::Probability(1.0),
        ),
        (
            "\u{20}\n{\"rateLimitingSampling\": {\"maxTracesPerSecond\": 5}} \r\n",
            Document::Rate(5.0),
        ),
        (
            r#"{"operationSampling":{"defaultSamplingProbability":0.2,"defaultLowerBoundTracesPerSecond":0.5,
                "defaultUpperBoundTracesPerSecond":9,"perOperationStrategies":[
                {"operation":"GET /cart","probabilisticSampling":{"samplingRate":1e-3}},
                {"operation":"shop.v1.Cart/Add","probabilisticSampling":{"samplingRate":0}}]}}"#,
            operations(0.2, 0.5, [("GET /cart", 0.001), ("shop.v1.Cart/Add", 0.0)]),
        ),
        // What protobuf leaves out is zero, and what it writes as null is not there.
        (
            r#"{"probabilisticSampling":{}}"#,
            Document::Probability(0.0),
        ),
        (r#"{"operationSampling":{}}"#, operations(0.0, 0.0, [])),
        (
            r#"{"operationSampling":{"defaultSamplingProbability":1,"perOperationStrategies":null}}"#,
            operations(1.0, 0.0, []),
        ),
        (
            r#"{"strategyType":0,"probabilisticSampling":{"samplingRate":0.5},"rateLimitingSampling":null,"operationSampling":null}"#,
            Document::Probability(0.5),
        ),
        // A version that knows more than this one.
        (
            r#"{"next":[{"a":"b"}],"probabilisticSampling":{"samplingRate":0.5,"more":{"x":null}}}"#,
            Document::Probability(0.5),
        ),
        // Of one operation's several strategies the last, as Jaeger's clients have it.
        (
            r#"{"operationSampling":{"perOperationStrategies":[
                {"operation":"a","probabilisticSampling":{"samplingRate":1}},
                {"operation":"a","probabilisticSampling":{"samplingRate":0.5}}]}}"#,
            operations(0.0, 0.0, [("a", 0.5)]),
        ),
    ] {
        assert_eq!(read(json), expected, "{json}");
    }
}

#[test]
fn jr_3_does_not_ask_which_type_the_strategy_has() {
    let share = r#""probabilisticSampling":{"samplingRate":0.5}"#;
    let rate = r#""rateLimitingSampling":{"maxTracesPerSecond":2}"#;
    let each = r#""operationSampling":{"defaultSamplingProbability":0.1}"#;
    for word in [r#""PROBABILISTIC""#, r#""RATE_LIMITING""#, "0", "1", "null"] {
        let read = |parts: &str| read(&format!(r#"{{"strategyType":{word},{parts}}}"#));
        assert_eq!(read(share), Document::Probability(0.5), "{word}");
        assert_eq!(read(rate), Document::Rate(2.0), "{word}");
        assert_eq!(read(&format!("{share},{rate}")), Document::Rate(2.0));
        assert_eq!(
            read(&format!("{rate},{share},{each}")),
            operations(0.1, 0.0, []),
            "{word}"
        );
    }
}

#[test]
fn jr_4_refuses_a_document_as_a_whole() {
    let share = |rate: &str| format!(r#"{{"probabilisticSampling":{{"samplingRate":{rate}}}}}"#);
    let traces =
        |rate: &str| format!(r#"{{"rateLimitingSampling":{{"maxTracesPerSecond":{rate}}}}}"#);
    let each = |members: &str| format!(r#"{{"operationSampling":{{{members}}}}}"#);
    let one = |strategy: &str| each(&format!(r#""perOperationStrategies":[{strategy}]"#));
    let rows: [(String, &str); 31] = [
        (String::new(), "EOF"),
        ("null".into(), "expected an object"),
        ("[]".into(), "expected an object"),
        ("<html>".into(), "expected value"),
        ("{".into(), "EOF"),
        (share("0.5") + "x", "trailing characters"),
        ("{}".into(), "found none"),
        (r#"{"strategyType":"PROBABILISTIC"}"#.into(), "found none"),
        (r#"{"probabilisticSampling":null}"#.into(), "found none"),
        (
            r#"{"probabilisticSampling":0.5}"#.into(),
            "expected an object",
        ),
        (
            r#"{"probabilisticSampling":[0.5]}"#.into(),
            "expected an object",
        ),
        (share("1.0000001"), "a probability from 0 to 1, found"),
        (share("-0.1"), "a probability from 0 to 1, found -0.1"),
        (share("50"), "a probability from 0 to 1, found 50"),
        (share("1e400"), "number out of range"),
        (share("NaN"), "expected value"),
        (share(r#""NaN""#), "invalid type: string"),
        (share(r#""0.5""#), "invalid type: string"),
        (share("true"), "invalid type: boolean"),
        (share("null"), "invalid type: null"),
        (traces("-1"), "a rate of 0 or more, found -1"),
        (traces(r#""5""#), "invalid type: string"),
        (
            each(r#""defaultSamplingProbability":2"#),
            "a probability from 0 to 1",
        ),
        (
            each(r#""defaultLowerBoundTracesPerSecond":-0.1"#),
            "a rate of 0",
        ),
        (each(r#""perOperationStrategies":{}"#), "expected a list"),
        (one("null"), "expected an object"),
        (
            one(r#"{"operation":7,"probabilisticSampling":{}}"#),
            "invalid type: integer",
        ),
        (
            one(r#"{"operation":"a"}"#),
            "expected probabilisticSampling",
        ),
        (
            one(r#"{"operation":"a","probabilisticSampling":null}"#),
            "expected probabilisticSampling",
        ),
        (
            one(r#"{"operation":"a","probabilisticSampling":{"samplingRate":1.5}}"#),
            "a probability from 0 to 1",
        ),
        // Good parts do not save it.
        (
            r#"{"probabilisticSampling":{"samplingRate":0.5},"rateLimitingSampling":{"maxTracesPerSecond":-5}}"#.into(),
            "a rate of 0 or more",
        ),
    ];
    for (json, expected) in rows {
        let error = Document::parse(json.as_bytes()).expect_err(&json);
        assert!(error.to_string().contains(expected), "{json}: {error}");
    }
    Document::parse(b"{\"probabilisticSampling\":{\"samplingRate\":1,\"\xff\":1}}").unwrap_err();
}

#[test]
fn rl_2_keeps_2_000_operations_and_counts_the_others() {
    let strategy = |number: usize| {
        format!(r#"{{"operation":"o{number}","probabilisticSampling":{{"samplingRate":0.5}}}}"#)
    };
    // The last is one of the first again.
    let listed: alloc::vec::Vec<_> = (0..2_345).chain([7]).map(strategy).collect();
    let document = read(&format!(
        r#"{{"operationSampling":{{"defaultSamplingProbability":0.1,"perOperationStrategies":[{}]}}}}"#,
        listed.join(",")
    ));
    let said = document.to_string();
    let Document::Operations(operations) = document else {
        panic!("{said}");
    };
    assert_eq!((operations.listed.len(), operations.left_out), (2_000, 345));
    assert!(said.contains("2000 operations with their own (the other 345 of the document"));
}

#[test]
fn says_in_short_what_a_document_says() {
    for (json, expected) in [
        (
            r#"{"probabilisticSampling":{"samplingRate":0.28}}"#,
            "probability 0.28",
        ),
        (
            r#"{"rateLimitingSampling":{"maxTracesPerSecond":5}}"#,
            "5 traces a second",
        ),
        (
            r#"{"operationSampling":{"defaultSamplingProbability":0.1,"defaultLowerBoundTracesPerSecond":0.5,
                "perOperationStrategies":[{"operation":"a","probabilisticSampling":{}}]}}"#,
            "probability 0.1, 1 operations with their own, at least 0.5 traces a second of each",
        ),
        (
            r#"{"probabilisticSampling":{"samplingRate":1}}"#,
            "probability 1",
        ),
        (
            r#"{"probabilisticSampling":{"samplingRate":0.00000012}}"#,
            "probability 1.2e-7",
        ),
    ] {
        assert_eq!(read(json).to_string(), expected);
    }
}

#[test]
fn believes_no_byte() {
    let good = r#"{"strategyType":"PROBABILISTIC","operationSampling":{"defaultSamplingProbability":0.2,
        "perOperationStrategies":[{"operation":"GET \u00e9","probabilisticSampling":{"samplingRate":1}}]}}"#;
    for at in 0..good.len() {
        assert!(Document::parse(&good.as_bytes()[..at]).is_err(), "{at}");
        for byte in 0..=255 {
            let mut changed = good.as_bytes().to_vec();
            changed[at] = byte;
            let _ = Document::parse(&changed);
        }
    }
    // Nested far deeper than any document, where it counts and where it does not.
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let (open, close) = (open.repeat(100_000), close.repeat(100_000));
        for key in ["other", "probabilisticSampling"] {
            let _ = Document::parse(format!(r#"{{"{key}":{open}1{close}}}"#).as_bytes());
        }
    }
}
