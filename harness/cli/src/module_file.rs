//! A module's file: WebAssembly, or its text in a `.wat`.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// Reads a module, and assembles the text of a `.wat`.
///
/// # Errors
/// When the file cannot be read, or its text makes no sense.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if path.extension().is_none_or(|ending| ending != "wat") {
        return Ok(bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    wat::parse_str(&text).with_context(|| path.display().to_string())
}
