use alloc::format;

use super::*;
use crate::config::Config;
use crate::ids::TraceId;
use crate::in_memory::header_list::HeaderList;
use crate::sampling::remote::strategy::Document;
use crate::stats::Counter;

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

struct Case {
    sampler: Sampler,
    limits: RateLimits,
    remote: Option<Strategy>,
}

impl Case {
    fn of(sampling: &str) -> Self {
        let config = Config::parse(format!(r#"{{"sampling": {sampling}}}"#).as_bytes()).unwrap();
        let sampling = config.sampling.unwrap();
        let node = Node {
            namespace: Some("payments".into()),
            ..Node::default()
        };
        Self {
            sampler: Sampler::new(&sampling, &node),
            limits: RateLimits::new(&sampling, None),
            remote: None,
        }
    }

    fn decide(&mut self, received: SamplingState, randomness: u64, path: &str) -> Decision {
        self.decide_at(received, randomness, path, true, 0)
    }

    fn decide_at(
        &mut self,
        received: SamplingState,
        randomness: u64,
        path: &str,
        is_root: bool,
        milliseconds: u64,
    ) -> Decision {
        let list = HeaderList::new([(":method", "GET"), (":path", path)]);
        let request = list.as_request();
        let candidate = Candidate::new(&request, list.pairs(), || Direction::Inbound, || "".into());
        let now = || Nanos(1_000_000_000 + milliseconds * 1_000_000);
        let trace = Trace {
            received,
            randomness: randomness.into(),
            is_root,
        };
        let remote = self.remote.as_mut();
        self.sampler
            .decide(trace, &candidate, &mut self.limits, remote, now)
    }
}

fn randomness() -> u64 {
    TraceId::from_hex(T.as_bytes()).unwrap().randomness()
}

#[test]
fn follows_a_received_decision_whatever_the_percentage() {
    use SamplingState::{Accept, Debug, Deferred, Deny};
    for (received, percentage, verdict, reason) in [
        (Accept, 0, Verdict::Record, Reason::Received),
        (Deny, 100, Verdict::Drop, Reason::Received),
        (Debug, 0, Verdict::Record, Reason::Debug),
        (Deferred, 0, Verdict::Drop, Reason::Default),
        (Deferred, 100, Verdict::Record, Reason::Default),
    ] {
        let rules = r#"[{"match": {"path": "/other"}, "percentage": 50}]"#;
        let mut case = Case::of(&format!(
            r#"{{"percentage": {percentage}, "rules": {rules}}}"#
        ));
        let decision = case.decide(received, randomness(), "/");
        assert_eq!((decision.verdict, decision.reason), (verdict, reason));
        let is_compared = received == Deferred;
        assert_eq!(decision.threshold.is_some(), is_compared, "{received:?}");
    }
}

#[test]
fn section_6_8_asks_rules_then_the_namespace_then_the_default() {
    let all = r#"{
        "percentage": 0,
        "namespaces": {"payments": 100},
        "rules": [
            {"match": {"path": "/never", "namespace": "pay*"}, "percentage": 0},
            {"match": {"path": "/*", "namespace": "orders"}, "percentage": 0},
            {"match": {"path": "/a*"}, "percentage": 100},
            {"match": {"path": "/ab"}, "percentage": 0}
        ]
    }"#;
    let mut case = Case::of(all);
    for (path, verdict, reason) in [
        ("/never", Verdict::Drop, Reason::Rule),
        ("/ab", Verdict::Record, Reason::Rule),
        ("/b", Verdict::Record, Reason::Namespace),
    ] {
        let decision = case.decide(SamplingState::Deferred, randomness(), path);
        assert_eq!(
            (decision.verdict, decision.reason),
            (verdict, reason),
            "{path}"
        );
    }
    let mut case = Case::of(r#"{"percentage": 100, "namespaces": {"orders": 0}}"#);
    let decision = case.decide(SamplingState::Deferred, randomness(), "/");
    assert_eq!(decision.reason, Reason::Default);
}

#[test]
fn a_rate_limits_roots_alone() {
    for consistent in [true, false] {
        let mut case = Case::of(&format!(
            r#"{{"percentage": 100, "rateLimit": {{"tracesPerSecond": 5}}, "consistent": {consistent}}}"#
        ));
        let mut passed = 0_u64;
        for number in 0..1000_u64 {
            let randomness = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8;
            let decision =
                case.decide_at(SamplingState::Deferred, randomness, "/", true, number * 10);
            match decision.verdict {
                Verdict::Record => {
                    passed += 1;
                    assert_eq!(decision.reason, Reason::Default);
                    assert_eq!(decision.threshold.is_some(), consistent, "RL-3");
                    assert!(decision.threshold.is_none_or(|it| it.keeps(randomness)));
                }
                Verdict::Drop => assert_eq!(decision.reason, Reason::Rate),
            }
        }
        // Ten seconds, and what passes before the first is over.
        assert!((45..=75).contains(&passed), "{consistent}: {passed}");
        let undecided = case.decide_at(SamplingState::Deferred, 0, "/", false, 10_000);
        assert_eq!(
            undecided.verdict,
            Verdict::Record,
            "an undecided context is no root"
        );
        for received in [SamplingState::Accept, SamplingState::Debug] {
            let sampled = case.decide(received, 0, "/");
            assert_eq!(sampled.verdict, Verdict::Record, "{received:?}");
        }
    }
}

#[test]
fn a_rate_of_zero_lets_no_root_begin() {
    for consistent in [true, false] {
        let mut case = Case::of(&format!(
            r#"{{"percentage": 100, "rateLimit": {{"tracesPerSecond": 0}}, "consistent": {consistent}}}"#
        ));
        let decision = case.decide(SamplingState::Deferred, 0xff_ffff_ffff_ffff, "/");
        assert_eq!(
            (decision.verdict, decision.reason),
            (Verdict::Drop, Reason::Rate)
        );
    }
}

#[test]
fn a_fetched_strategy_replaces_percentages_and_namespaces_and_nothing_else() {
    let rules = r#"[{"match": {"path": "/rule"}, "percentage": 0}]"#;
    let mut case = Case::of(&format!(
        r#"{{"percentage": 0, "namespaces": {{"payments": 0}}, "rules": {rules}}}"#
    ));
    let deferred = SamplingState::Deferred;
    let decision = case.decide(deferred, randomness(), "/");
    assert_eq!(decision.reason, Reason::Namespace, "before the first");
    let fetched = |share| Some(Strategy::new(Document::Probability(share), None));
    case.remote = fetched(1.0);
    let decision = case.decide(deferred, randomness(), "/");
    assert_eq!(decision.verdict, Verdict::Record);
    assert_eq!(decision.reason, Reason::Remote);
    assert_eq!(decision.threshold, Some(Threshold::ALL));
    assert_eq!(decision.counter(), Counter::SampledRemote);
    let decision = case.decide(deferred, randomness(), "/rule");
    assert_eq!(decision.reason, Reason::Rule);
    let decision = case.decide(SamplingState::Deny, randomness(), "/");
    assert_eq!(decision.reason, Reason::Received);
    case.remote = fetched(0.0);
    let decision = case.decide(deferred, randomness(), "/");
    assert_eq!(decision.counter(), Counter::DroppedRemote);
}

#[test]
fn a_limit_of_roots_holds_for_what_a_strategy_keeps() {
    for (is_consistent, document, has_threshold) in [
        (true, Document::Probability(1.0), true),
        (true, Document::Rate(1e9), false),
        (false, Document::Probability(1.0), false),
        (false, Document::Rate(1e9), false),
    ] {
        let mut case = Case::of(&format!(
            r#"{{"consistent": {is_consistent}, "rateLimit": {{"tracesPerSecond": 10}}}}"#
        ));
        case.remote = Some(Strategy::new(document.clone(), None));
        let mut kept = 0;
        for time in 0..10_000_u64 {
            let randomness = time.wrapping_mul(0x9e_3779_b97f_4a7c) & ((1 << 56) - 1);
            let decision = case.decide_at(SamplingState::Deferred, randomness, "/", true, time);
            let is_kept = decision.verdict == Verdict::Record;
            let reason = if is_kept {
                Reason::Remote
            } else {
                Reason::Rate
            };
            assert_eq!(decision.reason, reason);
            if is_kept {
                assert_eq!(decision.threshold.is_some(), has_threshold);
            }
            kept += u32::from(is_kept);
        }
        assert!((80..=220).contains(&kept), "{document:?}: {kept}");
    }
}
