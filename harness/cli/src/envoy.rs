//! The real Envoy of the subcommands: the path of its binary, which is fetched the first time.

use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use crate::output;

/// Returns the path of Envoy's binary.
pub(crate) async fn binary() -> anyhow::Result<PathBuf> {
    output::progress("looking for Envoy, which is fetched the first time");
    Ok(spawn_blocking(|| sidespan_envoy::install(&target_dir())).await??)
}

/// Returns cargo's folder for build products, where this program is in one; else `target` in the working directory.
fn target_dir() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    cargo_folder(&program).map_or_else(|| PathBuf::from("target"), Path::to_path_buf)
}

/// Returns cargo's folder around a program. Cargo tags a folder that it makes itself, and keeps its notes in any.
fn cargo_folder(program: &Path) -> Option<&Path> {
    let is_cargos = |folder: &&Path| {
        let has = |file| folder.join(file).exists();
        has("CACHEDIR.TAG") || has(".rustc_info.json")
    };
    program.ancestors().find(is_cargos)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn cargos_folder_is_found_whoever_made_it() {
        for mark in ["CACHEDIR.TAG", ".rustc_info.json"] {
            let folder = tempfile::tempdir().unwrap();
            let target = folder.path().join("target");
            fs::create_dir(&target).unwrap();
            let program = target.join("debug/sidespan");
            assert_eq!(cargo_folder(&program), None, "{mark}");
            fs::write(target.join(mark), "").unwrap();
            assert_eq!(cargo_folder(&program), Some(&*target), "{mark}");
        }
    }
}
