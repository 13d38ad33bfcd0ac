//! The memory of a training step: shards of samples, packed weights, and gradients. Allocated once; a step allocates
//! nothing.

use std::sync::Arc;

use ndarray::Array2;

use super::partition::{Partition, operations};
use super::shard::Shard;
use super::share::Exchange;
use super::tree::{LeafSums, Tree};
use super::{NeuralNetwork, Stage};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::layer::{BatchStatistics, LayerKind, has_room};
use crate::optimizer::NetworkId;
use crate::product::{Kernels, PackedWeights, SparseTarget, TransposedWeights};
use crate::ranks::Communicator;

/// The memory for a batch that passes through a network: values and deltas of its samples, its loss, and the gradients.
///
/// A training loop of your own that keeps a workspace allocates nothing in a step:
///
/// ```
/// use mfnet::{DataLoader, Dataset, MseLoss, NeuralNetwork, Sgd, Shuffle, Workspace};
/// use ndarray::array;
///
/// let line = Dataset::regression(array![[0.0], [1.0], [2.0]], array![[1.0], [3.0], [5.0]])?;
/// let mut network = NeuralNetwork::<f64>::builder(1).linear(1).build()?;
/// let (loss, mut sgd) = (MseLoss::default(), Sgd::new(0.1)?);
/// let mut loader = DataLoader::new(&line, 2, Shuffle::Samples, 7)?;
/// let mut workspace = Workspace::new(&network, loader.batch_size())?;
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
    /// Shapes of the layers this workspace was allocated for.
    layers: Vec<LayerShape>,
    /// Whether there is memory for deltas and gradients.
    trains: bool,
    pub(super) partition: Partition,
    pub(super) shards: Vec<Shard<T>>,
    /// The tree of the last batch of `forward_backward`.
    pub(super) tree: Tree,
    /// The network that the current batch was propagated through; `None` before the first batch.
    pub(super) propagated: Option<NetworkId>,
    pub(super) sync_points: Vec<SyncPoint<T>>,
    /// For each layer its packed weights, if its products need them; allocated when first needed.
    pub(super) packed: Vec<Option<PackedWeights<T>>>,
    /// The version of the network whose weights are packed.
    pub(super) packed_version: Option<NetworkId>,
    pub(super) sparse_targets: Vec<SparseTarget<T>>,
    /// For each layer its transposed weights, if its backward pass needs them.
    pub(super) transposed: Vec<Option<TransposedWeights<T>>>,
    /// Whether the last samples were mostly zeros, and multiplied with packed weights.
    pub(super) sparse: bool,
    /// For each layer the gradients of its parameters; empty until first computed, since a fused update needs none.
    pub(super) gradients: Vec<Vec<Array2<T>>>,
    /// Memory for the sums of a tile's leaves.
    pub(super) leaf_sums: LeafSums<T>,
    /// The exchange with other ranks; `None` for a single process.
    pub(super) exchange: Option<Exchange<T>>,
    /// The indices of the samples that are predicted together.
    pub(super) order: Vec<usize>,
}

/// The properties of a layer that its memory in a workspace depends on.
#[derive(Debug)]
struct LayerShape {
    widths: [usize; 2],
    parameters: Vec<(usize, usize)>,
    kind: LayerKind,
    needs_activation_input: bool,
    trainable: bool,
}

/// A layer that needs statistics of the whole batch: the shards wait for each other there.
#[derive(Debug)]
pub(super) struct SyncPoint<T> {
    pub(super) layer: usize,
    pub(super) statistics: BatchStatistics<T>,
}

impl<T: Element> Workspace<T> {
    /// Allocates a workspace for training on batches of up to `batch_size` samples; 0 counts as 1.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for more samples than there is memory for.
    pub fn new(network: &NeuralNetwork<T>, batch_size: usize) -> Result<Self> {
        Workspace::sized(network, batch_size, None, true)
    }

    /// As [`Workspace::new`], with shards of `shard_size` samples, at least 1: the samples that one task works on.
    ///
    /// For experiments with speed. Sums over a batch are added up shard by shard, so results differ by rounding from
    /// one shard size to another. [`Workspace::new`] chooses a size that cuts a full batch into up to 32 shards, fewer for
    /// small networks.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a shard size of 0, and for more samples than there is memory for.
    pub fn with_shard_size(network: &NeuralNetwork<T>, batch_size: usize, shard_size: usize) -> Result<Self> {
        if shard_size == 0 {
            return Err(Error::option("shard size", 0, "at least 1"));
        }
        Workspace::sized(network, batch_size, Some(shard_size), true)
    }

    /// Allocates a workspace for predicting and evaluating `samples` samples, about 2,000 of them at a time.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for more samples than there is memory for.
    pub fn for_prediction(network: &NeuralNetwork<T>, samples: usize) -> Result<Self> {
        const AT_ONCE: usize = 2048;
        Workspace::sized(network, samples.min(AT_ONCE), None, false)
    }

    fn sized(
        network: &NeuralNetwork<T>,
        capacity: usize,
        shard_size: Option<usize>,
        trains: bool,
    ) -> Result<Self> {
        let capacity = capacity.max(1);
        let stages = &network.stages[..];
        let columns = network
            .widths()
            .fold(0_usize, |sum, width| sum.saturating_add(width));
        // Values, deltas and the arguments of activations; the rest of a workspace is smaller.
        let keeps = trains && stages.iter().any(Stage::needs_activation_input);
        if !has_room::<T>(&[
            2 + usize::from(keeps),
            columns.saturating_add(stages.len()),
            capacity,
        ]) {
            return Err(Error::option(
                "samples of Workspace",
                capacity,
                "few enough for the memory",
            ));
        }
        let operations = stages.iter().map(|stage| operations(&*stage.layer)).sum();
        let weights = stages.iter().filter_map(Stage::linear_weights);
        let fewest = weights
            .map(|weights| Kernels::of(weights).fewest_samples(weights))
            .max()
            .unwrap_or(1);
        let partition = Partition::new(operations, fewest, capacity, shard_size);
        let shard = |number: usize| {
            let samples = partition.shard_size.min(capacity - number * partition.shard_size);
            Shard::new(stages, samples, trains)
        };
        let sync_points = stages.iter().enumerate().filter(|_| trains);
        Ok(Workspace {
            layers: stages.iter().map(LayerShape::of).collect(),
            trains,
            partition,
            shards: (0..partition.shards(capacity)).map(shard).collect(),
            tree: partition.tree(0),
            propagated: None,
            sync_points: sync_points
                .filter_map(|(layer, stage)| SyncPoint::of(layer, stage))
                .collect(),
            packed: stages.iter().map(|_| None).collect(),
            packed_version: None,
            sparse_targets: Vec::new(),
            transposed: stages
                .iter()
                .map(|stage| trains.then(|| stage.transposed_weights(capacity)).flatten())
                .collect(),
            sparse: false,
            gradients: stages.iter().map(|_| Vec::new()).collect(),
            leaf_sums: LeafSums::new(),
            exchange: None,
            order: Vec::with_capacity(if trains { 0 } else { capacity }),
        })
    }

    /// Shares each batch with the other ranks of a communicator, which call the same functions with the same arguments:
    /// losses, gradients and batch statistics are those of the whole batch, the same bits on every rank as in a single
    /// process.
    ///
    /// A rank works on some of the batch's leaves, of which there are up to 8 of at least 256 samples each; every rank
    /// computes all of a batch with a single leaf.
    pub fn with_communicator(self, communicator: Arc<dyn Communicator>) -> Self {
        let exchange = (communicator.size() > 1).then(|| Exchange::new(communicator));
        Workspace { exchange, ..self }
    }

    /// Whether other ranks have computed parts of the last batch.
    pub(super) fn is_shared(&self) -> bool {
        self.exchange
            .as_ref()
            .is_some_and(|exchange| exchange.shares(self.tree))
    }

    /// The gradients of the last batch: for each layer, tensors in the shapes of its parameters, with row 0 being 0;
    /// all 0 for a frozen layer.
    ///
    /// There are none before the first call of [`NeuralNetwork::gradients`]. A fused update does not change them.
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
            let outputs = self.layers.iter().map(|layer| layer.widths[1]);
            let own: Vec<usize> = std::iter::once(self.layers[0].widths[0]).chain(outputs).collect();
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

    /// The largest number of leaves of a batch's tree.
    pub(crate) fn most_leaves(&self) -> usize {
        match self.trains {
            true => self.partition.tree(self.partition.capacity).leaves(),
            false => 1,
        }
    }

    fn fits(&self, network: &NeuralNetwork<T>) -> bool {
        let mut layers = network.stages.iter().zip(&self.layers);
        network.stages.len() == self.layers.len() && layers.all(|(stage, shape)| shape.fits(stage))
    }

    /// Returns the tree of a batch of `samples` samples; an error if they exceed the capacity.
    pub(super) fn tree_of_batch(&self, samples: usize) -> Result<Tree> {
        if samples > self.partition.capacity {
            let most = format_args!("at most {} samples", self.partition.capacity);
            return Err(Error::shape("Workspace", most, samples));
        }
        Ok(self.partition.tree(samples))
    }
}

impl LayerShape {
    fn of<T: Element>(stage: &Stage<T>) -> Self {
        LayerShape {
            widths: [stage.layer.inputs(), stage.layer.outputs()],
            parameters: stage.layer.parameters().iter().map(Array2::dim).collect(),
            kind: stage.layer.kind(),
            needs_activation_input: stage.needs_activation_input(),
            trainable: stage.trainable,
        }
    }

    /// Whether it is the shape of this layer. Allocates nothing, since every step calls it.
    fn fits<T: Element>(&self, stage: &Stage<T>) -> bool {
        let parameters = stage.layer.parameters().iter().map(Array2::dim);
        self.widths == [stage.layer.inputs(), stage.layer.outputs()]
            && self.kind == stage.layer.kind()
            && self.needs_activation_input == stage.needs_activation_input()
            && self.trainable == stage.trainable
            && parameters.eq(self.parameters.iter().copied())
    }
}

impl<T: Element> SyncPoint<T> {
    fn of(layer: usize, stage: &Stage<T>) -> Option<Self> {
        stage.is_sync_point().then(|| {
            let statistics = BatchStatistics::new(stage.layer.inputs());
            let statistics = statistics.with_gradients(stage.zero_gradients());
            SyncPoint { layer, statistics }
        })
    }
}
