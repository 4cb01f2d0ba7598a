//! The module of a filter in Rust, built by cargo out of the author's package.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::load_error::LoadError;

/// The reasons for which a package does not become a module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// Cargo could not be run.
    #[error("cargo could not be run: {0}")]
    Cargo(io::Error),
    /// Cargo did not build the package.
    #[error(
        "{0}: cargo did not build it for wasm32-wasip1 (`rustup target add wasm32-wasip1` installs the target):\n{1}"
    )]
    Build(PathBuf, String),
    /// The package has no library that becomes a module.
    #[error(
        "{0}: it makes no module; a filter has `[lib] crate-type = [\"cdylib\"]` in its Cargo.toml"
    )]
    NoModule(PathBuf),
    /// The module that cargo has built could not be read.
    #[error("{0}: {1}")]
    Unreadable(PathBuf, io::Error),
    /// Envoy would refuse the module.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// Builds a package, and returns its module.
pub(super) fn build(folder: &Path) -> Result<Vec<u8>, PackageError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--target", "wasm32-wasip1"])
        .args(["--message-format", "json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        // What is meant for the processor of the test is not for the module.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .map_err(PackageError::Cargo)?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(PackageError::Build(folder.to_owned(), errors));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let file = module_file(&messages).ok_or_else(|| PackageError::NoModule(folder.to_owned()))?;
    std::fs::read(&file).map_err(|error| PackageError::Unreadable(file, error))
}

/// Returns the file of the last module in cargo's messages, each of which is one line of JSON: the package itself comes last.
fn module_file(messages: &str) -> Option<PathBuf> {
    let is_module = |line: &&str| line.contains(MODULE_END);
    let (before, _) = messages.lines().rfind(is_module)?.rsplit_once(MODULE_END)?;
    let (_, file) = before.rsplit_once('"')?;
    // JSON's escapes in paths: of Windows' separators, and of quotes, which no such path has.
    let file = file.replace("\\\\", "\\");
    Some(PathBuf::from(file + ".wasm"))
}

const MODULE_END: &str = ".wasm\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_module_that_was_built_last() {
        let messages = r#"{"reason":"compiler-artifact","filenames":["/t/release/libdep.rlib"]}
{"reason":"compiler-artifact","filenames":["/t/release/other.wasm"]}
{"reason":"compiler-artifact","filenames":["C:\\t\\filter.wasm"],"executable":null}
{"reason":"build-finished","success":true}"#;
        assert_eq!(
            module_file(messages),
            Some(PathBuf::from(r"C:\t\filter.wasm"))
        );
        assert_eq!(module_file(r#"{"reason":"build-finished"}"#), None);
    }

    #[test]
    fn says_what_is_wrong_with_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let error = build(folder.path()).unwrap_err().to_string();
        assert!(error.contains("rustup target add wasm32-wasip1"), "{error}");
        assert!(error.contains("Cargo.toml"), "{error}");
    }
}
