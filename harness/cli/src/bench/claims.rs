//! The claims of a run in words: what Sidespan costs on this processor, beside Envoy's tracers and the least filter.
//!
//! Written by the run and not by people, so that no claim outlives its figures or covers a processor that it was not
//! measured on.

use super::candidate::PEERS;
use super::report::{Measured, Report};
use super::statistics::Figures;

/// Returns the claims, one line each; none about what took no part.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let claim = |(name, subject): &(&str, &str)| {
        let measured = report
            .measured
            .iter()
            .find(|it| it.candidate.name == *name)?;
        let added = report.added(measured)?;
        let times = times(report, measured);
        Some(format!(
            "{subject} adds {:.1} µs to a request ({:.1} in the least process, {:.1} in the median){}{}.",
            added.low,
            added.least,
            added.median,
            if times.is_empty() { "" } else { ": " },
            times.join(", ")
        ))
    };
    SUBJECTS.iter().filter_map(claim).collect()
}

/// Returns how many times as much this is as what others add.
fn times(report: &Report, measured: &Measured) -> Vec<String> {
    let low = |it: Figures| it.low;
    let least = report
        .ratio_to_floor(measured, low)
        .map(|ratio| format!("{ratio:.2} of the least filter"));
    let peers = PEERS.iter().zip(WHOSE).filter_map(|((name, _), whose)| {
        let ratio = report.ratio(measured, name, low)?;
        Some(format!("{ratio:.2} of {whose}"))
    });
    least.into_iter().chain(peers).collect()
}

/// Names of the peers within a sentence, in their order.
const WHOSE: [&str; PEERS.len()] = [
    "Envoy's OpenTelemetry tracer",
    "that with `min_flush_spans: 512`",
    "its Zipkin tracer",
];

const SUBJECTS: [(&str, &str); 4] = [
    ("sidespan-100-w3c", "**Sampled and exported**, it"),
    (
        "sidespan-100-default",
        "Sampled, with B3 and `tracestate` written, too, it",
    ),
    (
        "sidespan-0-w3c-no-keep",
        "**Not sampled**, with `keep` off, it",
    ),
    ("sidespan-0-w3c-keep", "Not sampled, with failures kept, it"),
];

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn says_what_was_measured_and_nothing_else() {
        let report = report(&[
            ("no-tracing", &[30.0, 30.0]),
            ("native-otel", &[50.0, 50.0]),
            ("least-sampled", &[38.0, 38.0]),
            ("sidespan-100-w3c", &[40.0, 42.0]),
        ]);
        let expected = "**Sampled and exported**, it adds 10.0 µs to a request (10.0 in the least process, 11.0 in the median): \
            1.25 of the least filter, 0.50 of Envoy's OpenTelemetry tracer.";
        assert_eq!(lines(&report), [expected]);
    }
}
