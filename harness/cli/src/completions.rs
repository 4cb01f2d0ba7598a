//! `sidespan completions`: the script by which a shell completes subcommands and options.

use std::process::ExitCode;

use clap::Command;
use clap_complete::Shell;

use crate::output;

/// Prints the script by which a shell completes subcommands and options
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script for a shell, made of the program's own arguments.
///
/// # Errors
/// When it cannot be printed.
pub fn run(args: &CompletionsArgs, mut program: Command) -> anyhow::Result<ExitCode> {
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, name, &mut script);
    output::print(&script)?;
    Ok(ExitCode::SUCCESS)
}

const EXAMPLES: &str = "\
Examples:
  sidespan completions bash > ~/.local/share/bash-completion/completions/sidespan
  sidespan completions zsh > ~/.zfunc/_sidespan       with ~/.zfunc in fpath, before compinit
  sidespan completions fish > ~/.config/fish/completions/sidespan.fish";
