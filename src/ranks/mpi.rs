//! The ranks that an MPI launcher such as `mpirun` has started.

use std::fmt;

use mpi::Threading;
use mpi::environment::Universe;
use mpi::point_to_point::send_receive_into;
use mpi::topology::{Communicator as _, SimpleCommunicator};
use mpi::traits::{CommunicatorCollectives as _, Equivalence};

use super::Communicator;
use crate::error::{Error, Result};

/// The ranks of MPI's world communicator, between [`Mpi::start`] and the end of its [`MpiSession`].
///
/// MPI ends all ranks when one of them is lost, so that a communication either succeeds or does not return.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use mfnet::ranks::Mpi;
/// use mfnet::{MseLoss, NeuralNetwork, Sgd, Trainer};
///
/// let (ranks, _session) = Mpi::start()?;
/// let network = NeuralNetwork::<f32>::builder(8).linear(512).relu().linear(1).build()?;
/// let trainer = Trainer::new(network, MseLoss::default(), Sgd::new(0.1)?).communicator(Arc::new(ranks));
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Mpi {
    rank: usize,
    size: usize,
}

/// MPI in use by this process; dropping it waits for the other ranks to do so, and finalises MPI.
pub struct MpiSession {
    universe: Universe,
}

impl fmt::Debug for MpiSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MpiSession").finish_non_exhaustive()
    }
}

impl Mpi {
    /// Initialises MPI; without a launcher there is one rank.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] if MPI was initialised before, or does not let several threads call it one at a time.
    pub fn start() -> Result<(Self, MpiSession)> {
        let failed = |problem| Error::data("MPI", problem);
        // A training communicates from a thread of rayon's pool.
        let started = mpi::initialize_with_threading(Threading::Serialized);
        let (universe, threading) =
            started.ok_or_else(|| failed("it was initialised before in this process"))?;
        if threading < Threading::Serialized {
            return Err(failed(
                "this installation has no MPI_THREAD_SERIALIZED: threads cannot take turns to call it",
            ));
        }
        let world = universe.world();
        let [rank, size] = [world.rank(), world.size()].map(|number| usize::try_from(number).unwrap_or(0));
        Ok((Mpi { rank, size }, MpiSession { universe }))
    }

    /// Exchanges numbers of any type.
    fn exchange<T: Equivalence>(self, outgoing: (usize, &[T]), incoming: (usize, &mut [T])) -> Result<()> {
        let longest = outgoing.1.len().max(incoming.1.len());
        let count = |number: usize| {
            let problem = format_args!("{number} is too large for an exchange by MPI");
            i32::try_from(number).map_err(|_| Error::data("ranks", problem))
        };
        count(longest)?;
        let world = SimpleCommunicator::world();
        let [to, from] = [count(outgoing.0)?, count(incoming.0)?].map(|rank| world.process_at_rank(rank));
        send_receive_into(outgoing.1, &to, incoming.1, &from);
        Ok(())
    }
}

impl MpiSession {
    /// Ends all ranks at once; their launcher ends with this exit code.
    pub fn abort(&self, code: i32) -> ! {
        self.universe.world().abort(code)
    }
}

impl Communicator for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, own: &[u64], all: &mut [u64]) -> Result<()> {
        SimpleCommunicator::world().all_gather_into(own, all);
        Ok(())
    }

    fn exchange_f32(&self, outgoing: (usize, &[f32]), incoming: (usize, &mut [f32])) -> Result<()> {
        self.exchange(outgoing, incoming)
    }

    fn exchange_f64(&self, outgoing: (usize, &[f64]), incoming: (usize, &mut [f64])) -> Result<()> {
        self.exchange(outgoing, incoming)
    }
}
