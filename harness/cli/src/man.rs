//! `sidespan man`: pages of the manual, made of the program's own arguments.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Command;
use clap_mangen::Man;

use crate::output;

/// Prints a page of the manual, in roff
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ManArgs {
    /// The subcommand that the page is of; the page of the whole program where it is left out
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// Prints one page.
///
/// # Errors
/// When there is no such subcommand, or the page cannot be printed.
pub fn run(args: &ManArgs, mut program: Command) -> anyhow::Result<ExitCode> {
    let version = program.get_version().unwrap_or_default();
    let source = format!("{} {version}", program.get_name());
    // There is no page of `help`.
    program = program.disable_help_subcommand(true);
    // Gives subcommands the names of their pages, and the global options.
    program.build();
    let page = match &args.command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(command) => command.clone(),
            None => bail!("no subcommand {name:?}; sidespan --help lists them"),
        },
    };
    let mut roff = Vec::new();
    Man::new(page)
        .source(source)
        .render(&mut roff)
        .context("the page")?;
    output::print(&roff)?;
    Ok(ExitCode::SUCCESS)
}

const EXAMPLES: &str = "\
Examples:
  sidespan man check | man -l -                       reads the page of check
  sidespan man > /usr/local/share/man/man1/sidespan.1 installs the page of the program";
