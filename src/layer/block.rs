//! The memory of one block of samples: what goes through the layers and comes back, sized once and used again.

use std::sync::Mutex;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, ShapeBuilder};

use super::Pass;
use crate::augment::augmented;
use crate::element::Element;
use crate::kernel::{Panels, SparseColumns};

/// Values and deltas of a block of samples: an augmented matrix for the input and one behind each layer.
#[derive(Debug)]
pub(crate) struct Block<T> {
    /// `values[0]` is the input, `values[l + 1]` the output of layer l and its activations.
    values: Vec<Array2<T>>,
    /// `deltas[l]` is dJ/d output of layer l; its row 0 is 0.
    deltas: Vec<Array2<T>>,
    /// The samples in use; the last block of a batch may have fewer than there is room for.
    samples: usize,
    /// What they are there for.
    pass: Pass,
    /// The input, where the samples are mostly zeros; `values[0]` then has no meaning.
    sparse: Option<SparseColumns<T>>,
    /// What any one layer needs while it works.
    scratch: Vec<T>,
}

impl<T: Element> Block<T> {
    /// Room for `capacity` samples of these widths: the inputs', then each layer's outputs; for deltas if it `learns`; and
    /// for so many numbers of scratch memory.
    pub(crate) fn new(widths: &[usize], capacity: usize, learns: bool, scratch: usize) -> Self {
        let deltas = if learns { &widths[1..] } else { &[] };
        Block {
            values: widths.iter().map(|&width| augmented(width, capacity)).collect(),
            deltas: deltas
                .iter()
                .map(|&width| Array2::zeros((width + 1, capacity).f()))
                .collect(),
            samples: capacity,
            pass: Pass::PREDICTION,
            sparse: None,
            scratch: vec![T::zero(); scratch],
        }
    }

    /// Sets the samples in use, and what they are there for.
    pub(crate) fn start(&mut self, samples: usize, pass: Pass) {
        debug_assert!(samples <= self.values[0].ncols());
        self.samples = samples;
        self.pass = pass;
    }

    /// What the samples are there for.
    pub(crate) fn pass(&self) -> Pass {
        self.pass
    }

    /// The samples in use.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// The network's input, to be filled.
    pub(crate) fn input_mut(&mut self) -> ArrayViewMut2<'_, T> {
        first_mut(&mut self.values[0], self.samples)
    }

    /// The network's input as sparse columns, none there yet; the samples in use are those that are added.
    pub(crate) fn sparse_input_mut(&mut self) -> &mut SparseColumns<T> {
        let (features, capacity) = (self.values[0].nrows() - 1, self.values[0].ncols());
        let columns = self
            .sparse
            .get_or_insert_with(|| SparseColumns::new(features, capacity));
        columns.clear();
        columns
    }

    /// What the first layer reads and writes on the way forward, where the samples are mostly zeros.
    pub(crate) fn sparse_forward(&mut self) -> Option<(&SparseColumns<T>, ArrayViewMut2<'_, T>)> {
        Some((
            self.sparse.as_ref()?,
            first_mut(&mut self.values[1], self.samples),
        ))
    }

    /// The network's output.
    pub(crate) fn output(&self) -> ArrayView2<'_, T> {
        first(&self.values[self.values.len() - 1], self.samples)
    }

    /// The network's output, and the place for the loss's gradient by it.
    pub(crate) fn output_and_delta(&mut self) -> (ArrayView2<'_, T>, ArrayViewMut2<'_, T>) {
        let layers = self.deltas.len();
        (
            first(&self.values[layers], self.samples),
            first_mut(&mut self.deltas[layers - 1], self.samples),
        )
    }

    /// What layer `layer` reads and writes on the way forward, and its scratch memory.
    pub(crate) fn forward(&mut self, layer: usize) -> (ArrayView2<'_, T>, ArrayViewMut2<'_, T>, &mut [T]) {
        let (before, after) = self.values.split_at_mut(layer + 1);
        (
            first(&before[layer], self.samples),
            first_mut(&mut after[0], self.samples),
            &mut self.scratch,
        )
    }

    /// The output of layer `layer` and its delta, for its activations to change.
    pub(crate) fn activated(&mut self, layer: usize) -> (ArrayView2<'_, T>, ArrayViewMut2<'_, T>) {
        (
            first(&self.values[layer + 1], self.samples),
            first_mut(&mut self.deltas[layer], self.samples),
        )
    }

    /// Input and delta of layer `layer`, which its gradient is made of, and its scratch memory.
    pub(crate) fn learned(&mut self, layer: usize) -> (ArrayView2<'_, T>, ArrayView2<'_, T>, &mut [T]) {
        (
            first(&self.values[layer], self.samples),
            first(&self.deltas[layer], self.samples),
            &mut self.scratch,
        )
    }

    /// Input, delta and delta of the input of layer `layer`, which is not the first, for nothing learns from that one's;
    /// and its scratch memory.
    pub(crate) fn backward(&mut self, layer: usize) -> Backward<'_, T> {
        let (before, after) = self.deltas.split_at_mut(layer);
        (
            first(&self.values[layer], self.samples),
            first(&after[0], self.samples),
            first_mut(&mut before[layer - 1], self.samples),
            &mut self.scratch,
        )
    }
}

/// What a layer reads and writes on the way back.
type Backward<'a, T> = (
    ArrayView2<'a, T>,
    ArrayView2<'a, T>,
    ArrayViewMut2<'a, T>,
    &'a mut [T],
);

/// A batch as one layer sees it when its gradient is due: its inputs and its deltas, block by block.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a, T> {
    blocks: &'a [Block<T>],
    layer: usize,
    /// Room for the layer's weights, where the samples are mostly zeros.
    panels: Option<&'a Mutex<Panels<T>>>,
}

impl<'a, T: Element> Samples<'a, T> {
    pub(crate) fn new(blocks: &'a [Block<T>], layer: usize, panels: Option<&'a Mutex<Panels<T>>>) -> Self {
        let panels = panels.filter(|_| layer == 0);
        Samples {
            blocks,
            layer,
            panels,
        }
    }

    /// Room to pack the layer's weights in, where the samples are mostly zeros: [`Samples::sparse_blocks`] has them.
    pub(crate) fn panels(&self) -> Option<&'a Mutex<Panels<T>>> {
        self.panels
    }

    /// The number of samples of the batch.
    pub fn count(&self) -> usize {
        self.blocks.iter().map(Block::samples).sum()
    }

    /// Input and delta of each block, in the order of the samples.
    ///
    /// # Shapes
    ///
    /// (n + 1) x m and (p + 1) x m, where the m of all blocks add up to [`Samples::count`]
    pub fn blocks(&self) -> impl Iterator<Item = (ArrayView2<'a, T>, ArrayView2<'a, T>)> + use<'a, T> {
        let layer = self.layer;
        self.blocks.iter().map(move |block| {
            (
                first(&block.values[layer], block.samples),
                first(&block.deltas[layer], block.samples),
            )
        })
    }

    /// As [`Samples::blocks`] for the first layer, where the samples are mostly zeros.
    pub(crate) fn sparse_blocks(
        &self,
    ) -> impl Iterator<Item = (&'a SparseColumns<T>, ArrayView2<'a, T>)> + Clone + use<'a, T> {
        self.blocks.iter().filter_map(|block| {
            let input = block.sparse.as_ref()?;
            Some((input, first(&block.deltas[0], block.samples)))
        })
    }
}

fn first<T>(matrix: &Array2<T>, samples: usize) -> ArrayView2<'_, T> {
    matrix.view().split_at(Axis(1), samples).0
}

fn first_mut<T>(matrix: &mut Array2<T>, samples: usize) -> ArrayViewMut2<'_, T> {
    matrix.view_mut().split_at(Axis(1), samples).0
}
