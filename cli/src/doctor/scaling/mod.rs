//! `mfnet doctor --scaling`: a prediction of how fast a network trains on more threads.

pub(crate) mod arguments;
mod json;
mod measure;
mod schedule;
mod text;
mod traffic;

use std::time::Instant;

use mfnet::internal::machine;
use mfnet::internal::timing::Step;
use rayon::ThreadPoolBuilder;

use self::arguments::ScalingArguments;
use self::measure::{Measured, measure};
use self::schedule::{Costs, makespan};
use self::traffic::Traffic;
use super::system::System;
use crate::settings::Precision;

/// The numbers of threads that are predicted.
const THREADS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Threads that do not make a step faster by this part are not recommended.
const WORTH: f64 = 0.1;

/// A prediction, with what it is made of. Durations are in seconds.
#[derive(Debug)]
struct Report {
    arguments: ScalingArguments,
    /// The number of threads at hand.
    threads: usize,
    measured: Measured,
    fork_join: f64,
    /// The number of threads for which `fork_join` was measured.
    fork_join_threads: usize,
    /// Bytes per second.
    memory: f64,
    /// For each number of threads, the duration of a step.
    predicted: Vec<(usize, f64)>,
    phases: Vec<PhaseReport>,
    recommended: usize,
    /// How long all this took.
    seconds: f64,
}

/// The phases of one name.
#[derive(Debug)]
struct PhaseReport {
    /// `None` for the work between phases, which one thread does.
    name: Option<&'static str>,
    tasks: usize,
    /// For each number of threads of [`THREADS`], the duration.
    predicted: Vec<f64>,
}

/// The report, for people or as JSON.
pub(super) fn report(arguments: &ScalingArguments, as_json: bool) -> anyhow::Result<String> {
    let report = Report::new(arguments)?;
    Ok(if as_json {
        json::text(&report)
    } else {
        text::text(&report)
    })
}

impl Report {
    fn new(arguments: &ScalingArguments) -> anyhow::Result<Self> {
        let start = Instant::now();
        let threads = rayon::current_num_threads();
        let (measured, size) = match arguments.precision {
            Precision::F32 => (measure::<f32>(arguments, threads)?, size_of::<f32>()),
            Precision::F64 => (measure::<f64>(arguments, threads)?, size_of::<f64>()),
        };
        let fork_join_threads = threads.max(2);
        let pool = ThreadPoolBuilder::new().num_threads(fork_join_threads).build()?;
        let fork_join = pool.install(machine::fork_join_seconds);
        let memory = machine::memory_bandwidth();
        let caches = System::this().caches;
        let cache = caches.iter().map(|&(_, bytes)| bytes).max().unwrap_or(0);
        let traffic = Traffic::new(arguments, &measured.steps, size, cache as f64);
        let costs = Costs {
            // Work spreads from thread to thread as a tree.
            fork_join: &|threads| fork_join * (threads as f64).log2() / (fork_join_threads as f64).log2(),
            least: &|phase| traffic.bytes(phase) / memory,
        };
        let mut counts = THREADS.to_vec();
        counts.push(threads);
        counts.sort_unstable();
        counts.dedup();
        let predict = |&threads: &usize| (threads, makespan(&measured.steps, threads, &costs));
        let predicted: Vec<(usize, f64)> = counts.iter().map(predict).collect();
        Ok(Report {
            arguments: arguments.clone(),
            threads,
            phases: phases(&measured.steps, &costs),
            recommended: recommended(&predicted),
            measured,
            fork_join,
            fork_join_threads,
            memory,
            predicted,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// For each number of threads, how many times as fast as one thread it is.
    fn predicted_speedups(&self) -> impl Iterator<Item = (usize, f64)> {
        let one = self.predicted.first().map_or(0.0, |&(_, seconds)| seconds);
        self.predicted
            .iter()
            .map(move |&(threads, seconds)| (threads, one / seconds))
    }

    /// As [`Report::predicted_speedups`], for the numbers of threads that were measured.
    fn measured_speedups(&self) -> impl Iterator<Item = (usize, f64)> {
        let several = self
            .measured
            .several
            .map(|seconds| (self.threads, self.measured.one / seconds));
        [(1, 1.0)].into_iter().chain(several)
    }

    /// By which part of the measured speed-up the predicted one exceeds it, for the threads at hand.
    fn deviation(&self) -> Option<f64> {
        let measured = self.measured.one / self.measured.several?;
        let mut predicted = self.predicted_speedups();
        let (_, predicted) = predicted.find(|&(threads, _)| threads == self.threads)?;
        Some(predicted / measured - 1.0)
    }
}

/// The smallest number of threads with which a step takes hardly longer than with the best.
fn recommended(predicted: &[(usize, f64)]) -> usize {
    let best = predicted
        .iter()
        .map(|&(_, seconds)| seconds)
        .fold(f64::INFINITY, f64::min);
    let mut good = predicted
        .iter()
        .filter(|(_, seconds)| *seconds <= (1.0 + WORTH) * best);
    good.next().map_or(1, |&(threads, _)| threads)
}

/// The phases by their names, and the work between them.
fn phases(steps: &[Step], costs: &Costs<'_>) -> Vec<PhaseReport> {
    let name = |step: &Step| match step {
        Step::Serial(_) => None,
        Step::Phase(phase) => Some(phase.name),
    };
    let mut names: Vec<Option<&str>> = Vec::new();
    for name in steps.iter().map(name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let of_name = |of| {
        let steps: Vec<Step> = steps.iter().filter(|step| name(step) == of).cloned().collect();
        PhaseReport {
            name: of,
            tasks: steps.iter().map(tasks).sum(),
            predicted: THREADS.map(|threads| makespan(&steps, threads, costs)).to_vec(),
        }
    };
    let phases = names.into_iter().map(of_name);
    phases
        .filter(|phase| phase.name.is_none() || phase.tasks > 0)
        .collect()
}

/// The number of tasks of a step, those of phases within it included.
fn tasks(step: &Step) -> usize {
    match step {
        Step::Serial(_) => 0,
        Step::Phase(phase) => {
            let inner = |task: &Vec<Step>| task.iter().map(tasks).sum::<usize>().max(1);
            phase.tasks.iter().map(inner).sum()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mfnet::internal::timing::Phase;

    #[test]
    fn threads_that_hardly_help_are_not_recommended() {
        assert_eq!(
            recommended(&[(1, 10.0), (2, 5.2), (4, 3.0), (8, 2.8), (16, 4.0)]),
            4
        );
        assert_eq!(recommended(&[(1, 1.0), (2, 1.5)]), 1);
    }

    #[test]
    fn phases_of_one_name_are_taken_together() {
        let phase = |name, tasks: &[f64]| {
            let tasks = tasks.iter().map(|&seconds| vec![Step::Serial(seconds)]).collect();
            Step::Phase(Phase { name, tasks })
        };
        let steps = [
            Step::Serial(1.0),
            phase("update", &[2.0, 2.0]),
            Step::Serial(0.5),
            phase("update", &[3.0]),
        ];
        let costs = Costs {
            fork_join: &|_| 0.0,
            least: &|_| 0.0,
        };
        let phases = phases(&steps, &costs);
        let [serial, update] = &phases[..] else {
            panic!("{phases:?}");
        };
        assert_eq!((serial.name, serial.tasks), (None, 0));
        assert_eq!((serial.predicted[0], serial.predicted[6]), (1.5, 1.5));
        assert_eq!((update.name, update.tasks), (Some("update"), 3));
        assert_eq!((update.predicted[0], update.predicted[1]), (7.0, 5.0));
    }
}
