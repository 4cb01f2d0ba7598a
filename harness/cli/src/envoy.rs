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
    let is_target = |folder: &&Path| folder.join("CACHEDIR.TAG").exists();
    program
        .ancestors()
        .find(is_target)
        .map_or_else(|| PathBuf::from("target"), Path::to_path_buf)
}
