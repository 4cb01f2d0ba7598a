//! An incident: all requests fail, four times as many as may be kept. Five hops, each with a worker of its own on the
//! built-in host, whose clocks differ by less than a second; requests come at random times.
//!
//! Each worker limits its kept spans by itself, without knowing the others. Paths stay whole because all workers choose by
//! the same number, the trace's randomness, and come to nearly the same threshold.

use std::collections::BTreeMap;
use std::time::Duration;

use sidespan_host::Shared;
use sidespan_tests::draw::Draw;
use sidespan_tests::effort;

use super::pod::{Pod, Side, keeping, traceparent};

const HOPS: usize = 5;
/// The spans of a whole path: SERVER spans of all hops, and CLIENT spans of all but the last.
const PATH: usize = 2 * HOPS - 1;
const SPANS_PER_SECOND: f64 = 50.0;
/// Four times the limit, because each request makes two spans in a worker.
const REQUESTS_PER_SECOND: f64 = 4.0 * SPANS_PER_SECOND / 2.0;
const SECONDS: u64 = 30;
/// The difference between the clocks of two neighbours: within a cluster, and far beyond.
const NEAR: Duration = Duration::from_millis(9);
const FAR: Duration = Duration::from_millis(137);

#[test]
fn nine_of_ten_paths_are_whole_when_everything_fails_four_times_as_often_as_may_be_kept() {
    for (answer, apart) in [
        (Answer::Fails, NEAR),
        (Answer::Fails, FAR),
        (Answer::Hides, FAR),
    ] {
        let run = Run::of(answer, apart);
        let (whole, kept) = (run.whole(), run.traces.len());
        let rates: Vec<String> = run
            .rates()
            .iter()
            .map(|rate| format!("{rate:.1}"))
            .collect();
        println!(
            "{answer:?}, clocks {apart:?} apart: {} requests in {} s, {kept} traces kept anywhere, {whole} of them whole paths ({:.1} %); spans kept a second, hop by hop: {}",
            run.requests,
            run.seconds,
            100.0 * whole as f64 / kept as f64,
            rates.join(", "),
        );
        // Half a second between the first clock and the last is more than in any cluster, and costs few paths.
        let percent = if apart == NEAR { 90 } else { 85 };
        assert!(whole * 100 >= kept * percent, "{whole} of {kept}");
        // The last hop has no CLIENT spans.
        let [between @ .., last] = &run.rates()[..] else {
            unreachable!("five hops")
        };
        for rate in between {
            assert!((rate / SPANS_PER_SECOND - 1.0).abs() < 0.25, "{rate}");
        }
        assert!((last / SPANS_PER_SECOND - 0.5).abs() < 0.125, "{last}");
    }
}

/// The response of the services between to the failure of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// A failure of their own.
    Fails,
    /// A response with 200, so that only `server-timing` tells of the failure.
    Hides,
}

#[derive(Default)]
struct Run {
    seconds: f64,
    requests: u64,
    // Spans of each trace, by all hops.
    traces: BTreeMap<Vec<u8>, usize>,
    // Kept spans of each hop.
    spans: [usize; HOPS],
}

impl Run {
    fn of(answer: Answer, apart: Duration) -> Self {
        let configuration = keeping(&format!(r#"{{"spansPerSecond": {SPANS_PER_SECOND}}}"#));
        let mut pods: Vec<Pod> = (0_u32..)
            .take(HOPS)
            .map(|hop| Pod::start(&configuration, &Shared::new(), apart * hop, hop.into()))
            .collect();
        let mut random = Draw::of(11, 0);
        let mut run = Self {
            seconds: effort::share(SECONDS, 20) as f64,
            ..Self::default()
        };
        let mut now = 0.0;
        while now < run.seconds {
            run.requests += 1;
            travel(&mut pods, answer, &random.trace_id());
            // Random times: the time to the next request is exponentially distributed.
            let pause = -random.share().ln() / REQUESTS_PER_SECOND;
            now += pause;
            run.advance(&mut pods, Duration::from_secs_f64(pause));
        }
        run.advance(&mut pods, Duration::from_secs(2));
        run
    }

    fn advance(&mut self, pods: &mut [Pod], time: Duration) {
        for (pod, count) in pods.iter_mut().zip(&mut self.spans) {
            pod.host.advance(time);
            for span in pod.exported() {
                *self.traces.entry(span.trace_id).or_default() += 1;
                *count += 1;
            }
        }
    }

    fn whole(&self) -> usize {
        self.traces.values().filter(|spans| **spans == PATH).count()
    }

    fn rates(&self) -> [f64; HOPS] {
        self.spans.map(|spans| spans as f64 / self.seconds)
    }
}

/// Sends one request through all hops, and its response back.
fn travel(pods: &mut [Pod], answer: Answer, trace_id: &str) {
    let mut context = traceparent(trace_id);
    let mut streams = Vec::new();
    for (hop, pod) in pods.iter_mut().enumerate() {
        for side in [Side::Inbound, Side::Outbound] {
            if (hop, side) != (HOPS - 1, Side::Outbound) {
                let (stream, onward) = pod.request(side, &context);
                streams.push((hop, side, stream));
                context = onward;
            }
        }
    }
    let (mut status, mut timing) = ("503", None);
    for (hop, side, stream) in streams.into_iter().rev() {
        // The service passes on nothing but its status.
        if side == Side::Inbound {
            timing = None;
        }
        let said = pods[hop].answer(stream, status, timing.as_deref());
        timing = said;
        if side == Side::Outbound && answer == Answer::Hides {
            status = "200";
        }
    }
}
