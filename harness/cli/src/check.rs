//! `sidespan check`: judges whether the filter accepts a configuration, before a proxy loads it, and explains its
//! effect.
//!
//! The filter's own code reads the configuration and answers, so the filter accepts and refuses exactly the
//! configurations that this subcommand accepts and refuses. Sampling settings of Istio and of OpenTelemetry's SDKs are
//! read beside them: see [`istio::settings`].

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

pub mod chain;
pub mod compatibility;
mod cures;
pub mod decision;
pub mod envelope;
pub mod explain;
pub mod exporter;
pub mod format;
pub mod image;
pub mod input;
pub mod istio;
pub mod locate;
mod print;
pub mod report;
pub mod results;
pub mod schema;
pub mod targets;

pub use report::{Finding, Report};
pub use results::{Options, Results, check_file};

use decision::Question;
use format::{Format, github, junit};
use input::folder;
use print::Wish;
use sidespan_core::direction::Direction;

use crate::output;
use crate::package::Built;

/// Says whether the filter will take a configuration, alone or in a manifest, and what it does
#[derive(Debug, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// JSON, YAML, a WasmPlugin, TrafficExtension, EnvoyFilter or EnvoyExtensionPolicy, or an Envoy configuration; besides, Istio's
    /// Telemetry and MeshConfig, the Operator's Instrumentation, workloads, and files of OTEL_ variables; - reads standard input
    #[arg(required_unless_present = "schema", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Say what each configuration does, in the order in which the filter decides
    #[arg(long)]
    pub explain: bool,
    /// Ask about one request: which percentage it gets, and which key decides
    #[arg(long, value_name = "'METHOD /path'")]
    pub request: Option<String>,
    /// The namespace of the workload whose sidecar is asked
    #[arg(long, value_name = "NAME", requires = "request")]
    pub namespace: Option<String>,
    /// A header of the request; may be repeated
    #[arg(long = "header", value_name = "'name: value'", requires = "request")]
    pub headers: Vec<String>,
    /// A label of the workload; may be repeated
    #[arg(long = "label", value_name = "name=value", requires = "request")]
    pub labels: Vec<String>,
    /// Which way the request goes; inbound where nothing is said
    #[arg(long, value_enum, requires = "request")]
    pub direction: Option<Way>,
    /// Istio's root namespace, whatever the files say of it
    #[arg(long, value_name = "NAME")]
    pub root_namespace: Option<String>,
    /// An image layout of `sidespan package`: is it the image by whose digest the manifests are pinned?
    #[arg(long, value_name = "LAYOUT")]
    pub image: Option<PathBuf>,
    /// Count warnings as errors
    #[arg(long)]
    pub strict: bool,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Print the JSON Schema of pluginConfig, for editors, and check nothing
    #[arg(long, conflicts_with = "files")]
    pub schema: bool,
}

/// Which way a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// Towards the workload
    Inbound,
    /// From the workload
    Outbound,
    /// Through a gateway
    Edge,
}

impl From<Way> for Direction {
    fn from(way: Way) -> Self {
        match way {
            Way::Inbound => Self::Inbound,
            Way::Outbound => Self::Outbound,
            Way::Edge => Self::Edge,
        }
    }
}

/// Checks all files and prints the findings. The exit code is 0 where all files are valid, 1 where one is not, which a
/// warning makes it with `--strict`, and 2 where a file cannot be read.
///
/// # Errors
/// When the findings cannot be printed, or the question of `--request` or the image of `--image` cannot be read.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    let code = run_to(args, &mut text)?;
    output::print(&text)?;
    Ok(code)
}

fn run_to(args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    if args.schema {
        writeln!(out, "{:#}", schema::schema())?;
        return Ok(ExitCode::SUCCESS);
    }
    let direction = args.direction.unwrap_or(Way::Inbound).into();
    let namespace = args.namespace.as_deref();
    let question = args
        .request
        .as_ref()
        .map(|request| Question::parse(request, namespace, &args.headers, &args.labels, direction))
        .transpose()?;
    let image = args
        .image
        .as_deref()
        .map(|path| Built::read(path).with_context(|| format!("--image {}", path.display())))
        .transpose()?;
    let files = args
        .files
        .iter()
        .map(|file| (file.display().to_string(), read(file)));
    let options = Options {
        question: question.as_ref(),
        image: image.as_ref(),
        root_namespace: args.root_namespace.as_deref(),
        strict: args.strict,
    };
    let results = Results::of(files.collect(), options);
    let wish = Wish {
        explain: args.explain,
    };
    match args.format {
        Format::Text if !args.json => print::results(&results, wish, out)?,
        Format::Text | Format::Json => writeln!(out, "{}", serde_json::to_string(&results)?)?,
        Format::Github => github::results(&results, out)?,
        Format::Junit => junit::results(&results, out)?,
    }
    let is_unread = results.reports.iter().any(|report| report.is_unread);
    Ok(ExitCode::from(if is_unread {
        2
    } else {
        u8::from(!results.valid)
    }))
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return match fs::read(file) {
            Err(_) if file.is_dir() => Err(io::Error::other(folder::advice(file))),
            read => read,
        };
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

const EXAMPLES: &str = "\
Examples:
  sidespan check config.json                 a configuration by itself
  kubectl kustomize istio | sidespan check - what Istio will be given
  sidespan check envoy.yaml                  the wasm filters of an Envoy configuration
  helm template sidespan istio/chart -f values.yaml | sidespan check -
                                             the same of a chart
  sidespan check --explain config.json       what it does, step by step
  sidespan check config.json --request 'GET /checkout' --namespace payments
                                             what becomes of one request there, and which key decides
  sidespan check wasmplugin.yaml telemetry.yaml meshconfig.yaml deployment.yaml service.env
                                             beside what Istio and the SDKs have been told
  kubectl get telemetry,cm,deploy -A -o yaml | sidespan check -
                                             the percentages of a running mesh, and the same in Sidespan
  sidespan check --strict --format github mesh.yaml
                                             annotations in a pull request; --format junit for GitLab and Jenkins
  sidespan check --image image mesh.yaml
                                             is this image, of `sidespan package`, the one that it is pinned to?
  sidespan check --schema > sidespan.schema.json
                                             what editors complete and explain keys by

Of the plugins in a manifest or an Envoy configuration, those are judged that have \"sidespan\" in a name: of the resource, \
of the plugin or filter, its root id, vm_id, url or file. Others are listed as skipped.

What it prints, an error or a warning a line, each with the path of the key:
  config.json: error: $.sampling.percentage: expected a percentage from 0 to 100, found 700
  config.json: not valid, 1 configuration, 1 error

What --request prints, the namespace being that of the workload and never of the request:
  config.json: a request GET /checkout, inbound, in namespace payments: 50 % by sampling.namespaces[\"payments\"]

Exit codes: 0 all valid, warnings or not, 1 one is not, or has a warning and --strict, 2 a file, an image or a question \
cannot be read.";

#[cfg(test)]
mod tests;
