//! Changes under load: no request fails, and for how long spans are missing.

mod listeners;
mod load;
mod registry;

use std::time::Duration;

use sidespan_tests::peers::istio::{Mesh, Path, shipped};

use super::path::{other_build, publish, publish_module, wait_until_whole};
use load::under_load;

/// Changes what the resource says, which goes to Envoys by extension discovery: their listeners stay as they are.
#[test]
#[cfg_attr(no_mesh, ignore = "no Envoy 1.40.0, or no mounts (unshare -rm)")]
fn no_request_fails_while_configuration_and_image_change() {
    let mut mesh = Mesh::start();
    let image = publish(&mut mesh);
    let other = publish_module(&mut mesh, Some(&other_build()));
    let first = shipped(&["telemetry"], &image);
    mesh.apply(&first);
    let path = mesh.path();
    wait_until_whole(&mesh, &path);

    let configured = first.replace("percentage: 1\n", "percentage: 2\n");
    assert_ne!(configured, first);
    let report = under_load(&mesh, &path, |pass| {
        pass(SOME);
        mesh.apply(&configured);
        wait_for_extension(&path, r#"\"percentage\":2"#);
        pass(SOME);
    });
    eprintln!("a new configuration: {report}");
    assert!(report.failures().is_empty(), "{:?}", report.failures());

    let broken = first.replace("percentage: 1\n", "percentage: 500\n");
    let report = under_load(&mesh, &path, |pass| {
        pass(SOME);
        let before = mesh.control().refusals("ecds");
        mesh.apply(&broken);
        mesh.control().wait_for_refusal("ecds", before + 3);
        pass(SOME);
    });
    eprintln!("a broken configuration: {report}");
    assert!(report.failures().is_empty(), "{:?}", report.failures());
    assert_eq!(report.missing().0, 0, "the one before it runs on");

    let report = under_load(&mesh, &path, |pass| {
        pass(SOME);
        mesh.apply(&shipped(&["telemetry"], &other));
        let (_, digits) = other.rsplit_once(':').expect("a digest");
        wait_for_extension(&path, &format!("/{digits}.wasm"));
        pass(SOME);
    });
    eprintln!("a new image: {report}");
    assert!(report.failures().is_empty(), "{:?}", report.failures());
}

/// Waits until all Envoys have an extension with this text.
fn wait_for_extension(path: &Path, text: &str) {
    for service in path.services() {
        let pod = service.pod();
        pod.wait(text, || {
            let extensions = pod.extensions();
            let mut texts = extensions.iter().map(|(_, filter)| filter.to_string());
            texts.any(|filter| filter.contains(text)).then_some(())
        });
    }
}

/// A time of load before and after a change.
const SOME: Duration = Duration::from_secs(2);
