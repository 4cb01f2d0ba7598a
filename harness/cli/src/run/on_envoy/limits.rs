//! What only the built-in host can do: refused by name, with the cure.

use std::time::Duration;

use anyhow::{bail, ensure};

use crate::run::length::Length;
use crate::run::scenario::{Ending, Protocol, Scenario};

/// Checks that a scenario can run on a real Envoy.
///
/// # Errors
/// The key that cannot, and the reason.
pub(super) fn check(scenario: &Scenario) -> anyhow::Result<()> {
    ensure!(
        scenario.seed.is_none(),
        "`seed` cannot run on Envoy, whose randomness is its own; leave it out, or run on wasmtime"
    );
    ensure!(
        scenario.collector.is_none() && scenario.expect.spans.is_none(),
        "`collector` and `expect.spans` cannot run on Envoy; script the cluster under `calls`, or run on wasmtime"
    );
    if let Some(limit) = scenario.buffer_limit
        && scenario.protocol == Protocol::Http2
    {
        ensure!(
            limit >= SMALLEST_WINDOW,
            "`bufferLimit: {limit}` cannot run on Envoy over HTTP/2, where it is the window of a stream and at least \
             {SMALLEST_WINDOW}; add `protocol: http1`, or run on wasmtime"
        );
    }
    ensure!(
        scenario.connections.is_empty() || scenario.workers() == 1,
        "`workers` of more than 1 cannot run on Envoy with `connections`, where only one worker can be asked whether a step has \
         had its effect; leave it out, or run on wasmtime"
    );
    let waits = scenario.requests().iter().flat_map(|step| {
        let chunks = step
            .request
            .chunks()
            .into_iter()
            .chain(step.response.chunks());
        let chunks: Duration = chunks.map(|chunk| chunk.after).sum();
        [
            Some(chunks),
            step.wait.map(length),
            Some(step.response.after.0),
        ]
    });
    let connections = scenario.connections.iter();
    let connections = connections.flat_map(|it| [Some(it.length()), it.wait.map(length)]);
    let waits = waits.chain(connections.collect::<Vec<_>>());
    let total: Duration = waits.chain([scenario.after.map(length)]).flatten().sum();
    ensure!(
        total <= LONGEST,
        "the scenario waits {total:?} in all, and time on Envoy is real; wait at most {LONGEST:?}, or run on wasmtime"
    );
    for (at, step) in scenario.requests().iter().enumerate() {
        ensure!(
            step.properties.is_empty(),
            "`requests[{at}].properties` cannot run on Envoy, which has its own; leave them out, or run on wasmtime"
        );
        if scenario.requests()[0].direction != step.direction {
            bail!(
                "`requests[{at}].direction` differs from the first one's, and an Envoy here has one listener; part the scenario"
            );
        }
        let is_away = |ending| ending == Ending::ConnectFailure;
        if is_away(scenario.requests()[0].ending) != is_away(step.ending) {
            bail!(
                "`requests[{at}].ending`: an upstream on Envoy is away for all requests or for none; part the scenario"
            );
        }
    }
    Ok(())
}

fn length(length: Length) -> Duration {
    length.0
}

/// The smallest window of a stream that HTTP/2 allows (RFC 9113, section 6.9.2).
const SMALLEST_WINDOW: u32 = 65_535;

/// The most real time that the waits of one scenario may take.
const LONGEST: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_only_the_built_in_host_can_do_is_refused_by_its_name() {
        for (text, expected) in [
            ("seed: 2\nrequests: []", "`seed`"),
            ("collector: unavailable\nrequests: []", "`collector`"),
            ("requests: []\nexpect: {spans: []}", "`expect.spans`"),
            ("bufferLimit: 10\nrequests: []", "`bufferLimit: 10`"),
            (
                "connections: [{steps: [{client: {text: a, after: 31s}}]}]",
                "the scenario waits 31",
            ),
            ("workers: 2\nconnections: [{}]", "`workers` of more than 1"),
            ("after: 1m\nrequests: []", "time on Envoy is real"),
            (
                "requests: [{wait: 20s}, {response: {after: 20s}}]",
                "the scenario waits 40",
            ),
            (
                "requests: [{}, {properties: {a: b}}]",
                "`requests[1].properties`",
            ),
            (
                "requests: [{}, {direction: outbound}]",
                "`requests[1].direction`",
            ),
            (
                "requests: [{}, {ending: connectFailure}]",
                "`requests[1].ending`",
            ),
        ] {
            let scenario = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}"));
            let error = check(&scenario).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let fine = "requests: [{wait: 1s, response: {after: 1s}}]\nafter: 1s";
        let scenario = serde_saphyr::from_str(fine).unwrap_or_else(|error| panic!("{error}"));
        assert!(check(&scenario).is_ok());
    }
}
