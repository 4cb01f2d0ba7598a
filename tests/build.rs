//! The build script: finds out where no real Envoy can run, where packages of Python and Node, another collector, a load
//! generator or Prometheus are missing, and where no file system can be mounted, so that the tests that need them end as *ignored*, with the reason.

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
    println!("cargo::rustc-check-cfg=cfg(no_rotel)");
    if !runs("python3", &["-c", CAN_RUN_ROTEL]) {
        println!("cargo::rustc-cfg=no_rotel");
    }
    println!("cargo::rustc-check-cfg=cfg(no_h2load)");
    if !runs("h2load", &["--version"]) {
        println!("cargo::rustc-cfg=no_h2load");
    }
    println!("cargo::rustc-check-cfg=cfg(no_promtool)");
    if !runs("promtool", &["--version"]) {
        println!("cargo::rustc-cfg=no_promtool");
    }
    println!("cargo::rustc-check-cfg=cfg(no_namespaces)");
    let mount = ["-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"];
    let can_mount = runs("unshare", &mount) && runs("nsenter", &["--version"]);
    if !can_mount {
        println!("cargo::rustc-cfg=no_namespaces");
    }
    // A pod of a mesh is an Envoy with a file system of its own.
    println!("cargo::rustc-check-cfg=cfg(no_mesh)");
    if !possible || !can_mount {
        println!("cargo::rustc-cfg=no_mesh");
    }
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-changed=build.rs");
}

/// A program that checks what rotel's package demands by its tags, and that the library exists to which rotel is linked.
const CAN_RUN_ROTEL: &str = r#"
import ctypes, ensurepip, os, sys, venv
assert (3, 10) <= sys.version_info < (3, 14)
name, version = os.confstr("CS_GNU_LIBC_VERSION").split()
assert name == "glibc" and tuple(map(int, version.split(".")[:2])) >= (2, 34)
assert os.uname().machine in ("x86_64", "aarch64")
ctypes.CDLL(f"libpython3.{sys.version_info[1]}.so.1.0")
"#;
