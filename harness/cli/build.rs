//! Builds the filter, and the one that it is measured by, for wasm32-wasip1 and hands their files to the crate, which
//! embeds them.
//!
//! The guest gets a target folder of its own, `target/guest`: cargo holds a lock on the one that it is building in, and
//! a second cargo would wait for it for ever. Flags and wrappers meant for the host's build are kept from it, so that
//! the same bytes come out whoever builds them: `cargo build`, `cargo clippy`, a sanitizer run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

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
    // Cargo takes a relative folder from where it was called, which it tells nobody. From the workspace's root, where that
    // mostly is; a path that the compiler takes from the source file would be found nowhere. Joining keeps an absolute one.
    let target_dir = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let target_dir = root.join(target_dir).join("guest");
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(&root)
        .args(["build", "--release", "--locked"])
        .args(["-p", "sidespan-filter", "-p", "sidespan-floor"])
        .args(["--target", TARGET, "--target-dir"])
        .arg(&target_dir);
    for variable in HOST_ONLY {
        cargo.env_remove(variable);
    }
    run(&mut cargo, "building the filters failed");
    let modules = target_dir.join(TARGET).join("release");
    for (variable, file) in MODULES {
        let module = modules.join(file);
        println!("cargo::rustc-env={variable}={}", module.display());
    }
}

/// Under which name the crate finds what was built.
const MODULES: [(&str, &str); 2] = [
    ("SIDESPAN_FILTER_WASM", "sidespan_filter.wasm"),
    ("SIDESPAN_FLOOR_WASM", "sidespan_floor.wasm"),
];

/// What a build of the host may set, and the guest must not see.
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

/// Adds the target when the toolchain lacks it: rustup does so by itself only where it is allowed to.
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
