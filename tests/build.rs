//! Says where no real Envoy can run, and where no packages of Python and Node, so that the tests that need them end as
//! *ignored*, with the reason.

use std::env;
use std::process::Command;

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
    println!("cargo::rustc-check-cfg=cfg(no_packages)");
    let runs = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.is_ok_and(|output| output.status.success())
    };
    let can_install = runs("python3", &["-c", "import ensurepip, venv"])
        && runs("node", &["--version"])
        && runs("npm", &["--version"]);
    if !can_install {
        println!("cargo::rustc-cfg=no_packages");
    }
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-changed=build.rs");
}
