//! `mfnet man`: the manual, as pages for `man`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use super::args::EXIT_CODES;
use super::out_file::OutFile;
use super::{Arguments, Outcome, console};

pub(super) const EXAMPLES: &str = "\
Examples:
  mfnet man | man -l -                       read the page of mfnet
  mfnet man --out ~/.local/share/man/man1    install all pages: man mfnet-train";

const ENVIRONMENT: &str = "\
  MFNET_DATA_DIR       folder of data sets, searched before the cache
  XDG_CACHE_HOME       folder of caches; downloads go to mfnet in it [default: ~/.cache]
  MFNET_INSTRUCTIONS   avx512, avx2 or baseline: the largest instruction set in use
  RAYON_NUM_THREADS    number of threads, where --threads is not given
  OPENBLAS_CORETYPE    kernels of OpenBLAS; mfnet then does not replace them
  COLUMNS              width of the confusion matrix that evaluate prints";

const FILES: &str = "\
  DIR/model.safetensors         model of a run folder DIR
  DIR/config.toml               settings of the run, for --config
  DIR/history.csv               losses and scores of each epoch
  DIR/summary.json              the result, as --json prints it
  DIR/checkpoint.safetensors    state of the training, for --resume
  ~/.cache/mfnet                data sets that were downloaded";

/// The arguments of `mfnet man`.
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
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    text.extend(
        section(
            "EXIT STATUS",
            &EXIT_CODES[EXIT_CODES.find('\n').map_or(0, |end| end + 1)..],
        )
        .bytes(),
    );
    text.extend(section("ENVIRONMENT", ENVIRONMENT).bytes());
    text.extend(section("FILES", FILES).bytes());
    if let Some(examples) = examples(command) {
        text.extend(section("EXAMPLES", &examples).bytes());
    }
    if command.get_version().is_some() {
        page.render_version_section(&mut text)?;
    }
    Ok((page.get_filename(), text))
}

/// The examples out of the text behind a command's help.
fn examples(command: &Command) -> Option<String> {
    let help = command.get_after_help()?.to_string();
    let (_, examples) = help
        .split_once("Examples:\n")
        .or_else(|| help.split_once("Example:\n"))?;
    let examples = examples.split("\nExit codes:").next()?;
    Some(examples.trim_end().to_owned())
}

/// A section whose lines stay as they are.
fn section(title: &str, text: &str) -> String {
    let mut section = format!(
        ".SH {}\n.nf\n",
        if title.contains(' ') {
            format!("\"{title}\"")
        } else {
            title.to_owned()
        }
    );
    for line in text.lines() {
        // A period or an apostrophe at the start of a line would be a request of roff's.
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        section += &format!("{guard}{}\n", line.replace('\\', "\\e").replace('-', "\\-"));
    }
    section + ".fi\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_the_usual_sections() {
        let mut command = Arguments::command().disable_help_subcommand(true);
        command.build();
        for command in std::iter::once(&command).chain(command.get_subcommands()) {
            let (name, text) = page(command).unwrap();
            let text = String::from_utf8(text).unwrap();
            for title in [
                "NAME",
                "SYNOPSIS",
                "OPTIONS",
                "\"EXIT STATUS\"",
                "ENVIRONMENT",
                "FILES",
                "EXAMPLES",
            ] {
                assert_eq!(
                    text.matches(&format!("\n.SH {title}\n")).count(),
                    1,
                    "{name}: {title}"
                );
            }
        }
    }

    #[test]
    fn the_page_of_train_has_the_terms_of_the_field() {
        let mut command = Arguments::command();
        command.build();
        let (_, text) = page(command.find_subcommand("train").unwrap()).unwrap();
        let text = String::from_utf8(text)
            .unwrap()
            .to_lowercase()
            .replace("\\-", "-");
        for term in [
            "learning rate",
            "batch size",
            "number of epochs",
            "loss function",
            "dropout",
            "momentum",
            "weight decay",
            "early stopping",
            "label smoothing",
            "gradient clipping",
            "activation function",
            "class weights",
            "warm-up",
        ] {
            assert!(text.contains(term), "{term}");
        }
    }

    #[test]
    fn lines_are_no_requests() {
        assert_eq!(
            section("FILES", ".config/x\n  a\\b"),
            ".SH FILES\n.nf\n\\&.config/x\n  a\\eb\n.fi\n"
        );
    }
}
