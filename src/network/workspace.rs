//! The memory of a step: shards of samples, packed weights, and gradients. Sized once; a step allocates nothing.

use ndarray::Array2;

use super::partition::{Partition, operations};
use super::shard::Shard;
use super::{NeuralNetwork, Stage};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::layer::{BatchStatistics, LayerKind};
use crate::product::PackedWeights;

/// The memory for a batch that passes through a network: values and deltas of its samples, its loss, and the gradients.
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
///         network.forward_backward(&batch, &loss, &mut workspace)?;
///         network.apply_gradients(&mut sgd, &mut workspace)?;
///     }
/// }
/// assert!((network.predict(array![[3.0]].view())?[[0, 0]] - 7.0).abs() < 1e-3);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug)]
pub struct Workspace<T> {
    /// The layers of the network that it was allocated for.
    layers: Vec<LayerShape>,
    /// Whether there is room for deltas and gradients.
    trains: bool,
    pub(super) partition: Partition,
    pub(super) shards: Vec<Shard<T>>,
    /// The shards of the batch that was propagated last; 0 before the first.
    pub(super) used: usize,
    pub(super) sync_points: Vec<SyncPoint<T>>,
    /// For each layer its weights in a layout of their own, where the products want such; made when first needed.
    pub(super) packed: Vec<Option<PackedWeights<T>>>,
    /// Whether the samples that were propagated last are mostly zeros, and multiplied with packed weights.
    pub(super) sparse: bool,
    /// For each layer the gradients of its parameters; empty until first asked for, since a fused update needs none.
    pub(super) gradients: Vec<Vec<Array2<T>>>,
    /// Indices of samples that are predicted together.
    pub(super) order: Vec<usize>,
}

/// A layer's shape, as far as the memory for it depends on that.
#[derive(Debug)]
struct LayerShape {
    widths: [usize; 2],
    parameters: Vec<(usize, usize)>,
    kind: LayerKind,
    trainable: bool,
}

/// A layer that wants statistics of the whole batch: the shards wait there for each other.
#[derive(Debug)]
pub(super) struct SyncPoint<T> {
    pub(super) layer: usize,
    pub(super) statistics: BatchStatistics<T>,
}

impl<T: Element> Workspace<T> {
    /// Room for training on batches of up to `batch_size` samples; 0 counts as 1.
    pub fn new(network: &NeuralNetwork<T>, batch_size: usize) -> Self {
        Workspace::sized(network, batch_size, None, true)
    }

    /// As [`Workspace::new`], with shards of `shard_size` samples, at least 1: the samples that one task works on.
    ///
    /// For experiments with the speed; the sums of a batch are cut where the shards are, so results differ by rounding.
    /// [`Workspace::new`] chooses 64 to 256, and more for small networks.
    pub fn with_shard_size(network: &NeuralNetwork<T>, batch_size: usize, shard_size: usize) -> Self {
        Workspace::sized(network, batch_size, Some(shard_size), true)
    }

    /// Room for predicting and evaluating `samples` samples, some 2,000 of them at a time.
    pub fn for_prediction(network: &NeuralNetwork<T>, samples: usize) -> Self {
        const AT_ONCE: usize = 2048;
        Workspace::sized(network, samples.min(AT_ONCE), None, false)
    }

    fn sized(network: &NeuralNetwork<T>, capacity: usize, shard_size: Option<usize>, trains: bool) -> Self {
        let capacity = capacity.max(1);
        let stages = &network.stages[..];
        let operations = stages.iter().map(|stage| operations(&*stage.layer)).sum();
        let partition = Partition::new(operations, capacity, shard_size);
        let shard = |number: usize| {
            let samples = partition.shard_size.min(capacity - number * partition.shard_size);
            Shard::new(stages, samples, trains)
        };
        let sync_points = stages.iter().enumerate().filter(|_| trains);
        Workspace {
            layers: stages.iter().map(LayerShape::of).collect(),
            trains,
            partition,
            shards: (0..partition.shards(capacity)).map(shard).collect(),
            used: 0,
            sync_points: sync_points
                .filter_map(|(layer, stage)| SyncPoint::of(layer, stage))
                .collect(),
            packed: stages.iter().map(|_| None).collect(),
            sparse: false,
            gradients: stages.iter().map(|_| Vec::new()).collect(),
            order: Vec::with_capacity(if trains { 0 } else { capacity }),
        }
    }

    /// The gradients of the last batch: for each layer its tensors, shaped as its parameters, row 0 being 0; none for a
    /// layer that is frozen.
    ///
    /// None before the first [`NeuralNetwork::gradients`]. An update that is fused into the gradients leaves them as
    /// they were.
    pub fn gradients(&self) -> impl Iterator<Item = &Array2<T>> {
        self.gradients.iter().flatten()
    }

    /// Refuses a network of other layers, and training in a workspace for predictions.
    pub(super) fn check(
        &self,
        operation: &'static str,
        network: &NeuralNetwork<T>,
        trains: bool,
    ) -> Result<()> {
        if !self.fits(network) {
            let widths: Vec<usize> = network.widths().collect();
            let own = self.layers.iter().map(|layer| layer.widths[1]);
            let own: Vec<usize> = self.layers[..1]
                .iter()
                .map(|layer| layer.widths[0])
                .chain(own)
                .collect();
            let others = if widths == own {
                ", of other layers, or of others that are frozen"
            } else {
                ""
            };
            return Err(Error::shape(
                operation,
                format_args!("a workspace for the widths {widths:?}"),
                format_args!("one for {own:?}{others}"),
            ));
        }
        if trains && !self.trains {
            return Err(Error::shape(
                operation,
                "a workspace for training",
                "one for predictions",
            ));
        }
        Ok(())
    }

    fn fits(&self, network: &NeuralNetwork<T>) -> bool {
        let mut layers = network.stages.iter().zip(&self.layers);
        network.stages.len() == self.layers.len() && layers.all(|(stage, shape)| shape.fits(stage))
    }

    /// Sets the batch to one of so many samples; the number of its shards.
    pub(super) fn start(&mut self, samples: usize) -> Result<usize> {
        if samples > self.partition.capacity {
            let most = format_args!("at most {} samples", self.partition.capacity);
            return Err(Error::shape("Workspace", most, samples));
        }
        Ok(self.partition.shards(samples))
    }
}

impl LayerShape {
    fn of<T: Element>(stage: &Stage<T>) -> Self {
        LayerShape {
            widths: [stage.layer.inputs(), stage.layer.outputs()],
            parameters: stage.layer.parameters().iter().map(Array2::dim).collect(),
            kind: stage.layer.kind(),
            trainable: stage.trainable,
        }
    }

    /// Whether it is this layer's; without allocating, as every step asks.
    fn fits<T: Element>(&self, stage: &Stage<T>) -> bool {
        let parameters = stage.layer.parameters().iter().map(Array2::dim);
        self.widths == [stage.layer.inputs(), stage.layer.outputs()]
            && self.kind == stage.layer.kind()
            && self.trainable == stage.trainable
            && parameters.eq(self.parameters.iter().copied())
    }
}

impl<T: Element> SyncPoint<T> {
    fn of(layer: usize, stage: &Stage<T>) -> Option<Self> {
        stage.is_sync_point().then(|| {
            let mut statistics = BatchStatistics::new(stage.layer.inputs());
            statistics.reserve_gradients(stage.layer.parameters());
            SyncPoint { layer, statistics }
        })
    }
}
