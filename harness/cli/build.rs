//! Builds the filter, and the two that `sidespan bench` compares it with, for wasm32-wasip1, and hands the paths of the
//! modules to the crate, which embeds them, with the filter's SHA-256, which `--version` shows.
//!
//! The guest's build has a target folder of its own, `target/guest`, because cargo locks the folder that it is building
//! in and a second cargo would wait for that lock for ever. Flags and wrappers meant for the host's build are removed,
//! so that `cargo build`, `cargo clippy` and a sanitizer run all make the same bytes.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs};

use sha2::{Digest, Sha256};

const TARGET: &str = "wasm32-wasip1";

fn main() {
    let manifest_dir = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let root = match manifest_dir.ancestors().nth(2) {
        Some(root) => root.to_path_buf(),
        None => fail("expected this crate two folders below the workspace"),
    };
    for path in ["filter", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    add_target(&root);
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");
    // Cargo resolves a relative folder from its working directory, which a build script cannot learn; usually that is
    // the workspace's root. The path is made absolute because `include_bytes!` resolves a relative one from the source
    // file; `join` keeps an absolute folder.
    let target_dir = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let target_dir = root.join(target_dir).join("guest");
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(&root)
        .args(["build", "--release", "--locked"])
        .args(["-p", "sidespan-filter", "-p", "sidespan-floor"])
        .args(["-p", "sidespan-least"])
        .args(["--target", TARGET, "--target-dir"])
        .arg(&target_dir);
    for variable in HOST_ONLY {
        cargo.env_remove(variable);
    }
    let flags = without_own_paths();
    println!("cargo::rustc-env=SIDESPAN_FILTER_FLAGS={flags}");
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags);
    run(&mut cargo, "building the filters failed");
    let modules = target_dir.join(TARGET).join("release");
    for (variable, file) in MODULES {
        let module = modules.join(file);
        println!("cargo::rustc-env={variable}={}", module.display());
    }
    let [(_, filter), ..] = MODULES;
    let digest = match fs::read(modules.join(filter)) {
        Ok(module) => hex::encode(Sha256::digest(module)),
        Err(error) => fail(&format!("{filter} cannot be read: {error}")),
    };
    println!("cargo::rustc-env=SIDESPAN_FILTER_SHA256={digest}");
}

/// Environment variables by which the crate finds the modules, and the modules' file names.
const MODULES: [(&str, &str); 3] = [
    ("SIDESPAN_FILTER_WASM", "sidespan_filter.wasm"),
    ("SIDESPAN_FLOOR_WASM", "sidespan_floor.wasm"),
    ("SIDESPAN_LEAST_WASM", "sidespan_least.wasm"),
];

/// Variables that a build of the host may set, and that the guest's build must not see.
const HOST_ONLY: [&str; 8] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CLIPPY_ARGS",
    "CLIPPY_CONF_DIR",
];

/// Returns the compiler's flags that write every folder of downloaded crates as one name, because checks hold the paths of
/// their sources: without them who has another home gets another module, and its digest says nothing.
fn without_own_paths() -> String {
    println!("cargo::rerun-if-env-changed=CARGO_HOME");
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let sources = home.map(|home| home.join("registry/src"));
    let registries = sources.and_then(|sources| fs::read_dir(sources).ok());
    let folders = registries.into_iter().flatten().flatten();
    let flags: Vec<String> = folders
        .map(|folder| format!("--remap-path-prefix={}=/crates", folder.path().display()))
        .collect();
    // What cargo splits this variable at.
    flags.join("\x1f")
}

/// Adds the target to a toolchain that lacks it, because rustup does so by itself only where automatic installation is
/// allowed.
fn add_target(root: &Path) {
    let output = Command::new(variable("RUSTC"))
        .args(["--print", "target-libdir", "--target", TARGET])
        .output();
    let libraries = match output {
        Ok(output) => PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()),
        Err(error) => fail(&format!("rustc does not run: {error}")),
    };
    if libraries.is_dir() {
        return;
    }
    println!("cargo::warning=adding the target {TARGET} with rustup");
    run(
        Command::new("rustup")
            .current_dir(root)
            .args(["target", "add", TARGET]),
        "the target wasm32-wasip1 is missing; without rustup, install it the way rustc was installed",
    );
}

fn run(command: &mut Command, cause: &str) {
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => fail(&format!("{cause} ({status})")),
        Err(error) => fail(&format!("{cause}: {error}")),
    }
}

fn variable(name: &str) -> String {
    match env::var(name) {
        Ok(value) => value,
        Err(error) => fail(&format!("cargo should set {name}: {error}")),
    }
}

fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    exit(1)
}
