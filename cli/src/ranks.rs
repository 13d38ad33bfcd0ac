//! The ranks of a training: the processes that `mpirun` has started, one of which speaks for all.

use std::sync::Arc;

use mfnet::ranks::Communicator;

use super::{console, exit_code, usage};

/// The variables in which launchers tell a process the number of ranks, and its own.
const LAUNCHERS: [(&str, &str); 2] = [
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("PMI_SIZE", "PMI_RANK"),
];

/// The number of ranks that a launcher has started, and the number of this one, if there are several.
fn launched() -> Option<(usize, usize)> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<usize>().ok();
    let mut launchers = LAUNCHERS
        .iter()
        .filter_map(|(size, rank)| Some((number(size)?, number(rank)?)));
    launchers.find(|&(size, _)| size > 1)
}

/// Silences every process but the first of those that a launcher has started.
pub(super) fn silence_others() {
    console::set_silent(launched().is_some_and(|(_, rank)| rank > 0));
}

/// Refuses what several processes would all do at once, writing the same files.
pub(super) fn refuse() -> anyhow::Result<()> {
    let Some((size, _)) = launched() else {
        return Ok(());
    };
    let problem = match cfg!(feature = "mpi") {
        true => "only mfnet train shares its work among them".to_owned(),
        false => {
            "this mfnet was built without MPI; build it with cargo build --release --features mpi".to_owned()
        }
    };
    Err(usage(format!(
        "a launcher such as mpirun has started {size} processes: {problem}"
    ))
    .into())
}

/// This process among the ranks of a training.
#[derive(Debug, Default)]
pub(super) struct Ranks {
    /// `None` for a single process.
    pub(super) communicator: Option<Arc<dyn Communicator>>,
    #[cfg(feature = "mpi")]
    session: Option<mfnet::ranks::MpiSession>,
}

impl Ranks {
    /// Connects with the other ranks, if a launcher has started several.
    #[cfg(feature = "mpi")]
    pub(super) fn connect() -> anyhow::Result<Self> {
        if launched().is_none() {
            return Ok(Ranks::default());
        }
        let (ranks, session) = mfnet::ranks::Mpi::start()?;
        Ok(Ranks {
            communicator: Some(Arc::new(ranks)),
            session: Some(session),
        })
    }

    /// There is one process only: a build without MPI refuses to be one of several.
    #[cfg(not(feature = "mpi"))]
    pub(super) fn connect() -> anyhow::Result<Self> {
        refuse().map(|()| Ranks::default())
    }

    /// The number of ranks.
    pub(super) fn size(&self) -> usize {
        self.communicator.as_ref().map_or(1, |ranks| ranks.size())
    }

    /// Whether this is the rank that prints and writes.
    pub(super) fn is_first(&self) -> bool {
        self.communicator.as_ref().is_none_or(|ranks| ranks.rank() == 0)
    }

    /// Returns the result of a part of the work that every rank does, or an error on all of them if it failed on one, which
    /// prints it.
    pub(super) fn agree<R>(&self, result: anyhow::Result<R>) -> anyhow::Result<R> {
        let Some(ranks) = &self.communicator else {
            return result;
        };
        let own = result
            .as_ref()
            .err()
            .map_or(0, |error| u64::from(exit_code(error)));
        let mut codes = vec![0; ranks.size()];
        ranks.gather(&[own], &mut codes)?;
        let failed = codes.iter().position(|&code| code != 0);
        if let (true, Err(error)) = (failed == Some(ranks.rank()), &result) {
            self.end_at_once(error);
        }
        match failed {
            // Waits for the end that the other rank brings about.
            Some(_) => loop {
                std::thread::park();
            },
            None => result,
        }
    }

    /// Has the first rank do its work before the others begin theirs, so that nothing is downloaded twice.
    pub(super) fn first_alone<R>(&self, work: impl FnOnce() -> anyhow::Result<R>) -> anyhow::Result<R> {
        let Some(ranks) = &self.communicator else {
            return work();
        };
        let mut all = vec![0; ranks.size()];
        let is_first = self.is_first();
        if !is_first {
            ranks.gather(&[0], &mut all)?;
        }
        let result = work();
        if is_first {
            ranks.gather(&[0], &mut all)?;
        }
        result
    }

    /// After an error: has the first rank print it, and ends all ranks. Another rank does this if the first is not heard from,
    /// which then has no error itself.
    #[cfg(feature = "mpi")]
    pub(super) fn end(&self, error: &anyhow::Error) {
        if !self.is_first() {
            std::thread::sleep(std::time::Duration::from_secs(2));
        }
        self.end_at_once(error);
    }

    /// Prints an error, and ends all ranks.
    #[cfg(feature = "mpi")]
    fn end_at_once(&self, error: &anyhow::Error) {
        if let Some(session) = &self.session {
            console::set_silent(false);
            console::complain(error);
            session.abort(i32::from(exit_code(error)));
        }
    }

    /// A single process ends by itself.
    #[cfg(not(feature = "mpi"))]
    pub(super) fn end(&self, _: &anyhow::Error) {}

    #[cfg(not(feature = "mpi"))]
    fn end_at_once(&self, _: &anyhow::Error) {}
}
