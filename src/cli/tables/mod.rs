//! `mfnet tables`: the report's trainings, and how long each implementation takes for them.

mod arguments;
mod chart;
mod job;
mod machine;
mod pytorch;
mod run;
mod spread;
mod table;
mod twin;
mod write;

use std::fs;

use anyhow::{Context, ensure};
use mfnet::data::known::Source;
use mfnet::{Element, Reduction};

pub(super) use arguments::TablesArguments;

use super::data::{self, Pair};
use super::out_file::OutFile;
use super::{Outcome, console, format, train};
use job::{Data, Job, Printed, Work};
use pytorch::PyTorch;
use run::Setting;
use spread::{median, ratio};
use table::{MFNET, PYTORCH, Results, Row, Section, Table};

pub(super) fn tables(arguments: &TablesArguments) -> anyhow::Result<Outcome> {
    train::use_threads(arguments.threads)?;
    // What fails is to fail before an hour of work.
    let pytorch = match arguments.peers {
        true => Some(PyTorch::find(&arguments.python)?),
        false => None,
    };
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder)
            .with_context(|| format!("{}: cannot make the folder", folder.display()))?;
    }
    let jobs = arguments.jobs();
    let bench = Bench {
        arguments,
        source: data::source(arguments.data_dir.as_deref(), arguments.no_download)?,
        pytorch,
    };
    let (f64_tasks, f32_tasks) = (bench.load::<f64>(&jobs)?, bench.load::<f32>(&jobs)?);
    let mut table = Table {
        facts: machine::facts(arguments.seed),
        ..Table::default()
    };
    if let Some(pytorch) = &bench.pytorch {
        let version = format!("{}, {} threads", pytorch.version, rayon::current_num_threads());
        table.facts.push(("PyTorch", version));
    }
    for job in jobs {
        let section = bench.section(job, f64_tasks.of(job.data)?, f32_tasks.of(job.data)?)?;
        table.sections.push(section);
    }
    table.notes = bench.notes();
    if let Some(folder) = &arguments.out {
        OutFile::write_whole(&folder.join("tables.md"), write::markdown(&table).as_bytes())?;
        OutFile::write_whole(&folder.join("tables.csv"), write::csv(&table)?.as_bytes())?;
        if let Some(chart) = chart::svg(&table)? {
            OutFile::write_whole(&folder.join("tables.svg"), chart.as_bytes())?;
        }
    }
    console::print(&write::terminal(&table))?;
    Ok(Outcome::Done)
}

/// What all jobs share.
struct Bench<'a> {
    arguments: &'a TablesArguments,
    source: Source,
    pytorch: Option<PyTorch>,
}

/// The data sets that the jobs need.
struct Tasks<T> {
    housing: Option<Pair<T>>,
    mnist: Option<Pair<T>>,
}

impl<T> Tasks<T> {
    fn of(&self, data: Data) -> anyhow::Result<&Pair<T>> {
        let task = match data {
            Data::Housing => &self.housing,
            Data::Mnist => &self.mnist,
        };
        task.as_ref().context("the data of this job were not loaded")
    }
}

impl Bench<'_> {
    fn load<T: Element>(&self, jobs: &[Job]) -> anyhow::Result<Tasks<T>> {
        let TablesArguments { seed, quiet, .. } = *self.arguments;
        let needs = |data| jobs.iter().any(|job| job.data == data);
        Ok(Tasks {
            housing: match needs(Data::Housing) {
                true => Some(data::pair("california-housing", &self.source, seed, quiet)?),
                false => None,
            },
            mnist: match needs(Data::Mnist) {
                true => Some(data::pair("mnist", &self.source, seed, quiet)?),
                false => None,
            },
        })
    }

    fn section(&self, job: Job, task: &Pair<f64>, narrow: &Pair<f32>) -> anyhow::Result<Section> {
        let epochs = self.arguments.epochs(&job);
        let setting = Setting {
            job,
            epochs,
            seed: self.arguments.seed,
            quiet: self.arguments.quiet,
        };
        let mut section = Section {
            job: job.name,
            title: title(&job, epochs, task),
            epochs,
            rows: printed(&job, epochs),
        };
        self.note(&section.title);
        let (wide, first_loss) = setting.run(task)?;
        self.note(&progress(&wide));
        if job.round.is_some() && self.arguments.plain_epochs != Some(0) {
            let (plain, first_plain_loss) = setting.plain(task, self.arguments.plain_epochs)?;
            self.note(&progress(&plain));
            if let (Some(plain), Some(loss)) = (first_plain_loss, first_loss) {
                check_agreement(&job, plain, loss)?;
            }
            section.rows.push(plain);
        }
        let (narrow_row, _) = setting.run(narrow)?;
        self.note(&progress(&narrow_row));
        section.rows.extend([wide, narrow_row]);
        if let (Some(pytorch), Some(count)) = (&self.pytorch, job.round) {
            let rows = [
                self.compare(&setting, pytorch, task, count, &mut section)?,
                self.compare(&setting, pytorch, narrow, count, &mut section)?,
            ];
            section.rows.extend(rows);
        }
        Ok(section)
    }

    /// PyTorch's row; adds the ratio to ours.
    fn compare<T: Element>(
        &self,
        setting: &Setting,
        pytorch: &PyTorch,
        task: &Pair<T>,
        count: usize,
        section: &mut Section,
    ) -> anyhow::Result<Row> {
        let mut pairs = Vec::new();
        for _round in 0..self.arguments.rounds {
            let ours = setting.round(task, count)?;
            let theirs = pytorch.round(&setting.job, T::NAME, count, setting.seed, &self.source)?;
            pairs.push((ours, theirs));
        }
        let ours = section
            .rows
            .iter_mut()
            .find(|row| (row.implementation, row.precision) == (MFNET, T::NAME));
        let ratio = ratio(&pairs);
        if let Some(row) = ours {
            row.pytorch = ratio;
        }
        let theirs: Vec<f64> = pairs.iter().map(|&(_, theirs)| theirs).collect();
        let row = Row {
            implementation: PYTORCH,
            precision: T::NAME,
            measured: self.arguments.rounds * count,
            seconds: median(&theirs) * section.epochs as f64,
            results: Results::Remark(format!("{} rounds of {count}", self.arguments.rounds)),
            pytorch: None,
        };
        self.note(&progress(&row));
        Ok(row)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            "Losses of California Housing are those of normalised targets; PyTorch's and plain's times are for all of a \
             training's epochs, scaled from those that were measured, where fewer were."
                .to_owned(),
            "plain: the report's pipeline written straight down, in f64, in one thread, without BLAS; \"plain/it\" is \
             its time over that of the row. Its first epoch's loss was checked against that of mfnet f64."
                .to_owned(),
            "report: the seconds that the report prints for its Python program mfnet and for PyTorch, on a MacBook Pro of \
             2019 (quad-core Intel Core i7, 2.3 GHz), with the settings beside them; scaled where this run has other \
             epochs."
                .to_owned(),
            "MNIST's gradients are summed over a batch, as for the report's results; \"mean gradients\" are divided by \
             the samples of the batch, as the report writes them, at the same learning rate."
                .to_owned(),
        ];
        if self.pytorch.is_some() {
            notes.push(
                "\"PyTorch/it\": PyTorch's time over mfnet's, both in short rounds by turns in this run: the median of \
                 the rounds' ratios (least..greatest). PyTorch trains with all threads, tensors in memory, batches by \
                 index and fused SGD."
                    .to_owned(),
            );
        }
        if env!("MFNET_BUILD_PROFILE") != "release" {
            notes.push("THESE ARE NOT THE TIMES OF A RELEASE BUILD.".to_owned());
        }
        notes
    }

    fn note(&self, line: &str) {
        if !self.arguments.quiet {
            console::note(line);
        }
    }
}

/// The job in a line.
fn title(job: &Job, epochs: usize, task: &Pair<f64>) -> String {
    let data = match job.data {
        Data::Housing => "California Housing",
        Data::Mnist => "MNIST",
    };
    match job.work {
        Work::Mean => format!("{data}, {}", job.model),
        Work::Evaluate => format!(
            "{data}, {}, evaluation of {} digits after one epoch",
            job.model,
            format::count(task.test.samples())
        ),
        Work::Train => {
            let plural = if epochs == 1 { "" } else { "s" };
            let gradients = match (job.data, job.reduction) {
                (Data::Mnist, Reduction::Mean) => ", mean gradients",
                _ => "",
            };
            format!(
                "{data}, {}, batch {}{gradients}, {epochs} epoch{plural}",
                job.model, job.batch_size
            )
        }
    }
}

/// The rows with the report's own times, scaled to these epochs.
fn printed(job: &Job, epochs: usize) -> Vec<Row> {
    let row = |printed: &Printed| Row {
        implementation: printed.implementation,
        precision: "",
        measured: 0,
        seconds: printed.seconds * epochs as f64 / job.epochs as f64,
        results: Results::Remark(printed.settings.to_owned()),
        pytorch: None,
    };
    job.report.iter().map(row).collect()
}

fn progress(row: &Row) -> String {
    format!("  {:<12} {}", row.name(), format::duration(row.seconds))
}

/// Fast and plain take the same steps from the same weights; what differs is rounding.
fn check_agreement(job: &Job, plain: f64, ours: f64) -> anyhow::Result<()> {
    ensure!(
        (plain - ours).abs() <= 1e-6 * plain.abs(),
        "{}: the first epoch's loss is {ours} in mfnet f64 and {plain} in the plain implementation",
        job.name
    );
    Ok(())
}
