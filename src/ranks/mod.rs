//! Communication between the processes that train one network together, its **ranks**.
//!
//! Each rank has the data and the network, and calls the same functions with the same arguments. A
//! [`Trainer`](crate::Trainer) or [`Workspace`](crate::Workspace) with a [`Communicator`] works on its share of each batch,
//! and exchanges sums of gradients with the other ranks, in an order that gives the bits of a single process.

#[cfg(feature = "mpi")]
mod mpi;

use std::fmt;

#[cfg(feature = "mpi")]
pub use self::mpi::{Mpi, MpiSession};

use crate::element::{Compiled, Element};
use crate::error::Result;

/// The connection of a rank with the others, by MPI or an engine of your own.
///
/// All ranks call the same functions in the same order. A function returns when its arguments may be used again, and an error
/// if another rank cannot be reached, which ends the training.
///
/// ```
/// use mfnet::Result;
/// use mfnet::ranks::Communicator;
///
/// /// A single process, which has nobody to talk to.
/// #[derive(Debug)]
/// struct Alone;
///
/// impl Communicator for Alone {
///     fn rank(&self) -> usize {
///         0
///     }
///
///     fn size(&self) -> usize {
///         1
///     }
///
///     fn gather(&self, own: &[u64], all: &mut [u64]) -> Result<()> {
///         all.copy_from_slice(own);
///         Ok(())
///     }
///
///     fn exchange_f32(&self, outgoing: (usize, &[f32]), incoming: (usize, &mut [f32])) -> Result<()> {
///         incoming.1.copy_from_slice(outgoing.1);
///         Ok(())
///     }
///
///     fn exchange_f64(&self, outgoing: (usize, &[f64]), incoming: (usize, &mut [f64])) -> Result<()> {
///         incoming.1.copy_from_slice(outgoing.1);
///         Ok(())
///     }
/// }
/// ```
pub trait Communicator: fmt::Debug + Send + Sync {
    /// The number of this rank, counted from 0.
    fn rank(&self) -> usize;

    /// The number of ranks, at least 1.
    fn size(&self) -> usize;

    /// Gathers the words of all ranks, in the order of the ranks; each has as many.
    ///
    /// # Errors
    ///
    /// If a rank cannot be reached.
    fn gather(&self, own: &[u64], all: &mut [u64]) -> Result<()>;

    /// Sends numbers to one rank while it receives numbers from another, either of which may be none. Numbers of one rank
    /// to another arrive in the order of the calls.
    ///
    /// # Errors
    ///
    /// If a rank cannot be reached.
    fn exchange_f32(&self, outgoing: (usize, &[f32]), incoming: (usize, &mut [f32])) -> Result<()>;

    /// As [`Communicator::exchange_f32`], in the other precision.
    ///
    /// # Errors
    ///
    /// If a rank cannot be reached.
    fn exchange_f64(&self, outgoing: (usize, &[f64]), incoming: (usize, &mut [f64])) -> Result<()>;
}

/// Sends numbers to one rank and receives others from another, in either precision.
pub(crate) fn exchange<T: Element>(
    communicator: &dyn Communicator,
    outgoing: (usize, &[T]),
    incoming: (usize, &mut [T]),
) -> Result<()> {
    T::call::<Exchange>((communicator, outgoing, incoming))
}

/// The dispatch of [`exchange`] by precision.
struct Exchange;

impl Compiled for Exchange {
    type Arguments<'a, 'b: 'a, T: Element> = (&'a dyn Communicator, (usize, &'a [T]), (usize, &'a mut [T]));
    type Output<'b, T: Element> = Result<()>;

    fn in_f32<'a, 'b: 'a>(
        (communicator, outgoing, incoming): Self::Arguments<'a, 'b, f32>,
    ) -> Self::Output<'b, f32> {
        communicator.exchange_f32(outgoing, incoming)
    }

    fn in_f64<'a, 'b: 'a>(
        (communicator, outgoing, incoming): Self::Arguments<'a, 'b, f64>,
    ) -> Self::Output<'b, f64> {
        communicator.exchange_f64(outgoing, incoming)
    }
}
