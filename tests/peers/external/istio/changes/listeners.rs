//! Installation and removal, which make new listeners: with the filter, and with one of Envoy's own in its place.

use std::env;
use std::time::Duration;

use serde_json::json;
use sidespan_envoy::wait_for;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::peers::istio::{Mesh, Path, ROOT, shipped};

use super::super::path::publish;
use super::load::{Report, untraced};

/// Installs and removes under load. `SIDESPAN_INSTALLATIONS` sets how often, for what a listener's change does to requests is seen in
/// thousands of them alone; and `SIDESPAN_DRAIN` for how many seconds old connections go on.
#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn installation_and_removal_lose_no_more_than_with_a_filter_of_envoys_own() {
    let set = |name: &str| env::var(name).map(|text| text.parse().expect("a number"));
    let drain = set("SIDESPAN_DRAIN").map_or(DRAIN, Duration::from_secs);
    let mut mesh = Mesh::draining_for(drain);
    let image = publish(&mut mesh);
    let plugin = shipped(&[], &image);
    mesh.apply(&shipped(&["telemetry"], &image));
    mesh.delete(&plugin);
    let path = mesh.path();
    let times = set("SIDESPAN_INSTALLATIONS").unwrap_or(1);
    let lua = json!({
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "TrafficExtension",
        "metadata": {"name": "sidespan", "namespace": ROOT},
        "spec": {
            "phase": "AUTHN",
            "lua": {"inlineCode": "function envoy_on_request(handle) end"},
        },
    });
    let own = installed_and_removed(&mesh, &path, drain, &plugin, times);
    eprintln!("the filter: {own}");
    let lua = installed_and_removed(&mesh, &path, drain, &lua.to_string(), times);
    eprintln!("Lua: {lua}");
    let allowed = lua.failures().len() + own.outcomes.len() / 1000;
    let failures = own.failures();
    assert!(failures.len() <= allowed, "{allowed} allowed: {failures:?}");
}

fn installed_and_removed(
    mesh: &Mesh,
    path: &Path,
    drain: Duration,
    resource: &str,
    times: u64,
) -> Report {
    let report = untraced(path, |pass| {
        for _ in 0..times {
            mesh.apply(resource);
            wait_for_listeners(path, drain, true);
            pass(Duration::from_secs(1));
            mesh.delete(resource);
            wait_for_listeners(path, drain, false);
            pass(Duration::from_secs(1));
        }
        mesh.apply(resource);
        wait_for_listeners(path, drain, true);
    });
    mesh.delete(resource);
    wait_for_listeners(path, drain, false);
    report
}

/// Waits until all Envoys listen with the filter, or all without it, and have closed the last connection to what was before.
fn wait_for_listeners(path: &Path, drain: Duration, with: bool) {
    for service in path.services() {
        let pod = service.pod();
        let new = wait_for(drain + LIMIT, || {
            let dump = pod.admin("/config_dump?resource=dynamic_listeners")?;
            let has = dump.contains("istio-system.sidespan");
            let draining = pod.admin("/stats?filter=_draining$")?;
            let mut counts = draining.lines().filter_map(|line| line.split_once(": "));
            (has == with && counts.all(|(_, count)| count == "0")).then_some(())
        });
        assert!(new.is_some(), "no new listeners: {}", pod.log());
    }
}

/// Shorter than Istio's 45 seconds, so that the test is, and long beside the time that a module takes to load: Envoy counts that
/// as a part of it, and cuts what is left on old connections when it is over.
const DRAIN: Duration = Duration::from_secs(15);
