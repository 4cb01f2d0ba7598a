//! The forms of the output besides text and JSON: those that services for continuous integration read.
//!
//! With `--strict` a warning is told as an error, because the run fails for it.

pub mod github;
pub mod junit;
pub(super) mod line;

/// The form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object: {"valid", "strict", "files": [{"file", "configurations", "errors", "warnings", "skipped",
    /// "explanations", "settings"}], "istio", "samplers"}
    Json,
    /// Annotations of GitHub Actions, at file and line
    Github,
    /// JUnit XML, which GitLab and Jenkins read
    Junit,
}
