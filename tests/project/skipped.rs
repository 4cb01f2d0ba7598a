//! Skipped tests: those that cannot run on a machine end as *ignored*, with the reason, and in CI that is a failure.

use std::env;

#[test]
fn in_ci_no_test_is_skipped() {
    let in_ci = env::var("CI").is_ok_and(|value| value == "true");
    assert!(
        !(in_ci && cfg!(no_envoy)),
        "no Envoy 1.40.0 for this machine, so no test on a real Envoy has run"
    );
    assert!(
        !(in_ci && cfg!(no_packages)),
        "no python3 with venv, no node or no npm, so nothing has run beside OpenTelemetry's own libraries"
    );
    assert!(
        !(in_ci && cfg!(no_rotel)),
        "no Python 3.10 to 3.13 with venv and its shared library (Debian: libpython3-dev), or no glibc 2.34, so no spans \
         went through a collector of somebody else's"
    );
    assert!(
        !(in_ci && cfg!(no_h2load)),
        "no h2load (Debian: nghttp2-client), so `sidespan bench --envoy` has not run"
    );
    assert!(
        !(in_ci && cfg!(no_promtool)),
        "no promtool (Debian: prometheus), so no rule and no query of istio/observability was read by Prometheus"
    );
    assert!(
        !(in_ci && cfg!(no_namespaces)),
        "no file system can be mounted in a namespace (unshare -rm, nsenter), so no sink has met a full one, and no Istio has run"
    );
}
