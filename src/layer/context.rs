//! The context of a layer's computation: train or eval mode, the statistics of the batch, scratch memory.

use super::BatchStatistics;
use crate::element::Element;

/// Whether a pass trains or evaluates; layers such as [`Dropout`](super::Dropout) behave differently in training.
///
/// Default: [`Mode::Eval`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Training. The random numbers that a layer draws depend only on its seed and on these two fields, so that
    /// training can be resumed, on any number of threads.
    Train {
        /// The epoch; the library's own training counts from 1.
        epoch: u64,
        /// The position of the first sample in the epoch, counted from 0.
        first: u64,
    },
    /// Predictions and evaluations.
    #[default]
    Eval,
}

impl Mode {
    /// The mode of samples that begin `samples` positions later in the epoch.
    pub(crate) fn advanced(self, samples: usize) -> Self {
        match self {
            Mode::Train { epoch, first } => Mode::Train {
                epoch,
                first: first + samples as u64,
            },
            Mode::Eval => Mode::Eval,
        }
    }
}

/// The mode, batch statistics and scratch memory of a layer's computation, besides its operands.
///
/// ```
/// use mfnet::layer::{Context, Dropout, Layer, Mode};
/// use ndarray::{Array2, array};
///
/// let dropout = Dropout::new(2, 0.5, 7)?;
/// let input = array![[1.0], [3.0], [4.0]];
/// let mut output = array![[1.0], [0.0], [0.0]];
/// let mut scratch = Vec::new();
/// dropout.forward(input.view(), output.view_mut(), &mut Context::new(Mode::Eval, &mut scratch));
/// assert_eq!(output, input);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug)]
pub struct Context<'a, T> {
    mode: Mode,
    statistics: Option<&'a BatchStatistics<T>>,
    scratch: &'a mut Vec<T>,
}

impl<'a, T: Element> Context<'a, T> {
    /// A context without batch statistics; `scratch` grows to the size that the layers need and is reused.
    pub fn new(mode: Mode, scratch: &'a mut Vec<T>) -> Self {
        Context {
            mode,
            statistics: None,
            scratch,
        }
    }

    /// The same context with the statistics of the whole batch.
    pub fn with_statistics(self, statistics: &'a BatchStatistics<T>) -> Self {
        Context {
            statistics: Some(statistics),
            ..self
        }
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The statistics of the whole batch, for a layer of the kind [`LayerKind::BatchWise`](super::LayerKind) in training.
    pub fn statistics(&self) -> Option<&'a BatchStatistics<T>> {
        self.statistics
    }

    /// Scratch memory of `length` numbers with unspecified values.
    pub fn scratch(&mut self, length: usize) -> &mut [T] {
        if self.scratch.len() < length {
            self.scratch.resize(length, T::zero());
        }
        &mut self.scratch[..length]
    }
}
