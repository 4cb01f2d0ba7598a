//! An agent that is killed under load, while no gateway answers: what it had acknowledged is on disk.

use std::collections::BTreeSet;

use serde_json::json;
use sidespan_envoy::wait_for;
use sidespan_tests::collector;
use sidespan_tests::envoy::LIMIT;

use super::mesh::{HOPS, Mesh};
use super::scene::{agent, gateway};

const REQUESTS: u64 = 1_000;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_killed_agent_loses_no_span_that_it_acknowledged() {
    let sink = collector::Collector::start();
    let mut gateway = gateway("filter-decides", sink.sink().grpc_addr(), |_| ());
    let mut agent = agent(&[gateway.grpc_addr()]);
    gateway.kill();
    let mesh = Mesh::start(agent.grpc_addr(), &json!({"percentage": 100}));
    mesh.send(REQUESTS);
    assert_eq!(mesh.exported(), REQUESTS * HOPS as u64);
    assert_eq!(mesh.failures(), 0);
    agent.kill();
    // What is sent now waits in the sidecars.
    mesh.send(REQUESTS);
    let is_refused = wait_for(LIMIT, || (mesh.failures() > 0).then_some(()));
    assert!(is_refused.is_some(), "nobody is there");
    assert_eq!(
        sink.sink().snapshot().spans.len(),
        0,
        "nothing has come so far"
    );
    agent.resume();
    gateway.resume();
    let expected = usize::try_from(mesh.exported()).expect("a number");
    assert_eq!(expected as u64, 2 * REQUESTS * HOPS as u64);
    let mut seen = 0;
    let all = wait_for(LIMIT, || {
        let now = sink.sink().snapshot();
        let ids: BTreeSet<&str> = now.spans.iter().map(|it| &*it.span_id).collect();
        seen = ids.len();
        (seen == expected).then_some(())
    });
    assert!(
        all.is_some(),
        "{seen} of {expected} spans:\n{}",
        agent.log()
    );
}
