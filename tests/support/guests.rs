//! Guests of the parity tests, compiled once for their sources below `target`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packages::{self, installed_below, run_or, texts};

/// Returns the module of the guest that does what its configuration says, `tests/parity/guest`.
///
/// # Panics
/// With the compiler's output.
pub fn scripted() -> PathBuf {
    built("guest", "scripted", |sources, module| {
        let mut compiler = Command::new("rustc");
        compiler
            .current_dir(sources)
            .args(["--edition", "2024", "--crate-type", "cdylib"])
            .args(["--target", "wasm32-wasip1", "-C", "opt-level=s"])
            .args(["-C", "panic=abort", "-C", "strip=symbols", "guest.rs", "-o"])
            .arg(module);
        run_or(
            &mut compiler,
            "The guest needs rustc and the target wasm32-wasip1.",
        );
    })
}

/// Returns the filter in C on the raw ABI.
///
/// # Panics
/// With the compiler's output, or with what is missing.
pub fn c() -> PathBuf {
    built("languages/c", "c", |sources, module| {
        let mut compiler = Command::new("clang");
        compiler
            .current_dir(sources)
            .args(["--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry"])
            .args(["greeter.c", "-o"])
            .arg(module);
        run_or(&mut compiler, "The guest in C needs clang and lld.");
    })
}

/// Returns the filter in Go on the raw ABI.
///
/// # Panics
/// With the compiler's output, or with what is missing.
pub fn go() -> PathBuf {
    built("languages/go", "go", |sources, module| {
        let mut compiler = Command::new("go");
        compiler
            .current_dir(sources)
            .env_remove("GOFLAGS")
            .envs([("GOOS", "wasip1"), ("GOARCH", "wasm")])
            .args(["build", "-trimpath", "-buildvcs=false"])
            .args(["-buildmode=c-shared", "-o"])
            .arg(module)
            .arg(".");
        run_or(&mut compiler, "The guest in Go needs Go 1.24 or newer.");
    })
}

/// Returns the filter in AssemblyScript on the raw ABI.
///
/// # Panics
/// With the compiler's output, or with what is missing.
pub fn assemblyscript() -> PathBuf {
    let package = include_str!("../parity/languages/assemblyscript/package.json");
    let modules = packages::node("assemblyscript", package);
    built(
        "languages/assemblyscript",
        "assemblyscript",
        |sources, module| {
            let mut compiler = Command::new("node");
            compiler
                .current_dir(sources)
                .arg(modules.join("assemblyscript/bin/asc.js"))
                .args(["greeter.ts", "-O", "--runtime", "stub"])
                .args(["--use", "abort=greeter/abort", "-o"])
                .arg(module);
            run_or(
                &mut compiler,
                "The guest in AssemblyScript needs node and npm.",
            );
        },
    )
}

/// Returns the filter in Rust on the SDK, as a crate of its own.
///
/// # Panics
/// With the compiler's output.
pub fn rust_sdk() -> PathBuf {
    built("languages/rust", "rust", |sources, module| {
        // Cargo writes beside the sources, so it gets a copy.
        let folder = module.parent().expect("the module lies in a folder");
        for name in ["Cargo.toml", "Cargo.lock", "greeter.rs"] {
            fs::copy(sources.join(name), folder.join(name)).expect("a file below target");
        }
        let mut compiler = Command::new("cargo");
        compiler
            .current_dir(folder)
            .env_remove("RUSTFLAGS")
            .args([
                "build",
                "--release",
                "--locked",
                "--target",
                "wasm32-wasip1",
            ])
            .args(["--target-dir", "target"]);
        run_or(&mut compiler, "The guest on the SDK needs cargo.");
        let built = folder.join("target/wasm32-wasip1/release/greeter.wasm");
        fs::copy(built, module).expect("the module was built");
    })
}

/// Returns the module that `build` makes of a folder of `tests/parity`.
fn built(sources: &str, name: &str, build: impl Fn(&Path, &Path)) -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("parity")
        .join(sources);
    let module = |folder: &Path| folder.join("guest.wasm");
    let folder = installed_below("guests", name, &texts(&sources), |folder| {
        build(&sources, &module(folder));
    });
    module(&folder)
}
