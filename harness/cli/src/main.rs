//! The program: arguments in, one subcommand run, an exit code out.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use sidespan::{
    VERSION, bench, check, completions, demo, inspect, man, output, package, run, sidecar, sink,
    trace, verify,
};

/// Whole traces through a mesh that speaks several trace-context formats.
#[derive(Debug, Parser)]
#[command(name = "sidespan", version, long_version = VERSION, after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    color: output::Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Check(check::CheckArgs),
    Run(run::RunArgs),
    Sidecar(sidecar::SidecarArgs),
    Inspect(inspect::InspectArgs),
    Sink(Box<sink::SinkArgs>),
    Trace(trace::TraceArgs),
    Verify(Box<verify::VerifyArgs>),
    Bench(bench::BenchArgs),
    Package(package::PackageArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.color.write_global();
    output::log_to_stderr();
    let outcome = match arguments.command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Sidecar(arguments) => sidecar::run(arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Sink(arguments) => sink::run(*arguments),
        Command::Trace(arguments) => trace::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Package(arguments) => package::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments, Arguments::command()),
        Command::Man(arguments) => man::run(&arguments, Arguments::command()),
    };
    outcome.unwrap_or_else(|error| {
        // Clap begins its messages in this way.
        output::tell(format_args!("error: {error:#}"));
        ExitCode::from(WRONG_USE)
    })
}

/// Clap's exit code for unknown arguments.
const WRONG_USE: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  sidespan demo                                a mesh of seven services and its one trace
  sidespan demo --envoy                        the same on real Envoys
  sidespan check istio/base/wasmplugin.yaml    will the filter take this configuration?
  sidespan run examples/*/scenario.yaml        requests in, expectations out, without a proxy
  sidespan sidecar --upstream 127.0.0.1:3000   the filter in front of a server of yours
  sidespan inspect filter.wasm                 what a module is, and whether Envoy loads it
  sidespan sink                                receives spans by OTLP and Zipkin on the usual ports
  sidespan trace --status error                what it has, newest first; with an id, the waterfall
  sidespan verify                              which hop broke a trace, and why
  sidespan bench --envoy                       what a request costs, beside Envoy's own tracers
  sidespan package --out image                 the filter as an image for Istio, without Docker
  sidespan completions bash                    what a shell completes, for its folder of completions
  sidespan man check | man -l -                a page of the manual

Exit codes: 0 fine, 1 the thing checked is not, 2 wrong use.";
