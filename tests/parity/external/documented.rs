//! The examples of `harness/scenarios.md`, each on the built-in host and on a real Envoy.

use std::fs;

use sidespan::run::On;

use super::both::{compare, runner};
use crate::parity::documented_scenarios;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_documented_scenario_holds_on_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let runners = [On::Wasmtime, On::Envoy].map(runner);
    let mut wrong = Vec::new();
    for (number, text) in documented_scenarios().iter().enumerate() {
        let file = folder.path().join(format!("{number}.yaml"));
        fs::write(&file, text).expect("a file");
        wrong.extend(compare(&file, &runners));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
