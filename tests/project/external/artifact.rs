//! The artifact of the documented build command, which must be the filter that the program embeds, but for the folder of
//! downloaded crates: checks hold its path, and `harness/cli/build.rs` leaves it out.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_embedded_filter_is_the_one_that_the_documented_command_builds() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent().expect("the workspace");
    // A relative target folder counts from the root, where cargo is called; joining keeps an absolute one.
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let target = root.join(target);
    let status = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["build", "--release", "--quiet", "-p", "sidespan-filter"])
        .args(["--target", "wasm32-wasip1"])
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", sidespan::FILTER_FLAGS)
        .status()
        .expect("cargo");
    assert!(status.success());
    let built = fs::read(target.join("wasm32-wasip1/release/sidespan_filter.wasm"))
        .expect("the documented artifact");
    assert!(built == sidespan::FILTER, "two builds, two filters");
}
