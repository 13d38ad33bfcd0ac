//! The memory of a step: blocks of samples, and the gradients. Sized once; a step allocates nothing.

use std::sync::Mutex;

use ndarray::Array2;

use super::{NeuralNetwork, Stage};
use crate::data::BlockTargets;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernel::Panels;
use crate::layer::{Block, Whole};

/// What a step computes for a batch: values and deltas of its samples, its loss, and the gradients.
///
/// With one, a training loop of your own allocates nothing in a step:
///
/// ```
/// use mfnet::{DataLoader, Dataset, MseLoss, NeuralNetwork, Sgd, Shuffle, Workspace};
/// use ndarray::array;
///
/// let line = Dataset::regression(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
/// let mut network = NeuralNetwork::<f64>::builder(1).linear(1).build()?;
/// let (loss, mut sgd) = (MseLoss::default(), Sgd::new(0.1)?);
/// let mut loader = DataLoader::new(&line, 2, Shuffle::Samples, 7)?;
/// let mut workspace = Workspace::new(&network, loader.batch_size());
/// for epoch in 1..=300 {
///     loader.start_epoch(epoch);
///     for batch in loader.batches() {
///         network.propagate(&batch, &loss, &mut workspace)?;
///         network.update(&mut sgd, &mut workspace)?;
///     }
/// }
/// assert!((network.predict(array![[3.0]].view())?[[0, 0]] - 7.0).abs() < 1e-3);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug)]
pub struct Workspace<T> {
    /// The widths of the network it was made for.
    widths: Vec<usize>,
    /// What of each of its layers there is room for.
    tensors: Vec<Tensors>,
    pub(super) blocks: Vec<Block<T>>,
    pub(super) tallies: Vec<Tally<T>>,
    /// What the layers that look at a batch as a whole have seen of the one that was propagated last.
    pub(super) meetings: Vec<Meeting>,
    /// The samples of a full block.
    pub(super) block_size: usize,
    /// The samples there is room for.
    capacity: usize,
    /// Whether there is enough to do for more than one thread.
    pub(super) parallel: bool,
    /// The blocks that the current batch fills.
    pub(super) used: usize,
    /// For each layer its tensors; none until first asked for, since a fused step needs none.
    pub(super) gradients: Vec<Vec<Array2<T>>>,
    /// The first layer's weights, packed for samples that are mostly zeros; made when such come. The lock is held by the
    /// one gradient that uses them.
    pub(super) panels: Option<Mutex<Panels<T>>>,
    /// Whether the batch that was propagated last is one of those.
    pub(super) sparse: bool,
}

/// The weight tensors of a layer, as far as the room for their gradients goes.
#[derive(Debug)]
struct Tensors {
    shapes: Vec<(usize, usize)>,
    /// Whether their gradients are made block by block.
    is_small: bool,
    /// Whether the layer looks at a batch as a whole.
    is_whole: bool,
    /// The scratch memory that the layer needs.
    scratch: usize,
}

/// A layer that looks at a batch as a whole, where the blocks wait for each other.
#[derive(Debug)]
pub(super) struct Meeting {
    /// Which of the meetings it is.
    pub(super) index: usize,
    pub(super) layer: usize,
    pub(super) whole: Whole,
}

/// Targets of a block, and what came of them.
#[derive(Debug)]
pub(super) struct Tally<T> {
    pub(super) targets: BlockTargets<T>,
    /// The sum of the samples' losses.
    pub(super) loss: f64,
    /// The samples whose largest output is that of their class.
    pub(super) correct: usize,
    /// For each layer whose gradient is made block by block, that of this block; none for the others.
    pub(super) gradients: Vec<Vec<Array2<T>>>,
    /// For each layer that looks at a batch as a whole, the summary of this block.
    pub(super) summaries: Vec<Vec<f64>>,
}

impl<T: Element> Workspace<T> {
    /// Room for batches of up to `batch_size` samples of a network; 0 counts as 1.
    pub fn new(network: &NeuralNetwork<T>, batch_size: usize) -> Self {
        Workspace::sized(network, batch_size, true)
    }

    /// Room for some of `samples` at a time, without the deltas: nothing is learned from them.
    pub(crate) fn for_prediction(network: &NeuralNetwork<T>, samples: usize) -> Self {
        const AT_ONCE: usize = 2048;
        Workspace::sized(network, samples.min(AT_ONCE), false)
    }

    fn sized(network: &NeuralNetwork<T>, capacity: usize, learns: bool) -> Self {
        let capacity = capacity.max(1);
        let widths: Vec<usize> = network.widths().collect();
        let operations = network.operations();
        let block_size = block_size(operations, capacity);
        let samples_of = |block: usize| block_size.min(capacity - block * block_size);
        let blocks = capacity.div_ceil(block_size);
        let scratch = network.stages.iter().map(|stage| stage.layer.scratch()).max();
        let scratch = scratch.unwrap_or_default();
        let meetings = if learns { Meeting::all(network) } else { Vec::new() };
        Workspace {
            blocks: (0..blocks)
                .map(|block| Block::new(&widths, samples_of(block), learns, scratch))
                .collect(),
            tallies: (0..blocks)
                .map(|block| Tally::new(network, samples_of(block), learns, &meetings))
                .collect(),
            meetings,
            block_size,
            capacity,
            parallel: blocks > 1 && operations.saturating_mul(capacity) > PARALLEL_OPERATIONS,
            used: blocks,
            gradients: network.stages.iter().map(|_| Vec::new()).collect(),
            panels: None,
            sparse: false,
            widths,
            tensors: network.stages.iter().map(Tensors::of).collect(),
        }
    }

    /// The gradients of the last batch: for each layer its tensors, shaped as its weights, row 0 being 0.
    ///
    /// None before the first [`NeuralNetwork::gradients`]. An update that is fused into the gradients leaves them as
    /// they were.
    pub fn gradients(&self) -> impl Iterator<Item = &Array2<T>> {
        self.gradients.iter().flatten()
    }

    /// Refuses a network of other widths, or of other layers with the same widths.
    pub(super) fn check(&self, operation: &'static str, network: &NeuralNetwork<T>) -> Result<()> {
        let same_widths = network.widths().eq(self.widths.iter().copied());
        let mut layers = network.stages.iter().zip(&self.tensors);
        if same_widths && layers.all(|(stage, tensors)| tensors.fit(stage)) {
            return Ok(());
        }
        let others = if same_widths { ", of other layers" } else { "" };
        Err(Error::shape(
            operation,
            format_args!(
                "a workspace for the widths {:?}",
                network.widths().collect::<Vec<_>>()
            ),
            format_args!("one for {:?}{others}", self.widths),
        ))
    }

    /// Of each block of the current batch its samples, and its summary for a meeting.
    pub(super) fn summaries(&self, meeting: usize) -> impl Iterator<Item = (usize, &[f64])> {
        let blocks = self.blocks.iter().zip(&self.tallies).take(self.used);
        blocks.map(move |(block, tally)| (block.samples(), &tally.summaries[meeting][..]))
    }

    /// The samples there is room for.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }
}

impl Tensors {
    fn of<T: Element>(stage: &Stage<T>) -> Self {
        Tensors {
            shapes: stage.layer.weights().iter().map(Array2::dim).collect(),
            is_small: stage.layer.is_small(),
            is_whole: stage.layer.whole_batch().is_some(),
            scratch: stage.layer.scratch(),
        }
    }

    fn fit<T: Element>(&self, stage: &Stage<T>) -> bool {
        let shapes = stage.layer.weights().iter().map(Array2::dim);
        stage.layer.is_small() == self.is_small
            && stage.layer.whole_batch().is_some() == self.is_whole
            && stage.layer.scratch() == self.scratch
            && shapes.eq(self.shapes.iter().copied())
    }
}

impl Meeting {
    /// Those of a network, in order.
    fn all<T: Element>(network: &NeuralNetwork<T>) -> Vec<Self> {
        let stages = network.stages.iter().enumerate();
        let lengths =
            stages.filter_map(|(layer, stage)| Some((layer, stage.layer.whole_batch()?.summary_len())));
        let meeting = |(index, (layer, length))| Meeting {
            index,
            layer,
            whole: Whole::new(length),
        };
        lengths.enumerate().map(meeting).collect()
    }
}

impl<T: Element> Tally<T> {
    fn new(network: &NeuralNetwork<T>, capacity: usize, learns: bool, meetings: &[Meeting]) -> Self {
        let gradients = network.stages.iter().map(|stage| {
            let mut gradients = Vec::new();
            if learns && stage.layer.is_small() {
                make_room(&mut gradients, stage.layer.weights());
            }
            gradients
        });
        Tally {
            targets: BlockTargets::new(network.outputs(), capacity),
            loss: 0.0,
            correct: 0,
            gradients: gradients.collect(),
            summaries: meetings
                .iter()
                .map(|meeting| vec![0.0; meeting.whole.forward().len()])
                .collect(),
        }
    }
}

/// Below so many operations in a batch's forward pass one thread is faster than several.
const PARALLEL_OPERATIONS: usize = 1 << 20;

/// The samples of a block: by shape alone, so that no result depends on the number of threads.
///
/// Large enough that a block is worth a task and that BLAS packs the weights seldom, small enough that the values of a
/// block stay in cache and that a batch makes several.
fn block_size(operations: usize, batch_size: usize) -> usize {
    let worth_a_task = PARALLEL_OPERATIONS / operations.max(1);
    batch_size
        .div_ceil(4)
        .clamp(64, 256)
        .max(worth_a_task)
        .min(batch_size)
        .max(1)
}

/// Room for the gradients of these weights, made with the first step that needs it.
pub(super) fn make_room<T: Element>(gradients: &mut Vec<Array2<T>>, weights: &[Array2<T>]) {
    if gradients.is_empty() {
        // Laid out as the weights.
        gradients.extend(weights.iter().map(|weights| weights.mapv(|_| T::zero())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Layer, Pass};
    use ndarray::{ArrayView2, ArrayViewMut2};

    /// A layer that hands on what it is given.
    #[derive(Debug)]
    struct Copy;

    impl Layer<f64> for Copy {
        fn name(&self) -> &'static str {
            "Copy"
        }

        fn inputs(&self) -> usize {
            2
        }

        fn outputs(&self) -> usize {
            2
        }

        fn forward(
            &self,
            input: ArrayView2<'_, f64>,
            mut output: ArrayViewMut2<'_, f64>,
            _pass: Pass,
            _scratch: &mut [f64],
        ) {
            output.assign(&input);
        }

        fn backward(
            &self,
            _input: ArrayView2<'_, f64>,
            delta: ArrayView2<'_, f64>,
            mut delta_input: ArrayViewMut2<'_, f64>,
            _pass: Pass,
            _scratch: &mut [f64],
        ) {
            delta_input.assign(&delta);
        }
    }

    #[test]
    fn other_layers_of_the_same_widths_are_refused() {
        let copy = NeuralNetwork::builder(2).layer(Box::new(Copy)).build().unwrap();
        let linear = NeuralNetwork::builder(2).linear(2).build().unwrap();
        assert!(Workspace::new(&linear, 4).check("test", &linear).is_ok());
        assert!(Workspace::new(&copy, 4).check("test", &copy).is_ok());
        let error = Workspace::new(&copy, 4).check("test", &linear).unwrap_err();
        assert_eq!(
            error.to_string(),
            "test: expected a workspace for the widths [2, 2], found one for [2, 2], of other layers"
        );
        assert!(Workspace::new(&linear, 4).check("test", &copy).is_err());
    }
}
