//! TLS between the tiers, as the component `tls` has it: both sides show certificates of one authority, and who has none is refused.

use serde_json::Value;
use sidespan_envoy::wait_for;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::peers::{Authority, lay_over};
use sidespan_tests::{collector, otlp};
use tempfile::TempDir;

use super::super::corpus;
use super::certificates::{own_secret, secret};
use super::scene::{agent_with, gateway};
use crate::observability::files::read;

#[test]
fn agents_with_a_certificate_of_the_authority_are_let_in_and_others_are_not() {
    let [ours, theirs] = [(); 2].map(|()| Authority::new());
    let sink = collector::Collector::start();
    let tier = own_secret(&ours);
    let gateway = gateway("filter-decides", sink.sink().grpc_addr(), |whole| {
        lay_over(whole, overlay("gateway", &tier));
    });
    let agent = |secret: &TempDir| {
        agent_with(&[gateway.grpc_addr()], |whole| {
            lay_over(whole, overlay("agent", secret));
        })
    };
    let request = corpus::request();
    let strange = secret("otel-agent", &ours, &theirs);
    let strange = agent(&strange);
    otlp::export(strange.grpc_addr(), request.clone());
    let refused = wait_for(LIMIT, || {
        let log = strange.log();
        log.contains("remote error: tls: ").then_some(())
    });
    assert!(refused.is_some(), "not refused: {}", strange.log());
    assert!(
        otlp::try_export(gateway.grpc_addr(), request.clone()).is_err(),
        "in plain text"
    );
    assert!(sink.sink().snapshot().spans.is_empty());

    let known = secret("otel-agent", &ours, &ours);
    let known = agent(&known);
    otlp::export(known.grpc_addr(), request.clone());
    let spans = corpus::count(&request);
    sink.wait(|now| (now.spans.len() >= spans).then_some(()));
}

/// Returns a file of the component, with the secret's folder in the place where a pod has it.
fn overlay(tier: &str, secret: &TempDir) -> Value {
    let text = read(&format!("collector/components/tls/{tier}.yaml"));
    let place = "${env:TLS_DIRECTORY:-/etc/otelcol/tls}";
    assert!(text.contains(place));
    let folder = secret.path().to_str().expect("a path");
    serde_saphyr::from_str(&text.replace(place, folder)).expect("YAML")
}
