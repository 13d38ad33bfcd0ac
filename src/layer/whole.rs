//! Layers that look at a batch as a whole, and what they have seen of it.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::element::Element;

/// What a layer does in training, if it has to know all samples of a batch before it can give the first.
///
/// Blocks go through a network side by side. At such a layer they wait for each other, once on the way forward and once
/// on the way back: each is summed up, the summaries are put together in the order of the samples, and then the blocks
/// go on. In predictions a sample goes through [`Layer::forward`](super::Layer::forward) on its own.
///
/// Shapes are those of [`Layer`](super::Layer).
pub trait WholeBatch<T: Element> {
    /// The fewest samples of a batch that can be learned from, such as 2.
    fn least_samples(&self) -> usize;

    /// The numbers of a summary, on either way.
    fn summary_len(&self) -> usize;

    /// Writes what the way forward has to know of a block.
    fn summarize(&self, input: ArrayView2<'_, T>, summary: &mut [f64]);

    /// Takes the summary of further samples into that of the samples before them.
    fn join(&self, summary: &mut [f64], samples: usize, further: &[f64], further_samples: usize);

    /// Writes a block's `output` from its `input`, the batch's summary being known.
    fn forward(&self, input: ArrayView2<'_, T>, output: ArrayViewMut2<'_, T>, whole: &Whole);

    /// Writes what the way back has to know of a block: numbers that add up over the blocks.
    fn summarize_back(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        whole: &Whole,
        summary: &mut [f64],
    );

    /// Writes a block's `delta_input` from its `input` and `delta`, both of the batch's summaries being known.
    fn backward(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        delta_input: ArrayViewMut2<'_, T>,
        whole: &Whole,
    );

    /// Writes dJ/dW, one tensor for each of [`Layer::weights`](super::Layer::weights); row 0 of each stays 0.
    fn gradient(&self, whole: &Whole, gradients: &mut [Array2<T>]);

    /// Takes note of a batch that was learned from; called once for each update of the weights.
    fn note(&mut self, whole: &Whole);
}

/// The summaries of a batch, put together.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The samples that are in it.
    samples: usize,
    forward: Vec<f64>,
    back: Vec<f64>,
}

impl Whole {
    /// Room for summaries of so many numbers, none there yet.
    pub(crate) fn new(length: usize) -> Self {
        Whole {
            samples: 0,
            forward: vec![0.0; length],
            back: vec![0.0; length],
        }
    }

    /// The samples of the batch; 0 before the first.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The summary of the way forward.
    pub fn forward(&self) -> &[f64] {
        &self.forward
    }

    /// The summary of the way back.
    pub fn back(&self) -> &[f64] {
        &self.back
    }

    /// Puts the summaries of the blocks together: of each its samples, and its summary.
    pub(crate) fn join<'a, T: Element>(
        &mut self,
        layer: &dyn WholeBatch<T>,
        blocks: impl Iterator<Item = (usize, &'a [f64])>,
    ) {
        self.samples = 0;
        for (samples, summary) in blocks {
            if self.samples == 0 {
                self.forward.copy_from_slice(summary);
            } else {
                layer.join(&mut self.forward, self.samples, summary, samples);
            }
            self.samples += samples;
        }
    }

    /// Adds up the summaries of the blocks on their way back.
    pub(crate) fn join_back<'a>(&mut self, blocks: impl Iterator<Item = &'a [f64]>) {
        self.back.fill(0.0);
        for summary in blocks {
            for (sum, &part) in self.back.iter_mut().zip(summary) {
                *sum += part;
            }
        }
    }
}
