//! `mfnet completions`: what a shell needs to complete commands and options.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Arguments, Outcome, console};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet completions bash > ~/.local/share/bash-completion/completions/mfnet
  mfnet completions zsh > ~/.zfunc/_mfnet            with fpath+=~/.zfunc in ~/.zshrc
  mfnet completions fish > ~/.config/fish/completions/mfnet.fish
  mfnet completions powershell >> $PROFILE";

/// The arguments of `mfnet completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

pub(super) fn completions(arguments: &CompletionsArguments) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut Arguments::command(), "mfnet", &mut script);
    console::print(&String::from_utf8(script)?)?;
    Ok(Outcome::Done)
}
