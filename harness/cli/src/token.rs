//! The token of a sink, as every command takes it that is a sink or asks one.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;

/// The token of a sink.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct TokenArgs {
    /// The sink's token, which every request brings in `authorization: Bearer TOKEN`; others see it in the list of processes
    #[arg(
        long,
        env = "SIDESPAN_SINK_TOKEN",
        hide_env_values = true,
        conflicts_with = "token_file"
    )]
    pub token: Option<String>,
    /// A file with that token
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

impl TokenArgs {
    /// Returns the text of the token, and where it is from.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read(&self) -> anyhow::Result<Option<(String, String)>> {
        Ok(match (&self.token_file, &self.token) {
            (Some(file), _) => {
                let name = file.display().to_string();
                let read = fs::read_to_string(file);
                Some((read.with_context(|| format!("reading {name}"))?, name))
            }
            // Set and empty is as good as unset, as in OpenTelemetry's specification of variables.
            (None, Some(text)) if !text.is_empty() => Some((text.clone(), "--token".to_owned())),
            _ => None,
        })
    }
}
