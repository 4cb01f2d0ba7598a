//! Grafana's own types of a dashboard, which refuse what they do not have.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::build;

/// Reads dashboards into Grafana's types, strictly; what is wrong is in the output, and the program fails.
///
/// # Panics
/// When the program cannot be built or does not run.
pub fn check_dashboards(files: &[PathBuf]) -> Output {
    let mut command = Command::new(build::program("grafana", "."));
    command.args(files).output().expect("the program runs")
}
