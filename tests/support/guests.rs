//! Guests of the parity tests, compiled once for their sources below `target`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packages::{installed_below, run_or};

/// Returns the module of the guest that does what its configuration says, `tests/parity/guest`.
///
/// # Panics
/// With the compiler's output.
pub fn scripted() -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/guest");
    let folder = installed_below("guests", "scripted", &texts(&sources), |folder| {
        let mut compiler = Command::new("rustc");
        compiler
            .current_dir(&sources)
            .args(["--edition", "2024", "--crate-type", "cdylib"])
            .args(["--target", "wasm32-wasip1", "-C", "opt-level=s"])
            .args(["-C", "panic=abort", "-C", "strip=symbols", "guest.rs", "-o"])
            .arg(folder.join(MODULE));
        run_or(
            &mut compiler,
            "The guest needs rustc and the target wasm32-wasip1.",
        );
    });
    folder.join(MODULE)
}

/// Returns all that a build depends on: the files of a folder, one behind the other.
fn texts(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("the sources of a guest");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a text");
    paths.iter().map(read).collect()
}

const MODULE: &str = "guest.wasm";
