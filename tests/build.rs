//! Says where no real Envoy can run, so that the tests that need one end as *ignored*, with the reason.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(no_envoy)");
    let is = |key: &str, wanted: &[&str]| {
        env::var(key).is_ok_and(|found| wanted.contains(&found.as_str()))
    };
    let possible = is("CARGO_CFG_TARGET_OS", &["linux"])
        && is("CARGO_CFG_TARGET_ENV", &["gnu"])
        && is("CARGO_CFG_TARGET_ARCH", &["x86_64", "aarch64"]);
    if !possible {
        println!("cargo::rustc-cfg=no_envoy");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
