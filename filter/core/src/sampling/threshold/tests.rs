use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::ids::TraceId;

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn id(hex: &str) -> TraceId {
    TraceId::from_hex(hex.as_bytes()).unwrap()
}

fn written(threshold: Threshold) -> Option<String> {
    let digits = threshold.digits()?;
    Some(String::from_utf8(digits.as_bytes().to_vec()).unwrap())
}

#[test]
fn th_6_rounds_to_four_digits_behind_the_leading_fs() {
    let rows = [
        (100.0, "0"),
        (99.99, "0007"),
        (99.9, "0042"),
        (99.0, "028f"),
        (97.0, "07ae"),
        (93.75, "1"),
        (90.0, "199a"),
        (75.0, "4"),
        (50.0, "8"),
        (25.0, "c"),
        (100.0 / 3.0, "aaab"),
        (20.0, "cccd"),
        (10.0, "e666"),
        (5.0, "f3333"),
        (1.0, "fd70a"),
        (0.1, "ffbe77"),
        (0.01, "fff9724"),
        (1e-4, "ffffef39"),
        (100.0 / 1_073_741_824.0, "fffffffc"),
        (100.0 / 72_057_594_037_927_936.0, "ffffffffffffff"),
    ];
    for (percentage, expected) in rows {
        let found = written(Threshold::of_percentage(percentage));
        assert_eq!(found.as_deref(), Some(expected), "{percentage}");
    }
    assert_eq!(written(Threshold::of_percentage(0.0)), None);
}

#[test]
fn th_1_pads_on_the_right_and_keeps_leading_zeros() {
    for (digits, expected) in [
        ("0", Some(0)),
        ("08", Some(0x08_0000_0000_0000)),
        ("001", Some(0x00_1000_0000_0000)),
        ("fd70a", Some(0xfd_70a0_0000_0000)),
        ("fd70a4", Some(0xfd_70a4_0000_0000)),
        ("ffffffffffffff", Some(0xff_ffff_ffff_ffff)),
        ("", None),
        ("0x8", None),
        ("FD70A", None),
        ("000000000000000", None),
        ("8 ", None),
    ] {
        let found = threshold(digits.as_bytes()).map(|Threshold(number)| number);
        assert_eq!(found, expected, "{digits}");
        if let Some(number) = found {
            let written = written(Threshold(number)).unwrap();
            assert_eq!(threshold(written.as_bytes()), Some(Threshold(number)));
        }
    }
}

#[test]
fn th_2_knows_the_probability_behind_a_threshold() {
    for (digits, share) in [
        ("0", 1.0),
        ("8", 0.5),
        ("c", 0.25),
        ("08", 0.96875),
        ("fd70a", 0.01000023),
        ("ffffffffffffff", 1.0 / RANGE_AS_FLOAT),
    ] {
        let found = threshold(digits.as_bytes()).unwrap().share();
        assert!((found - share).abs() < 1e-8, "{digits}: {found}");
    }
}

#[test]
fn th_4_keeps_what_is_not_below_the_threshold() {
    let kept = |digits: &str| {
        let threshold = threshold(digits.as_bytes()).unwrap();
        threshold.keeps(id(T).randomness())
    };
    for (digits, expected) in [
        ("c", true),
        ("cccd", true),
        ("ce929d0e0e4736", true),
        ("ce929d0e0e4737", false),
        ("cf", false),
        ("e666", false),
    ] {
        assert_eq!(kept(digits), expected, "{digits}");
    }
}

#[test]
fn th_3_believes_the_randomness_that_is_told() {
    let randomness = |member: Option<&str>| {
        let member = Member::read(member.map(str::as_bytes));
        Randomness::new(member.randomness(), id(T)).value()
    };
    let of_id = 0xce_929d_0e0e_4736;
    let told = 0x6e_6d1a_7583_2a2f;
    for (member, expected) in [
        (None, of_id),
        (Some("rv:6e6d1a75832a2f"), told),
        (Some("th:8;rv:6e6d1a75832a2f"), told),
        (Some("rv:6E6D1A75832A2F"), of_id),
        (Some("rv:6e6d1a75832a2"), of_id),
        (Some("rv:6e6d1a75832a2f0"), of_id),
        (Some("rv:6e6d1a75832a2f;rv:6e6d1a75832a2f"), of_id),
        (Some("rv:6e6d1a75832a2f;"), of_id),
        (Some("p:8;r:62"), of_id),
    ] {
        assert_eq!(randomness(member), expected, "{member:?}");
    }
}

#[test]
fn ot_11_to_ot_13_change_nothing_but_the_threshold() {
    let half = Threshold::of_percentage(50.0);
    for (member, wanted, expected) in [
        (None, None, None),
        (None, Some(half), Some("th:8")),
        (None, Some(Threshold::ALL), Some("th:0")),
        (None, Some(Threshold(RANGE)), None),
        (Some("th:8"), Some(half), None),
        (Some("th:80"), Some(half), Some("th:8")),
        (Some("th:c"), Some(half), Some("th:8")),
        (Some("th:8"), None, Some("")),
        (Some("th:x"), None, Some("")),
        (Some("th:"), None, Some("")),
        (Some("rv:6e6d1a75832a2f"), None, None),
        (
            Some("rv:6e6d1a75832a2f;th:8"),
            None,
            Some("rv:6e6d1a75832a2f"),
        ),
        (Some("p:8;r:62"), Some(half), Some("th:8;p:8;r:62")),
        (Some("p:8;th:c;r:62"), Some(half), Some("th:8;p:8;r:62")),
        // Whoever cannot be read is passed on.
        (Some("th:8;th:8"), None, None),
        (Some("th:8;"), None, None),
        (Some("th"), Some(half), None),
        (Some("Th:8"), None, None),
        (Some("th:8;a:b=c"), None, None),
        (Some(""), Some(half), None),
    ] {
        let changed = Member::read(member.map(str::as_bytes)).with(wanted);
        let found = changed.map(|change| String::from_utf8(change.0).unwrap());
        assert_eq!(found.as_deref(), expected, "{member:?} {wanted:?}");
    }
    let full = format!("a:{}", "x".repeat(254));
    let read = Member::read(Some(full.as_bytes()));
    assert!(matches!(read, Member::Usable(_)));
    assert_eq!(read.with(Some(half)), None, "no room");
    let longer = full + "x";
    assert_eq!(Member::read(Some(longer.as_bytes())), Member::Unusable);
}

#[test]
fn section_6_4_4_believes_a_threshold_that_can_be_true() {
    let randomness = id(T).randomness();
    for (member, expected) in [
        (None, None),
        (Some("th:c"), Some("c")),
        (Some("th:cf"), None),
        (Some("th:x"), None),
        (Some("rv:6e6d1a75832a2f"), None),
    ] {
        let told = Member::read(member.map(str::as_bytes)).consistent_threshold(randomness.into());
        let told = told.and_then(written);
        assert_eq!(told.as_deref(), expected, "{member:?}");
    }
}

#[test]
fn ns_2_keeps_at_every_higher_percentage_what_it_keeps_at_one() {
    let thresholds: Vec<_> = (0..=1000)
        .map(|step| Threshold::of_percentage(f64::from(step) / 10.0))
        .collect();
    assert!(thresholds.is_sorted_by(|lower, higher| lower >= higher));
}

#[test]
fn zero_keeps_nothing_and_a_hundred_everything() {
    assert!(!Threshold::of_percentage(0.0).keeps(0xff_ffff_ffff_ffff));
    assert!(Threshold::of_percentage(100.0).keeps(0));
}

#[test]
fn a_threshold_is_only_ever_raised() {
    for percentage in [100.0, 50.0, 10.0, 1.0, 0.0] {
        let threshold = Threshold::of_percentage(percentage);
        for share in [0.0, 1e-9, 0.1, 0.5, 0.999, 1.0, 2.0] {
            assert!(threshold.tightened(share) >= threshold);
        }
        let found = threshold.tightened(0.5).share();
        let expected = percentage / 200.0;
        assert!((found - expected).abs() <= expected * 1e-4, "{percentage}");
    }
}

/// TH-2: a kept span stands for 1 / p of all, by the `th` that it carries. Over a million traces the sum is right within
/// five standard deviations of the binomial distribution.
#[test]
fn th_2_adjusted_counts_add_up_to_what_there_was() {
    const COUNT: u32 = 1_000_000;
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for percentage in [99.0, 50.0, 100.0 / 3.0, 10.0, 1.0, 0.1] {
        let own = Threshold::of_percentage(percentage);
        let told = written(own).unwrap();
        let read = threshold(told.as_bytes()).unwrap();
        let adjusted = 1.0 / read.share();
        let mut kept = 0_u32;
        for _ in 0..COUNT {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            kept += u32::from(own.keeps(seed >> 8));
        }
        let sum = f64::from(kept) * adjusted;
        let share = read.share();
        let deviation = (f64::from(COUNT) * share * (1.0 - share)).sqrt() * adjusted;
        let difference = (sum - f64::from(COUNT)).abs();
        assert!(difference < 5.0 * deviation, "{percentage}: {sum}");
    }
}

#[test]
fn never_panics_on_any_bytes() {
    for byte in 0..=255_u8 {
        for text in [
            &[byte][..],
            &[b't', b'h', b':', byte],
            &[byte, b':', byte, b';', byte],
        ] {
            let member = Member::read(Some(text));
            member.randomness();
            member.with(Some(Threshold::ALL));
            member.with(None);
        }
    }
}

#[test]
fn a_member_says_that_not_all_were_sampled_by_its_threshold_alone() {
    for (text, is_below_all) in [
        (Some("th:8"), true),
        (Some("th:0"), false),
        (Some("rv:f0000000000000"), false),
        (Some("th:zz"), false),
        (None, false),
    ] {
        let member = Member::read(text.map(str::as_bytes));
        assert_eq!(member.is_below_all(), is_below_all, "{text:?}");
    }
}
