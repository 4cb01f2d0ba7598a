use super::*;

const MILLISECOND: u64 = 1_000_000;

fn at(milliseconds: u64) -> Nanos {
    Nanos((1_000_000 + milliseconds) * MILLISECOND)
}

#[test]
fn rl_1_a_bucket_lets_so_many_pass_a_second() {
    let mut bucket = TokenBucket::new(10.0);
    let first: usize = (0..50).map(|_| usize::from(bucket.takes(at(0)))).sum();
    assert_eq!(first, 10, "one second's worth to begin with");
    let mut passed = 0;
    for milliseconds in 1..=10_000 {
        passed += usize::from(bucket.takes(at(milliseconds)));
    }
    assert!((99..=101).contains(&passed), "{passed}");
    // What a pause saved is one second's worth, not the pause's.
    let after: usize = (0..50)
        .map(|_| usize::from(bucket.takes(at(100_000))))
        .sum();
    assert_eq!(after, 10);
}

#[test]
fn rl_1_a_slow_bucket_begins_with_one_and_an_empty_one_never_gives() {
    let mut slow = TokenBucket::new(0.1);
    let passed: usize = (0..30)
        .map(|second| usize::from(slow.takes(at(second * 1000))))
        .sum();
    assert_eq!(passed, 3, "at once, after 10 s and after 20 s");
    let mut none = TokenBucket::new(0.0);
    assert!(!none.takes(at(0)) && !none.takes(at(1_000_000)));
}

#[test]
fn a_clock_that_was_set_back_stops_nobody() {
    let mut bucket = TokenBucket::new(1.0);
    assert!(bucket.takes(at(10_000)));
    assert!(!bucket.takes(at(0)));
    assert!(bucket.takes(at(1_000)));
    let mut estimate = AdaptiveShare::new(1.0);
    for _ in 0..10 {
        estimate.share(at(10_000));
    }
    estimate.share(at(0));
    assert!(estimate.share(at(1_500)) > 0.0);
}

/// The number that passes when `rate` come a second, evenly, and each has a randomness of its own.
fn passed(target: f64, rate: u64, seconds: u64) -> f64 {
    let mut estimate = AdaptiveShare::new(target);
    let mut sum = 0.0;
    for second in 0..seconds {
        for number in 0..rate {
            let now = at(second * 1000 + number * 1000 / rate);
            sum += estimate.share(now);
        }
    }
    sum
}

#[test]
fn rl_3_an_estimate_thins_what_comes_to_the_rate() {
    for rate in [10, 49, 50] {
        assert_eq!(
            passed(50.0, rate, 20),
            (rate * 20) as f64,
            "{rate}: all pass"
        );
    }
    for rate in [100, 200, 5_000] {
        let found = passed(50.0, rate, 20) / 20.0;
        // In the first second nothing is known yet.
        assert!((48.0..70.0).contains(&found), "{rate}: {found}");
    }
    assert_eq!(passed(0.0, 100, 3), 0.0);
}

#[test]
fn rl_3_less_than_one_a_second_is_one_in_so_many() {
    for (target, rate, seconds) in [(0.5, 20, 400), (0.25, 1, 400), (0.1, 5, 2_000)] {
        let allowed = target * seconds as f64;
        let found = passed(target, rate, seconds) / allowed;
        assert!((0.9..1.15).contains(&found), "{target} {rate}: {found}");
    }
    assert_eq!(
        passed(0.25, 1, 1),
        1.0,
        "what nobody has counted yet passes"
    );
}

#[test]
fn an_estimate_forgets_a_burst_and_a_pause() {
    let mut estimate = AdaptiveShare::new(10.0);
    for _ in 0..1000 {
        estimate.share(at(0));
    }
    assert!(estimate.share(at(1_000)) < 0.02);
    for second in 2..60 {
        estimate.share(at(second * 1000));
    }
    assert_eq!(estimate.share(at(60_000)), 1.0);
    for _ in 0..1000 {
        estimate.share(at(61_000));
    }
    assert_eq!(
        estimate.share(at(200_000)),
        1.0,
        "after minutes without any"
    );
}

/// Two hosts that see the same traffic with its chance variations leave out nearly the same traces.
#[test]
fn estimates_of_the_same_traffic_agree() {
    let mut seed = 7_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed >> 11
    };
    let mut hosts = [AdaptiveShare::new(25.0); 5];
    let (mut lowest, mut highest) = (0.0, 0.0);
    for milliseconds in 0..30_000 {
        let mut shares = [0.0; 5];
        // 100 a second on average, each seen by every host within some milliseconds.
        if random() % 10 == 0 {
            for (host, share) in hosts.iter_mut().zip(&mut shares) {
                *share = host.share(at(milliseconds + random() % 20));
            }
            lowest += shares.iter().copied().fold(f64::INFINITY, f64::min);
            highest += shares.iter().copied().fold(0.0, f64::max);
        }
    }
    let whole = lowest / highest;
    assert!(whole > 0.9, "{whole}");
}

/// Traffic of less than a second is all that a limit sees at first.
#[test]
fn the_first_whole_second_tells_how_many_come() {
    let mut estimate = AdaptiveShare::new(10.0);
    // 100 a second, from a quarter of a second on.
    let mut share = 0.0;
    for number in 25..300 {
        share = estimate.share(at(number * 10));
    }
    assert!((share - 0.1).abs() < 1e-9, "{share}");
}

/// Counts this many requests in a second of the clock.
fn count(estimate: &mut AdaptiveShare, second: u64, requests: u64) {
    for number in 0..requests {
        estimate.share(at(second * 1_000 + number * 1_000 / requests));
    }
}

#[test]
fn rl_3_a_surge_is_the_new_rate_and_a_little_more_moves_it_slowly() {
    let mut estimate = AdaptiveShare::new(10.0);
    (0..20).for_each(|second| count(&mut estimate, second, 100));
    count(&mut estimate, 20, 140);
    let share = estimate.share(at(21_000));
    assert!((share - 10.0 / 104.0).abs() < 1e-9, "{share}");

    let mut estimate = AdaptiveShare::new(10.0);
    (0..20).for_each(|second| count(&mut estimate, second, 100));
    count(&mut estimate, 20, 1_000);
    let share = estimate.share(at(21_000));
    assert!((share - 0.01).abs() < 1e-9, "{share}");
    // The surge may have begun within its second: the next one measures it, whatever it is.
    count(&mut estimate, 21, 1_199);
    let share = estimate.share(at(22_000));
    assert!((share - 10.0 / 1_200.0).abs() < 1e-9, "{share}");
    // And that was a whole one, so that the next is one of ten.
    count(&mut estimate, 22, 1_299);
    let share = estimate.share(at(23_000));
    assert!((share - 10.0 / 1_210.0).abs() < 1e-9, "{share}");
}
