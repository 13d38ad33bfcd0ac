//! What to do about each thing that makes a run slower than it could be.

use super::Report;
use super::system::System;
use crate::blas;

/// Products below this part of the peak are not what a fitting kernel reaches: that is 80 to 90 %.
const LOW: f64 = 0.6;

/// Handing out work takes a few microseconds; more than this is felt in small batches.
const SLOW_FORK_JOIN: f64 = 100e-6;

/// Others that take no more of the CPUs' time do not matter.
const SOME: f64 = 0.05;

/// One piece of advice a string; none where all is well.
pub(super) fn advice(report: &Report) -> Vec<String> {
    let (blas, measured) = (&report.blas, &report.measured);
    let mut advice = Vec::new();
    if report.build.profile != "release" {
        advice.push(
            "this is a debug build, several times slower: build and run it with `cargo run --release`"
                .to_owned(),
        );
    }
    if !report.build.features.contains(&"openblas") {
        advice.push(
            "this build leaves the products to kernels slower than OpenBLAS's: build it with the feature `openblas`"
                .to_owned(),
        );
    }
    advice.extend(blas::kernel_advice(blas));
    advice.extend(cache_size(report));
    advice.extend(threads(&report.system, blas.workers));
    if report.system.saves_power {
        advice.push(
            "the CPU saves power (governor `powersave`): `cpupower frequency-set -g performance` as root makes it fast"
                .to_owned(),
        );
    }
    let rivals = measured.rivals.filter(|rivals| {
        if rivals.machines > SOME {
            advice.push(format!(
                "other virtual machines took {:.0} % of the CPU time meanwhile: ask for CPUs that are not shared",
                100.0 * rivals.machines
            ));
        }
        if rivals.programs > SOME {
            advice.push(format!(
                "other programs took {:.0} % of the CPU time meanwhile, and the figures are too low for it: run this \
                 again when they are done",
                100.0 * rivals.programs
            ));
        }
        rivals.machines > SOME || rivals.programs > SOME
    });
    // Where a cause is known, or the figures are not to be trusted, this would tell nothing new.
    if rivals.is_none() && blas.better_kernel.is_none() && report.build.profile == "release" {
        for (name, flops) in [("f32", measured.f32), ("f64", measured.f64)] {
            if let Some(part) = flops.part().filter(|&part| part < LOW) {
                advice.push(format!(
                    "products in {name} reach {:.0} % of the peak, not the usual 80 %: update OpenBLAS, and look for \
                     other programs on these CPUs",
                    100.0 * part
                ));
            }
        }
    }
    if measured.fork_join > SLOW_FORK_JOIN {
        advice.push(format!(
            "handing work to the threads takes {:.0} us, not a few: use fewer threads (RAYON_NUM_THREADS, or \
             --threads of `mfnet train`), or batches that are larger",
            1e6 * measured.fork_join
        ));
    }
    advice
}

/// A size of the L2 cache that the user gave OpenBLAS, which cuts its blocks by it, and that is wrong.
fn cache_size(report: &Report) -> Option<String> {
    const NAME: &str = "OPENBLAS_L2_SIZE";
    let (_, value) = report.environment.iter().find(|(name, _)| name == NAME)?;
    let (given, actual) = (value.parse::<usize>().ok()?, report.system.l2()? >> 10);
    (given != actual).then(|| {
        format!(
            "{NAME}={given} tells OpenBLAS of another L2 cache than this CPU's {actual} KiB: unset {NAME}"
        )
    })
}

/// Threads that do not fit the CPUs, and CPUs that this process may not use.
fn threads(system: &System, threads: usize) -> Vec<String> {
    let mut advice = Vec::new();
    let available = system.available;
    if threads < available {
        advice.push(format!(
            "{threads} of {available} CPUs are used: unset RAYON_NUM_THREADS, or set it to {available}"
        ));
    }
    if threads > available {
        advice.push(format!(
            "{threads} threads share {available} CPUs, which only costs time: unset RAYON_NUM_THREADS"
        ));
    }
    let Some(online) = system.online else {
        return advice;
    };
    match system.limit {
        Some(limit) if limit < online as f64 => advice.push(format!(
            "the container may use {limit:.1} of {online} CPUs: raise its CPU limit (docker: --cpus)"
        )),
        _ if available < online => advice.push(format!(
            "this process is bound to {available} of {online} CPUs: start it without taskset, or give the container \
             more (docker: --cpuset-cpus)"
        )),
        _ => {}
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::super::measure::{Flops, Measured, Rivals};
    use super::super::{Build, Report};
    use super::*;

    /// A report without a fault.
    fn healthy() -> Report {
        let mut blas = mfnet::blas();
        (blas.workers, blas.better_kernel) = (4, None);
        let flops = Flops {
            peak: 100e9,
            products: 85e9,
        };
        Report {
            build: Build {
                profile: "release",
                features: vec!["openblas"],
                ..Build::this()
            },
            system: System {
                cpu: "CPU".to_owned(),
                instructions: vec!["AVX2"],
                instructions_used: "AVX2",
                caches: vec![("L2".to_owned(), 1 << 20)],
                online: Some(4),
                available: 4,
                limit: None,
                shares_cores: Some(false),
                saves_power: false,
            },
            blas,
            environment: Vec::new(),
            measured: Measured {
                f32: flops,
                f64: flops,
                memory: 20e9,
                fork_join: 3e-6,
                rivals: Some(Rivals {
                    programs: 0.01,
                    machines: 0.0,
                }),
                seconds: 2.0,
            },
        }
    }

    /// The one piece of advice after a change for the worse.
    fn after(change: impl FnOnce(&mut Report)) -> String {
        let mut report = healthy();
        change(&mut report);
        let advice = advice(&report);
        assert_eq!(advice.len(), 1, "{advice:?}");
        advice[0].clone()
    }

    #[test]
    fn no_fault_no_advice() {
        assert_eq!(advice(&healthy()), Vec::<String>::new());
    }

    #[test]
    fn each_fault_has_its_advice() {
        for (advice, parts) in [
            (
                after(|report| report.build.profile = "debug"),
                ["debug", "--release"],
            ),
            (
                after(|report| report.build.features.clear()),
                ["slower", "openblas"],
            ),
            (
                after(|report| report.blas.better_kernel = Some("Better")),
                ["Better", "OpenBLAS"],
            ),
            (
                after(|report| {
                    let value = ("OPENBLAS_L2_SIZE".to_owned(), "512".to_owned());
                    report.environment.push(value);
                }),
                ["1024 KiB", "unset OPENBLAS_L2_SIZE"],
            ),
            (
                after(|report| report.blas.workers = 3),
                ["3 of 4 CPUs", "RAYON_NUM_THREADS"],
            ),
            (
                after(|report| report.blas.workers = 9),
                ["9 threads share 4 CPUs", "unset"],
            ),
            (
                after(|report| report.system.limit = Some(2.5)),
                ["2.5 of 4 CPUs", "limit"],
            ),
            (
                after(|report| report.system.online = Some(16)),
                ["4 of 16 CPUs", "taskset"],
            ),
            (
                after(|report| report.system.saves_power = true),
                ["powersave", "performance"],
            ),
            (
                after(|report| report.measured.f64.products = 40e9),
                ["f64 reach 40 %", "update OpenBLAS"],
            ),
            (
                after(|report| report.measured.fork_join = 250e-6),
                ["250 us", "--threads"],
            ),
        ] {
            for part in parts {
                assert!(advice.contains(part), "{part}: {advice}");
            }
        }
    }

    #[test]
    fn figures_from_a_busy_machine_are_not_held_against_the_library() {
        let advice = after(|report| {
            report.measured.f32.products = 40e9;
            report.measured.rivals = Some(Rivals {
                programs: 0.4,
                machines: 0.0,
            });
        });
        assert!(advice.contains("other programs took 40 %"), "{advice}");
    }
}
