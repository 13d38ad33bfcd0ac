//! `mfnet doctor`: what does the work, how fast it is, and what to do where it could be faster.

mod advice;
mod json;
mod limit;
mod measure;
pub(super) mod scaling;
pub(super) mod system;
mod text;

use mfnet::product::Blas;

use self::measure::Measured;
use self::system::System;
use super::args::DoctorArguments;
use super::{Outcome, console};

/// All that is known of a machine and of this program on it.
#[derive(Debug)]
struct Report {
    build: Build,
    system: System,
    blas: Blas,
    /// The environment variables that change how products and threads run, with their values.
    environment: Vec<(String, String)>,
    measured: Measured,
}

/// How this program was built.
#[derive(Debug)]
struct Build {
    version: &'static str,
    commit: &'static str,
    rustc: &'static str,
    target: &'static str,
    /// `"release"` or `"debug"`.
    profile: &'static str,
    features: Vec<&'static str>,
}

pub(super) fn doctor(arguments: &DoctorArguments) -> anyhow::Result<Outcome> {
    // First of all: the guard changes the environment for a moment, which nobody should read meanwhile.
    let blas = mfnet::blas();
    if arguments.scaling.scaling {
        console::print(&scaling::report(&arguments.scaling, arguments.json)?)?;
        return Ok(Outcome::Done);
    }
    let report = Report {
        build: Build::this(),
        system: System::this(),
        environment: environment(),
        measured: Measured::now(),
        blas,
    };
    let advice = advice::advice(&report);
    console::print(&if arguments.json {
        json::text(&report, &advice)
    } else {
        text::text(&report, &advice)
    })?;
    Ok(Outcome::Done)
}

impl Build {
    fn this() -> Self {
        let with = |feature: &'static str, on: bool| on.then_some(feature);
        let features = [
            with("openblas", cfg!(feature = "openblas")),
            with("linalg", cfg!(feature = "linalg")),
        ];
        Build {
            version: env!("CARGO_PKG_VERSION"),
            commit: env!("MFNET_BUILD_COMMIT"),
            rustc: env!("MFNET_BUILD_RUSTC"),
            target: env!("MFNET_BUILD_TARGET"),
            profile: env!("MFNET_BUILD_PROFILE"),
            features: features.into_iter().flatten().collect(),
        }
    }
}

fn environment() -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = std::env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .filter(|(name, _)| {
            name.starts_with("OPENBLAS_") || ["RAYON_NUM_THREADS", "MFNET_INSTRUCTIONS"].contains(&&**name)
        })
        .collect();
    variables.sort_unstable();
    variables
}
