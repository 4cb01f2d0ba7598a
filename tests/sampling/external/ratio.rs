//! Our decision beside that of OpenTelemetry's consistent sampler in its Python SDK: at every percentage of the table in
//! section 6.4.2 of the rule book and for 100,000 random trace ids, the same `th` is written and the same traces are kept.
//!
//! The sampler is asked for the probability of our `th`, because we round to four significant digits (TH-5), and for the
//! configured one: with that it may differ only where the randomness lies between the two thresholds.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use sidespan_core::direction::Direction;
use sidespan_core::sampling::threshold::Threshold;
use sidespan_tests::packages;
use sidespan_tests::worlds::{Guest, Header};

/// The percentages of the table.
const PERCENTAGES: [f64; 20] = [
    100.0,
    99.99,
    99.9,
    99.0,
    97.0,
    93.75,
    90.0,
    75.0,
    50.0,
    25.0,
    100.0 / 3.0,
    20.0,
    10.0,
    5.0,
    1.0,
    0.1,
    0.01,
    0.0001,
    100.0 / (1_u64 << 30) as f64,
    100.0 / RANGE as f64,
];
const RANGE: u64 = 1 << 56;
const IDS: usize = 100_000;
/// The number of ids at each percentage that go through the compiled guest.
const IN_THE_GUEST: usize = 100;

#[test]
#[cfg_attr(no_packages, ignore = "python3 with venv, node and npm are needed")]
fn th_4_the_same_traces_are_kept_as_by_opentelemetrys_own_sampler() {
    let ids = ids();
    let told: Vec<String> = PERCENTAGES.iter().map(|it| told(*it, &ids)).collect();
    let as_told: Vec<u64> = told.iter().map(|th| RANGE - decoded(th)).collect();
    let as_configured: Vec<u64> = PERCENTAGES.iter().map(|it| fraction(*it)).collect();
    let theirs = ask(&[as_told.clone(), as_configured.clone()].concat(), &ids);
    let (exact, rounded) = theirs.split_at(PERCENTAGES.len());
    let mut differing = 0;
    for (row, percentage) in PERCENTAGES.into_iter().enumerate() {
        let threshold = Threshold::of_percentage(percentage);
        let (their_th, their_verdicts) = &exact[row];
        // The rarest percentages may keep none.
        if their_verdicts.contains('1') {
            assert_eq!(*their_th, format!("th:{}", told[row]), "{percentage} %");
        }
        let (_, their_full_verdicts) = &rounded[row];
        let between = [as_told[row], as_configured[row]].map(|kept| RANGE - kept);
        let verdicts = their_verdicts.bytes().zip(their_full_verdicts.bytes());
        for (id, (exact, full)) in ids.iter().zip(verdicts) {
            let randomness = u64::try_from(id % u128::from(RANGE)).expect("56 bits");
            let ours = threshold.keeps(randomness);
            assert_eq!(ours, exact == b'1', "{id:032x} at {percentage} %");
            if ours != (full == b'1') {
                differing += 1;
                let lies_between = randomness >= between[0].min(between[1])
                    && randomness < between[0].max(between[1]);
                assert!(lies_between, "{id:032x} at {percentage} %");
            }
        }
    }
    println!(
        "{} verdicts are the same; {differing} differ from a sampler that does not round",
        PERCENTAGES.len() * IDS
    );
}

/// Returns our `th` at this percentage, from a trace that every percentage keeps; some of the other ids go through the
/// guest as well, to show that its verdicts are those of the native code.
fn told(percentage: f64, ids: &[u128]) -> String {
    let mut guest = Guest::start(&format!(
        r#"{{"sampling": {{"percentage": {percentage}, "exclude": []}}}}"#
    ));
    let threshold = Threshold::of_percentage(percentage);
    let highest = u128::from(RANGE - 1) | 1 << 100;
    let mut told = String::new();
    for id in ids.iter().take(IN_THE_GUEST).chain([&highest]) {
        // B3 that leaves the decision open.
        let undecided: [Header; 1] = [("b3", format!("{id:032x}-00f067aa0ba902b7").into())];
        let headers = guest.request(Direction::Inbound, &undecided, 200);
        let value = |name: &str| {
            let mut found = headers.iter().filter(|(own, _)| own == name);
            found.next().map(|(_, value)| value.as_str())
        };
        let traceparent = value("traceparent").expect("a context");
        let randomness = u64::try_from(id % u128::from(RANGE)).expect("56 bits");
        let is_kept = traceparent.ends_with("-01");
        assert_eq!(
            is_kept,
            threshold.keeps(randomness),
            "{id:032x} at {percentage} %"
        );
        let state = value("tracestate");
        assert_eq!(state.is_some(), is_kept, "TH-10: {state:?}");
        if let Some(th) = state.and_then(|state| state.strip_prefix("ot=th:")) {
            assert!(told.is_empty() || told == th, "{told} and {th}");
            th.clone_into(&mut told);
        }
    }
    told
}

/// Returns a percentage as a fraction of 2^56, rounded to the nearest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a percentage of 2^56 is a number of 57 bits"
)]
fn fraction(percentage: f64) -> u64 {
    (percentage / 100.0 * RANGE as f64).round() as u64
}

/// Reads `th` by TH-1, written a second time.
fn decoded(th: &str) -> u64 {
    u64::from_str_radix(&format!("{th:0<14}"), 16).expect("hexadecimal digits")
}

/// Returns the `th` that the sampler writes at each of these fractions of 2^56, and its verdict on each id.
fn ask(fractions: &[u64], ids: &[u128]) -> Vec<(String, String)> {
    let pins = include_str!("../../formats/external/differential/requirements.txt");
    let python = packages::python("differential-python", pins);
    let mut child = Command::new(python.join("bin/python"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("sampling/external/ratio/sampler.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python");
    let mut input = child.stdin.take().expect("a pipe");
    let fractions: String = fractions.iter().map(|it| format!("{it}\n")).collect();
    let ids: String = ids.iter().map(|id| format!("{id:032x}\n")).collect();
    let writer = thread::spawn(move || input.write_all(format!("{fractions}\n{ids}").as_bytes()));
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "{}", output.status);
    writer.join().expect("a writer").expect("it reads all");
    let answers = String::from_utf8(output.stdout).expect("text");
    let pair = |line: &str| {
        let (th, verdicts) = line.split_once(' ').expect("two words");
        (th.to_owned(), verdicts.to_owned())
    };
    answers.lines().map(pair).collect()
}

/// Makes trace ids from a seed: SplitMix64.
fn ids() -> Vec<u128> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    };
    let mut id = || u128::from(next()) << 64 | u128::from(next());
    (0..IDS).map(|_| id()).collect()
}
