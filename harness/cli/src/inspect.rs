//! `sidespan inspect`: what a module is, whether Envoy loads it, and what will go wrong with it, before it is shipped.
//!
//! ```text
//!   binary       the module's sections, read once
//!   origin       language and SDK          callbacks    what Envoy calls, and what each call costs
//!   needs        the oldest Envoy          strings      names of properties that Envoy removed
//!   findings     what to change            report       all of it, for people (print) and scripts (--json)
//! ```
//!
//! Nothing of the module runs, except what Envoy runs to load it: the host compiles it and links its imports.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::{module_file, output};

mod binary;
mod callbacks;
mod findings;
mod needs;
mod origin;
mod print;
mod report;
mod strings;

use report::Report;

/// Tells what a module is, whether Envoy loads it, and what will go wrong with it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct InspectArgs {
    /// Modules of proxy-wasm, or their text in a .wat
    #[arg(required = true, value_name = "MODULE")]
    pub modules: Vec<PathBuf>,
    /// Print one JSON object: {"modules": [{"file", "loads", "envoy_says", "cause", "abi", "language", "sdk", "findings", …}], "errors"}
    #[arg(long)]
    pub json: bool,
}

/// Inspects all modules. The exit code is 0 where Envoy loads each, 1 where it refuses one, and 2 where a file cannot be read.
///
/// # Errors
/// When the reports cannot be printed.
pub fn run(args: &InspectArgs) -> anyhow::Result<ExitCode> {
    let (mut reports, mut errors) = (Vec::new(), Vec::new());
    for file in &args.modules {
        match module_file::read(file) {
            Ok(wasm) => reports.push(Report::new(file, &wasm)),
            Err(error) => errors.push(format!("{error:#}")),
        }
    }
    let text = match args.json {
        true => serde_json::json!({"modules": reports, "errors": errors}).to_string() + "\n",
        false => print::text(&reports),
    };
    output::print(text.as_bytes())?;
    for error in &errors {
        output::tell(format_args!("error: {error}"));
    }
    Ok(ExitCode::from(match errors.is_empty() {
        true => u8::from(reports.iter().any(|report| !report.loads)),
        false => 2,
    }))
}

const EXAMPLES: &str = "\
Examples:
  sidespan inspect filter.wasm                 before it goes into an image
  sidespan inspect --json *.wasm | jq '.modules[] | select(.loads | not) | .envoy_says'

Exit codes: 0 Envoy loads every module, 1 it refuses one, 2 a file cannot be read.";

#[cfg(test)]
mod tests;
