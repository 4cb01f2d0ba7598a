//! `sidespan run`: sends the requests of a scenario through its filters and reports the outcome, on the built-in host or
//! on a real Envoy.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use sidespan_host::Detail;

mod answers;
mod body;
pub(crate) mod chain;
mod convert;
mod drive;
mod expect;
mod framing;
mod help;
mod install;
mod junit;
mod length;
mod lines;
mod modules;
mod on_envoy;
mod passed;
mod pattern;
mod print;
mod refusal;
pub mod report;
mod scenario;
mod schema;
pub mod span;

use drive::Drive;
use expect::Failures;
use modules::Modules;
use on_envoy::OnEnvoy;
use passed::Proxy;
use report::{Exchange, Report, Unrun};
use scenario::Scenario;
pub use schema::schema;

use crate::output;
use crate::terminal::harmless;

/// Sends requests through filters, with or without a proxy, and compares what comes out
#[derive(Debug, Default, clap::Args)]
#[command(after_help = help::EXAMPLES)]
pub struct RunArgs {
    /// Scenarios in YAML, one or several in a file
    #[arg(required_unless_present = "schema", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Another proxy-wasm filter than Sidespan's own, which is built in
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// A module for scenarios that name it: `--guest auth=target/auth.wasm` for `module: auth`
    #[arg(long, value_name = "NAME=FILE", value_parser = guest)]
    pub guest: Vec<(String, PathBuf)>,
    /// The proxy that the filters run in
    #[arg(long, value_enum, default_value_t)]
    pub on: On,
    /// Print one JSON object: {"as_expected", "scenarios": [{"file", "scenario", "failures", "spans", …}], "errors"}
    #[arg(long)]
    pub json: bool,
    /// Write JUnit XML, a suite for each file and in it a case for each scenario; `-` is standard output
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub junit: Option<PathBuf>,
    /// Report each callback and each host call, too; on wasmtime only
    #[arg(long)]
    pub transcript: bool,
    /// Print the JSON Schema of a scenario, for editors
    #[arg(long, conflicts_with_all = ["files", "json", "junit"])]
    pub schema: bool,
}

/// The proxies that scenarios run in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum On {
    /// The built-in host: virtual time, the same run each time
    #[default]
    Wasmtime,
    /// A real Envoy, which is fetched the first time
    Envoy,
}

/// Runs all files and prints the reports. The exit code is 0 where all is as expected, 1 where it is not, and 2 where a
/// scenario cannot be read or run.
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
    if args.schema {
        writeln!(out, "{:#}", schema())?;
        return Ok(ExitCode::SUCCESS);
    }
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
    let is_junit_printed = args
        .junit
        .as_ref()
        .is_some_and(|file| *file == Path::new("-"));
    if args.json {
        let object = serde_json::json!({
            "as_expected": is_as_expected, "scenarios": reports, "errors": errors
        });
        writeln!(out, "{}", harmless(&object.to_string()))?;
    } else if is_junit_printed {
        junit::write(&reports, &errors, out)?;
    } else {
        for report in &reports {
            report.print(out)?;
        }
    }
    if let Some(file) = args.junit.as_ref().filter(|_| !is_junit_printed) {
        let mut text = Vec::new();
        junit::write(&reports, &errors, &mut text)?;
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
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
    let mut runner = match &args.module {
        None => Runner::new(crate::embedded::FILTER)?,
        Some(file) => Runner::with_module(file)?,
    }
    .on(args.on)
    .transcript(args.transcript);
    for (name, path) in &args.guest {
        runner = runner.guest(name, path);
    }
    Ok(runner)
}

fn guest(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => {
            Ok((name.into(), file.into()))
        }
        _ => Err("expected NAME=FILE, as in auth=target/auth.wasm".into()),
    }
}

/// A runner of scenarios.
#[derive(Debug)]
pub struct Runner {
    modules: Modules,
    on: On,
    detail: Detail,
}

impl Runner {
    /// Returns a runner for Sidespan's own filter, or for one that is installed as it is.
    ///
    /// # Errors
    /// When the bytes are no filter that Envoy would load.
    pub fn new(wasm: &[u8]) -> anyhow::Result<Self> {
        Ok(Self {
            modules: Modules::sidespan(wasm)?,
            on: On::default(),
            detail: Detail::default(),
        })
    }

    /// Returns a runner for the filter in a file, with an empty root id where the scenario gives none.
    ///
    /// # Errors
    /// When the file cannot be read, or is no filter that Envoy would load.
    pub fn with_module(file: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            modules: Modules::file(file)?,
            on: On::default(),
            detail: Detail::default(),
        })
    }

    /// Sets the proxy; the built-in host by default.
    #[must_use]
    pub fn on(mut self, on: On) -> Self {
        self.on = on;
        self
    }

    /// Adds each callback and each host call to the reports of the built-in host.
    #[must_use]
    pub fn transcript(mut self, is_wanted: bool) -> Self {
        self.detail = match is_wanted {
            true => Detail::Values,
            false => Detail::Counts,
        };
        self
    }

    /// Names a module for scenarios.
    #[must_use]
    pub fn guest(mut self, name: &str, file: &Path) -> Self {
        self.modules.name(name, file);
        self
    }

    /// Runs all scenarios of a file.
    ///
    /// # Errors
    /// When the file cannot be read, or a filter does not start.
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
        let mut proxy = self
            .start(file, scenario)
            .with_context(|| context("start"))?;
        let mut known = scenario.known.clone();
        let mut failures = Failures::default();
        let mut exchanges = Vec::new();
        for (index, step) in scenario.requests().iter().enumerate() {
            let name = if step.name.is_empty() {
                format!("requests[{index}]")
            } else {
                step.name.clone()
            };
            let passed = proxy
                .exchange(step, &known)
                .with_context(|| context(&name))?;
            let at = format!("requests[{index}].expect");
            failures.exchange(&at, &step.expect, &passed, &mut known);
            exchanges.push(Exchange::new(name, &passed));
        }
        let mut connections = Vec::new();
        for (index, connection) in scenario.connections.iter().enumerate() {
            let name = match connection.name.as_str() {
                "" => format!("connections[{index}]"),
                name => name.into(),
            };
            let passed = proxy
                .connection(connection)
                .with_context(|| context(&name))?;
            let at = format!("connections[{index}].expect");
            failures.connection(&at, &connection.expect, &passed, &mut known);
            connections.push(report::Connection::new(name, &passed));
        }
        let outcome = proxy
            .finish()
            .with_context(|| context("after the last request"))?;
        failures.end(&scenario.expect, &outcome, &mut known);
        let mut report = Report::new(file, &scenario.name, outcome);
        report.exchanges = exchanges;
        report.connections = connections;
        report.failures = failures.0;
        Ok(report)
    }

    fn start(&self, file: &Path, scenario: &Scenario) -> anyhow::Result<Box<dyn Proxy>> {
        let chain = scenario.chain();
        let modules = chain.iter().map(|filter| self.modules.find(filter, file));
        let modules = modules.collect::<anyhow::Result<Vec<_>>>()?;
        Ok(match self.on {
            On::Wasmtime => Box::new(Drive::start(&modules, scenario, file, self.detail)?),
            On::Envoy => Box::new(OnEnvoy::start(&modules, scenario, file)?),
        })
    }
}

#[cfg(test)]
mod tests;
