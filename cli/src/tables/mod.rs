//! `mfnet tables`: the report's trainings and others, and how long each implementation takes for them.

mod arguments;
mod chart;
mod drawn;
mod flops;
mod machine;
mod peers;
mod run;
mod spread;
mod table;
mod write;

use std::fs;

use anyhow::{Context, ensure};
use mfnet::data::known::Source;
use mfnet::product::{self, Products};
use mfnet::{Element, Reduction};

pub(super) use arguments::TablesArguments;

use super::data::{self, Pair};
use super::out_file::OutFile;
use super::{Outcome, console, format, train};
use flops::Peak;
use mfnet::internal::jobs::{Data, Job, Printed, Set, Work};
use peers::{Peer, Samples};
use run::{Round, Setting};
use spread::{median, ratio};
use table::{MFNET, Results, Row, Section, Table};

pub(super) fn tables(arguments: &TablesArguments) -> anyhow::Result<Outcome> {
    train::use_threads(arguments.threads)?;
    // What fails is to fail before an hour of work.
    let peers = match arguments.peers {
        true => peers::find(&arguments.python)?,
        false => Vec::new(),
    };
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder)
            .with_context(|| format!("{}: cannot make the folder", folder.display()))?;
    }
    let bench = Bench {
        arguments,
        source: data::source(arguments.data_dir.as_deref(), arguments.no_download)?,
        peers,
    };
    let mut jobs = arguments.jobs();
    let wide = bench.load::<f64>(&mut jobs)?;
    let narrow = bench.load::<f32>(&mut jobs)?;
    ensure!(!jobs.is_empty(), "no job's data are available");
    let mut table = Table {
        facts: machine::facts(arguments.seed),
        peak: Peak::measured(),
        ..Table::default()
    };
    for peer in &bench.peers {
        let version = format!("{}, {} threads", peer.version, rayon::current_num_threads());
        table.facts.push((peer.name, version));
    }
    for job in jobs {
        let section = bench.section(job, of(&wide, job.data)?, of(&narrow, job.data)?)?;
        table.sections.push(section);
    }
    table.peak = table.peak.max(Peak::measured());
    let [f32, f64] = [table.peak.f32, table.peak.f64].map(|peak| peak / 1e9);
    let peak = format!("{f32:.0} GFLOP/s in f32, {f64:.0} in f64");
    table.facts.push(("peak", peak));
    table.notes = bench.notes();
    if let Some(folder) = &arguments.out {
        OutFile::write_whole(&folder.join("tables.md"), write::markdown(&table).as_bytes())?;
        OutFile::write_whole(&folder.join("tables.csv"), write::csv(&table)?.as_bytes())?;
        OutFile::write_whole(&folder.join("tables.json"), write::json(&table).as_bytes())?;
        let charts = [
            ("tables", chart::ratios(&table)?),
            ("roofline", chart::roofline(&table)?),
        ];
        for (name, chart) in charts {
            if let Some(chart) = chart {
                chart.save(folder.join(name))?;
            }
        }
    }
    console::print(&match arguments.json {
        true => write::json(&table),
        false => write::terminal(&table),
    })?;
    Ok(Outcome::Done)
}

/// What all jobs share.
struct Bench<'a> {
    arguments: &'a TablesArguments,
    source: Source,
    peers: Vec<Peer>,
}

/// The data of a job among those that were loaded.
fn of<T>(loaded: &[(Data, Pair<T>)], data: Data) -> anyhow::Result<&Pair<T>> {
    let found = loaded.iter().find(|(name, _)| *name == data);
    let (_, pair) = found.context("the data of this job were not loaded")?;
    Ok(pair)
}

/// The name of mfnet's rows.
fn implementation(products: Products) -> &'static str {
    match products {
        Products::Auto => MFNET,
        Products::Blas => "mfnet, BLAS",
        _ => "mfnet, Rust",
    }
}

impl Bench<'_> {
    /// The data of the jobs. Jobs whose data are not available are left out, unless they were asked for by name.
    fn load<T: Element>(&self, jobs: &mut Vec<Job>) -> anyhow::Result<Vec<(Data, Pair<T>)>> {
        let TablesArguments { seed, quiet, .. } = *self.arguments;
        let mut loaded = Vec::new();
        for data in [
            Data::Housing,
            Data::Mnist,
            Data::FashionMnist,
            Data::DrawnNumbers,
            Data::DrawnClasses,
        ] {
            if jobs.iter().all(|job| job.data != data) {
                continue;
            }
            let known = |name| data::pair(name, &self.source, seed, quiet);
            let pair = match data {
                Data::Housing => known("california-housing"),
                Data::Mnist => known("mnist"),
                Data::FashionMnist => known("fashion-mnist"),
                Data::DrawnNumbers => Ok(drawn::numbers(seed, 10_000, 4)?),
                Data::DrawnClasses => Ok(drawn::classes(seed, 100_000, 28)?),
            };
            match pair {
                Err(error) if data::is_unavailable(&error) && self.arguments.rows.is_empty() => {
                    console::note(&format!("skipped: the jobs on {}: {error:#}", name(data)));
                    jobs.retain(|job| job.data != data);
                }
                pair => loaded.push((data, pair?)),
            }
        }
        Ok(loaded)
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
            rows: printed(&job, epochs),
        };
        self.note(&section.title);
        let (first, others) = self.arguments.products.split_first().context("no products")?;
        product::set_products(*first);
        let (mut wide, first_loss) = setting.run(task)?;
        wide.implementation = implementation(*first);
        self.note(&progress(&wide));
        let has_plain = job.set == Set::Report && job.round.is_some() && job.work != Work::Reach;
        if has_plain && self.arguments.plain_epochs != Some(0) {
            let (plain, first_plain_loss) = setting.plain(task, self.arguments.plain_epochs)?;
            self.note(&progress(&plain));
            if let (Some(plain), Some(loss)) = (first_plain_loss, first_loss) {
                check_agreement(&job, plain, loss)?;
            }
            section.rows.push(plain);
        }
        let (mut narrow_row, _) = setting.run(narrow)?;
        narrow_row.implementation = implementation(*first);
        self.note(&progress(&narrow_row));
        section.rows.extend([wide, narrow_row]);
        for &products in others.iter().filter(|_| job.work != Work::Mean) {
            product::set_products(products);
            for (mut row, _) in [setting.run(task)?, setting.run(narrow)?] {
                row.implementation = implementation(products);
                self.note(&progress(&row));
                section.rows.push(row);
            }
        }
        product::set_products(*first);
        // The time to an accuracy is compared with PyTorch alone, whose weights are drawn from the same distribution.
        let is_asked = |peer: &&Peer| job.work != Work::Reach || peer.name == peers::PYTORCH;
        let peers: Vec<&Peer> = self.peers.iter().filter(is_asked).collect();
        if let Some(count) = job.round.filter(|_| !peers.is_empty()) {
            let samples = Samples::of(narrow);
            let wide = self.compare(&setting, &peers, &samples, task, count)?;
            let narrow = self.compare(&setting, &peers, &samples, narrow, count)?;
            section
                .rows
                .extend(wide.into_iter().zip(narrow).flat_map(<[Row; 2]>::from));
        }
        let set = if job.work == Work::Evaluate {
            &narrow.test
        } else {
            &narrow.train
        };
        let flops = flops::flops(&job, set);
        for row in section.rows.iter_mut().filter(|row| row.measured > 0) {
            let achieved = flops.map(|flops| flops * row.epochs as f64 / row.seconds);
            row.flops_per_second = achieved.filter(|achieved| achieved.is_finite());
        }
        Ok(section)
    }

    /// The peers' rows in one precision; all take turns with mfnet.
    fn compare<T: Element>(
        &self,
        setting: &Setting,
        peers: &[&Peer],
        samples: &Samples,
        task: &Pair<T>,
        count: usize,
    ) -> anyhow::Result<Vec<Row>> {
        let mut ours = Vec::new();
        let mut theirs = vec![Vec::new(); peers.len()];
        for round in 0..self.arguments.rounds {
            // The way to an accuracy depends on where it begins.
            let seed = setting.seed.wrapping_add(round as u64);
            let setting = Setting { seed, ..*setting };
            ours.push(setting.round(task, count)?);
            for (peer, theirs) in peers.iter().zip(&mut theirs) {
                theirs.push(peer.round(&setting, T::NAME, count, samples)?);
            }
        }
        let rows = peers.iter().zip(&theirs).map(|(peer, theirs)| {
            let row = peer_row::<T>(peer.name, setting, count, &ours, theirs);
            self.note(&progress(&row));
            row
        });
        Ok(rows.collect())
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            "Losses of California Housing are those of normalised targets; the peers' and plain's times are for all of a \
             training's epochs, scaled from those that were measured, where fewer were."
                .to_owned(),
            "plain: the report's pipeline written straight down, in f64, in one thread, without BLAS; \"plain/it\" is \
             its time over that of the row. Its first epoch's loss was checked against that of mfnet f64."
                .to_owned(),
            "report: the seconds that the report prints for its Python program mfnet and for PyTorch, on a MacBook Pro of \
             2019 (quad-core Intel Core i7, 2.3 GHz), with the settings beside them; scaled where this run has other \
             epochs."
                .to_owned(),
            "GFLOP/s: the multiplications and additions of a row's matrix products over its time; where samples are \
             mostly zeros, the first layer's with features other than 0 only, for all implementations alike. \"peak\" is \
             what all threads do in registers alone, as `mfnet doctor` measures it."
                .to_owned(),
            "MNIST's gradients are summed over a batch, as for the report's results; \"mean gradients\" are divided by \
             the samples of the batch, as the report writes them, at the same learning rate."
                .to_owned(),
        ];
        if !self.peers.is_empty() {
            notes.push(
                "\"x mfnet\": the peer's time over mfnet's in the same precision, all in short rounds by turns in this \
                 run: the median of the rounds' ratios (least..greatest). Peers train with as many threads, samples in \
                 memory and the same settings; PyTorch takes batches by index and fused optimizers."
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

/// A peer's row out of the rounds of both; those in which either did not get where it was to end count for nothing.
fn peer_row<T: Element>(
    name: &'static str,
    setting: &Setting,
    count: usize,
    ours: &[Round],
    theirs: &[Round],
) -> Row {
    let pairs: Vec<(Round, Round)> = ours.iter().copied().zip(theirs.iter().copied()).collect();
    let reached: Vec<_> = pairs
        .iter()
        .filter(|(ours, theirs)| (ours.seconds + theirs.seconds).is_finite())
        .collect();
    let seconds: Vec<f64> = reached.iter().map(|(_, theirs)| theirs.seconds).collect();
    let ratios: Vec<(f64, f64)> = reached
        .iter()
        .map(|(ours, theirs)| (ours.seconds, theirs.seconds))
        .collect();
    let rounds = theirs.len();
    let (epochs, scale, remark) = match setting.job.work {
        Work::Reach => {
            let epochs: Vec<f64> = reached.iter().map(|(_, theirs)| theirs.epochs as f64).collect();
            let remark = format!("{} of {rounds} rounds reached it", reached.len());
            (median(&epochs).round() as usize, 1.0, remark)
        }
        Work::Mean | Work::Train | Work::Evaluate => (
            setting.epochs,
            setting.epochs as f64,
            format!("{rounds} rounds of {count}"),
        ),
    };
    Row {
        implementation: name,
        precision: T::NAME,
        epochs,
        measured: theirs
            .iter()
            .map(|round| {
                if setting.job.work == Work::Reach {
                    round.epochs
                } else {
                    count
                }
            })
            .sum(),
        seconds: median(&seconds) * scale,
        flops_per_second: None,
        results: Results::Remark(remark),
        times_mfnet: ratio(&ratios),
    }
}

/// As a title names the data.
fn name(data: Data) -> &'static str {
    match data {
        Data::Housing => "California Housing",
        Data::Mnist => "MNIST",
        Data::FashionMnist => "Fashion-MNIST",
        Data::DrawnNumbers | Data::DrawnClasses => "drawn data",
    }
}

/// The job in a line.
fn title(job: &Job, epochs: usize, task: &Pair<f64>) -> String {
    let data = name(job.data);
    match job.work {
        Work::Mean => format!("{data}, {}", job.model),
        Work::Evaluate => format!(
            "{data}, {}, evaluation of {} digits after one epoch",
            job.model,
            format::count(task.test.samples())
        ),
        Work::Reach => {
            let accuracy = 100.0 * run::ACCURACY;
            format!(
                "{data}, {}, batch {}, seconds to {accuracy:.0} % test accuracy",
                job.model, job.batch_size
            )
        }
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
        epochs,
        measured: 0,
        flops_per_second: None,
        seconds: printed.seconds * epochs as f64 / job.epochs as f64,
        results: Results::Remark(printed.settings.to_owned()),
        times_mfnet: None,
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
