//! `sidespan check`: tells whether the filter will take a configuration, before a proxy has to.
//!
//! It is the filter's own parser that answers here, so what passes is taken and what does not is refused.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

pub mod document;
pub mod environment;
pub mod find;
mod owner;
pub mod report;

pub use report::{Finding, Report};

use crate::output;

/// Says whether the filter will take a configuration, alone or in a manifest
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// JSON, YAML, a WasmPlugin, TrafficExtension or EnvoyFilter, or an Envoy configuration; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print one JSON object: {"valid", "files": [{"file", "configurations", "errors", "warnings", "skipped"}]}
    #[arg(long)]
    pub json: bool,
}

/// Checks all files and prints what was found. Ends with 0 where all are valid, 1 where one is not, and 2 where a file
/// cannot be read.
///
/// # Errors
/// When nothing can be printed.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    let code = run_to(args, &mut text)?;
    output::print(&text)?;
    Ok(code)
}

fn run_to(args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let reports: Vec<_> = args
        .files
        .iter()
        .map(|file| {
            let name = file.display().to_string();
            match read(file) {
                Ok(bytes) => Report::of(&name, &bytes),
                Err(error) => Report::unread(&name, format!("cannot be read: {error}")),
            }
        })
        .collect();
    let is_unread = reports.iter().any(|report| report.is_unread);
    let is_valid = reports.iter().all(|report| report.errors.is_empty());
    if args.json {
        writeln!(out, "{}", json!({ "valid": is_valid, "files": reports }))?;
    } else {
        for report in &reports {
            print(report, out)?;
        }
    }
    Ok(ExitCode::from(if is_unread {
        2
    } else {
        u8::from(!is_valid)
    }))
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return fs::read(file);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
    let plain = anstyle::Style::new();
    let file = &report.file;
    let findings = report
        .errors
        .iter()
        .map(|finding| (red, "error", finding))
        .chain(
            report
                .warnings
                .iter()
                .map(|finding| (yellow, "warning", finding)),
        )
        .chain(
            report
                .skipped
                .iter()
                .map(|finding| (plain, "skipped", finding)),
        );
    for (
        style,
        word,
        Finding {
            document,
            path,
            message,
        },
    ) in findings
    {
        let document = if *document > 1 {
            format!(" document {document}:")
        } else {
            String::new()
        };
        writeln!(
            out,
            "{file}:{document} {style}{word}{style:#}: {path}: {message}"
        )?;
    }
    let count = |number: usize, word: &str| {
        format!("{number} {word}{}", if number == 1 { "" } else { "s" })
    };
    let configurations = count(report.configurations, "configuration");
    match (report.errors.len(), report.configurations) {
        _ if report.is_unread => Ok(()),
        (0, 0) => Ok(()),
        (0, _) => writeln!(out, "{file}: fine, {configurations}"),
        (errors, _) => writeln!(
            out,
            "{file}: not valid, {configurations}, {}",
            count(errors, "error")
        ),
    }
}

const EXAMPLES: &str = "\
Examples:
  sidespan check config.json                 a configuration by itself
  sidespan check istio/*.yaml                what Istio will be given
  sidespan check envoy.yaml                  the wasm filters of an Envoy configuration
  kustomize build istio | sidespan check -   what comes out of kustomize

Of the plugins in a manifest or an Envoy configuration, those are judged that have \"sidespan\" in a name: of the resource, \
of the plugin or filter, its root id, vm_id, url or file. Others are listed as skipped.

What it prints, an error or a warning a line, each with the path of the key:
  config.json: error: $.sampling.percentage: expected a percentage from 0 to 100, found 700
  config.json: not valid, 1 configuration, 1 error

Exit codes: 0 all valid, warnings or not, 1 one is not, 2 a file cannot be read.";

#[cfg(test)]
mod tests;
