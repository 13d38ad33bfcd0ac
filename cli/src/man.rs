//! `mfnet man`: the manual, as pages for `man`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use super::out_file::OutFile;
use super::{Arguments, Outcome, console};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet man | man -l -                       read the page of mfnet
  mfnet man --out ~/.local/share/man/man1    install all pages: man mfnet-train";

/// What `mfnet man` can be told.
#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// Write mfnet.1 and a page for each command into this folder [default: the page of mfnet to standard output]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn man(arguments: &ManArguments) -> anyhow::Result<Outcome> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &arguments.out else {
        let (_, page) = page(&command)?;
        console::print(&String::from_utf8(page)?)?;
        return Ok(Outcome::Done);
    };
    // All are made before the first is written.
    let commands = std::iter::once(&command).chain(command.get_subcommands());
    let pages = commands.map(page).collect::<anyhow::Result<Vec<_>>>()?;
    fs::create_dir_all(folder).with_context(|| format!("{}: cannot create the folder", folder.display()))?;
    for (name, page) in &pages {
        OutFile::write_whole(&folder.join(name), page)?;
    }
    Ok(Outcome::Done)
}

/// A page, and the name of its file.
fn page(command: &Command) -> anyhow::Result<(String, Vec<u8>)> {
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    Ok((page.get_filename(), text))
}
