//! `sidespan run`: sends the requests of a scenario through the filter, without an Envoy, and reports the outcome.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use sidespan_host::Module;

mod drive;
mod expect;
mod lines;
mod pattern;
pub mod report;
mod scenario;
pub mod span;

use drive::{Drive, Passed};
use expect::{Failures, Headers};
use report::{Exchange, Fields, Report, Unrun};
use scenario::Scenario;

use crate::output;

/// Sends requests through the filter, without a proxy, and compares what comes out
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct RunArgs {
    /// Scenarios in YAML, one or several in a file
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Another proxy-wasm filter than Sidespan's own, which is built in
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// Print one JSON object: {"as_expected", "scenarios": [{"file", "scenario", "failures", "spans", …}], "errors"}
    #[arg(long)]
    pub json: bool,
}

/// Runs all files and prints the reports. The exit code is 0 where all is as expected, 1 where it is not, and 2 where a
/// scenario cannot be read or the filter does not start.
///
/// # Errors
/// When the reports cannot be printed.
pub fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    let code = run_to(args, &mut text)?;
    output::print(&text)?;
    Ok(code)
}

fn run_to(args: &RunArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let (mut reports, mut errors) = (Vec::new(), Vec::new());
    match runner(args) {
        Ok(runner) => {
            for file in &args.files {
                runner.run_all(file, &mut reports, &mut errors);
            }
        }
        Err(error) => errors.push(Unrun::new(args.module.as_deref(), &error)),
    }
    let is_as_expected =
        errors.is_empty() && reports.iter().all(|report| report.failures.is_empty());
    if args.json {
        let object = serde_json::json!({
            "as_expected": is_as_expected, "scenarios": reports, "errors": errors
        });
        writeln!(out, "{object}")?;
    } else {
        for report in &reports {
            report.print(out)?;
        }
    }
    for error in &errors {
        output::tell(format_args!("error: {}", error.message));
    }
    Ok(ExitCode::from(if errors.is_empty() {
        u8::from(!is_as_expected)
    } else {
        2
    }))
}

fn runner(args: &RunArgs) -> anyhow::Result<Runner> {
    match &args.module {
        None => Runner::new(crate::embedded::FILTER),
        Some(file) => {
            let wasm = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            Runner::new(&wasm).with_context(|| file.display().to_string())
        }
    }
}

/// A runner of scenarios with one filter.
#[derive(Debug)]
pub struct Runner {
    module: Module,
}

impl Runner {
    /// Compiles the filter.
    ///
    /// # Errors
    /// When the bytes are no filter that Envoy would load.
    pub fn new(wasm: &[u8]) -> anyhow::Result<Self> {
        Ok(Self {
            module: Module::compile(wasm)?,
        })
    }

    /// Runs all scenarios of a file.
    ///
    /// # Errors
    /// When the file cannot be read, or the filter does not start.
    pub fn run_file(&self, file: &Path) -> anyhow::Result<Vec<Report>> {
        let scenarios = scenario::load(file)?;
        scenarios
            .iter()
            .map(|scenario| self.run_scenario(file, scenario))
            .collect()
    }

    /// Runs the scenarios of a file, and adds an error for each that cannot be run.
    fn run_all(&self, file: &Path, reports: &mut Vec<Report>, errors: &mut Vec<Unrun>) {
        let scenarios = match scenario::load(file) {
            Ok(scenarios) => scenarios,
            Err(error) => return errors.push(Unrun::new(Some(file), &error)),
        };
        for scenario in &scenarios {
            match self.run_scenario(file, scenario) {
                Ok(report) => reports.push(report),
                Err(error) => errors.push(Unrun::new(Some(file), &error)),
            }
        }
    }

    fn run_scenario(&self, file: &Path, scenario: &Scenario) -> anyhow::Result<Report> {
        let context = |step: &str| format!("{}: {}: {step}", file.display(), scenario.name);
        let configuration = scenario.configuration(file)?;
        let mut drive = Drive::start(&self.module, scenario, configuration)
            .with_context(|| context("start"))?;
        let mut known = scenario.known.clone();
        let mut failures = Failures::default();
        let mut exchanges = Vec::new();
        for (index, step) in scenario.requests.iter().enumerate() {
            let name = if step.name.is_empty() {
                format!("requests[{index}]")
            } else {
                step.name.clone()
            };
            let at = |part: &str| format!("requests[{index}].expect.{part}");
            let passed = drive
                .exchange(step, &known)
                .with_context(|| context(&name))?;
            let Passed {
                request,
                upstream,
                downstream,
            } = passed;
            failures.headers(
                &at("upstream"),
                &step.expect.upstream,
                upstream.as_ref(),
                &mut known,
            );
            failures.headers(
                &at("downstream"),
                &step.expect.downstream,
                downstream.as_ref(),
                &mut known,
            );
            if step.expect.unchanged {
                failures.unchanged(&at("unchanged"), &request, upstream.as_ref());
            }
            exchanges.push(Exchange {
                name,
                request: shown(&request),
                upstream: upstream.as_ref().map(shown),
                downstream: downstream.as_ref().map(shown),
            });
        }
        drive
            .wait(scenario.after.0)
            .with_context(|| context("after the last request"))?;
        let logs = drive.logs();
        let spans = std::mem::take(&mut drive.spans);
        failures.end(
            &scenario.expect,
            &spans,
            &logs,
            |name| drive.counter(name),
            &mut known,
        );
        Ok(Report {
            file: file.display().to_string(),
            scenario: scenario.name.clone(),
            exchanges,
            spans,
            logs,
            counters: drive.counters(),
            failures: failures.0,
        })
    }
}

fn shown(headers: &Headers) -> Fields {
    headers
        .iter()
        .map(|(name, value)| (name.clone(), lines::shown(value)))
        .collect()
}

const EXAMPLE: &str = r#"Examples:
  sidespan run examples/*/scenario.yaml                   every example
  sidespan run scenario.yaml --module other.wasm          the same through another filter
  sidespan run s.yaml --json | jq '.scenarios[].spans'    the spans that were exported

A scenario:
  name: a caller that speaks B3
  configuration: config.json              # or the object itself
  node: {metadata: {NAMESPACE: payments}}
  let: {trace: 4bf92f3577b34da6a3ce929d0e0e4736}
  requests:
    - direction: inbound                  # or outbound, or none
      request:
        path: /orders/42
        headers: {b3: "{trace}-00f067aa0ba902b7-1"}
      response: {status: 503, after: 20ms}
      expect:
        upstream:
          traceparent: "00-{trace}-{span}-01"   # {span} is remembered
          x-b3-parentspanid: null               # must not be there
  expect:
    spans:
      - {kind: server, trace: "{trace}", span: "{span}", status: error}
    counters: {sidespan.spans.exported: 1}
    logs: {lack: [panicked]}

Exit codes: 0 all as expected, 1 something is not, 2 a scenario or the filter makes no sense."#;

#[cfg(test)]
mod tests;
