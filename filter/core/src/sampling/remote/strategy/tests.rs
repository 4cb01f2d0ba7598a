use alloc::format;
use alloc::string::ToString;

use super::*;

const SECOND: u64 = 1_000_000_000;

/// The least randomness, which no probability below 1 keeps.
const LEAST: u64 = 0;

fn strategy(json: &str, before: Option<Strategy>) -> Strategy {
    Strategy::new(Document::parse(json.as_bytes()).unwrap(), before)
}

fn operations(members: &str) -> Strategy {
    strategy(&format!(r#"{{"operationSampling":{{{members}}}}}"#), None)
}

fn asks_nothing() -> Nanos {
    panic!("nobody needs the time")
}

/// Returns the number of kept requests of this operation, of one a millisecond from one second up to another.
fn kept(strategy: &mut Strategy, operation: &str, seconds: core::ops::Range<u64>) -> usize {
    let times = (seconds.start * 1000..seconds.end * 1000).map(|time| Nanos(time * SECOND / 1000));
    times
        .filter(|now| {
            let name = || operation.to_string().into();
            strategy.decide(LEAST.into(), name, || *now).is_kept
        })
        .count()
}

#[test]
fn jr_2_a_probability_is_a_threshold() {
    let mut strategy = strategy(r#"{"probabilisticSampling":{"samplingRate":0.25}}"#, None);
    let threshold = Threshold::of_share(0.25);
    for (randomness, is_kept) in [
        (0x00bf_ffff_ffff_ffff, false),
        (0x00c0_0000_0000_0000, true),
    ] {
        let outcome = strategy.decide(
            randomness.into(),
            || panic!("nobody needs it"),
            asks_nothing,
        );
        assert_eq!(outcome.is_kept, is_kept);
        assert_eq!(outcome.threshold, Some(threshold));
    }
}

#[test]
fn rl_3_a_rate_has_no_probability() {
    let mut strategy = strategy(r#"{"rateLimitingSampling":{"maxTracesPerSecond":5}}"#, None);
    let outcome = strategy.decide(LEAST.into(), || panic!("nobody needs it"), || Nanos(SECOND));
    assert!(outcome.is_kept && outcome.threshold.is_none());
    // One is gone; in three seconds there come fifteen.
    assert_eq!(kept(&mut strategy, "a", 1..4), 4 + 14);
    let mut none = crate::sampling::remote::strategy::Strategy::new(Document::Rate(0.0), None);
    assert_eq!(kept(&mut none, "a", 1..4), 0);
}

#[test]
fn rl_2_an_operation_has_its_own_probability_and_the_others_the_default() {
    let mut strategy = operations(
        r#""defaultSamplingProbability":0.5,"perOperationStrategies":[
            {"operation":"all","probabilisticSampling":{"samplingRate":1}},
            {"operation":"none","probabilisticSampling":{"samplingRate":0}}]"#,
    );
    for (name, share) in [("all", 1.0), ("none", 0.0), ("other", 0.5), ("", 0.5)] {
        for randomness in [LEAST, 1 << 55, (1 << 56) - 1] {
            let outcome = strategy.decide(randomness.into(), || name.into(), asks_nothing);
            let threshold = Threshold::of_share(share);
            assert_eq!(outcome.threshold, Some(threshold), "{name}");
            assert_eq!(outcome.is_kept, threshold.keeps(randomness), "{name}");
        }
    }
}

#[test]
fn rl_2_the_lower_bound_rescues_and_is_charged_with_what_was_kept_anyway() {
    let mut strategy = operations(
        r#""defaultSamplingProbability":0,"defaultLowerBoundTracesPerSecond":2,"perOperationStrategies":[
            {"operation":"half","probabilisticSampling":{"samplingRate":0.5}}]"#,
    );
    // Two at once, and two a second.
    assert_eq!(kept(&mut strategy, "half", 1..11), 2 + 19);
    assert_eq!(
        kept(&mut strategy, "other", 1..11),
        2 + 19,
        "each has its own"
    );
    let now = || Nanos(100 * SECOND);
    let most = (1_u64 << 56) - 1;
    for _ in 0..2 {
        let outcome = strategy.decide(most.into(), || "half".into(), now);
        assert_eq!(outcome.threshold, Some(Threshold::of_share(0.5)));
        assert!(outcome.is_kept);
    }
    let dropped = strategy.decide(LEAST.into(), || "half".into(), now);
    assert!(!dropped.is_kept, "both are spent");
    let rescued = strategy.decide(LEAST.into(), || "other".into(), now);
    assert_eq!((rescued.is_kept, rescued.threshold), (true, None));
}

#[test]
fn rl_2_operations_beyond_2_000_and_names_that_nobody_chose_go_by_the_default() {
    let mut strategy =
        operations(r#""defaultSamplingProbability":0,"defaultLowerBoundTracesPerSecond":1"#);
    let mut is_rescued = |name: &str| {
        let name = name.to_string();
        strategy
            .decide(LEAST.into(), || name.into(), || Nanos(SECOND))
            .is_kept
    };
    assert!(!is_rescued(&"x".repeat(257)), "too long");
    assert!(is_rescued(&"x".repeat(256)));
    for number in 1..2_000 {
        assert!(is_rescued(&number.to_string()), "{number}");
    }
    assert!(!is_rescued("2000"), "no room");
    assert!(!is_rescued("1"), "spent");
}

#[test]
fn rl_1_a_new_document_is_no_new_second() {
    let rate = |rate: f64, before| Strategy::new(Document::Rate(rate), before);
    let mut strategy = rate(10.0, None);
    assert_eq!(kept(&mut strategy, "", 1..2), 19);
    let mut strategy = rate(10.0, Some(strategy));
    assert!(kept(&mut strategy, "", 2..3) <= 11, "no ten at once");

    let document = |bound: u32| {
        let json = format!(
            r#"{{"operationSampling":{{"defaultLowerBoundTracesPerSecond":{bound},
                "perOperationStrategies":[{{"operation":"a","probabilisticSampling":{{}}}}]}}}}"#
        );
        Document::parse(json.as_bytes()).unwrap()
    };
    let mut strategy = Strategy::new(document(10), None);
    for name in ["a", "other"] {
        assert_eq!(kept(&mut strategy, name, 1..2), 19, "{name}");
    }
    let mut strategy = Strategy::new(document(20), Some(strategy));
    for name in ["a", "other"] {
        assert!(kept(&mut strategy, name, 2..3) <= 21, "{name}");
    }
}
