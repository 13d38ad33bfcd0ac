//! The forward pass of a shard through the layers.

use std::ops::Range;

use rayon::prelude::*;

use super::Stage;
use super::partition::Partition;
use super::shard::Shard;
use super::workspace::{SyncPoint, Workspace};
use super::{NeuralNetwork, shard::Source};
use crate::augment::body_mut;
use crate::data::Dataset;
use crate::element::Element;
use crate::layer::{BatchStatistics, Mode};
use crate::pool;
use crate::product::{PackedWeights, SparseTarget, TransposedWeights};
use crate::timing;

/// The layers that shards pass through, and the data that all shards share.
#[derive(Debug)]
pub(super) struct Pipeline<'a, T> {
    pub(super) stages: &'a [Stage<T>],
    /// The sync points whose batch statistics are known already.
    pub(super) sync_points: &'a [SyncPoint<T>],
    /// The first layer's weights, packed for samples that are mostly zeros.
    pub(super) packed: Option<&'a PackedWeights<T>>,
    /// For each layer its transposed weights, if its backward pass needs them; empty for predictions.
    pub(super) transposed: &'a [Option<TransposedWeights<T>>],
}

impl<'a, T: Element> Pipeline<'a, T> {
    /// Copies the samples of a batch into its shards. If they are mostly zeros, also computes the product of the first
    /// layer, for all shards together.
    pub(super) fn start(
        &self,
        partition: Partition,
        shards: &mut [Shard<T>],
        indices: &[usize],
        mode: Mode,
        source: Source<'_, T>,
        targets: &mut Vec<SparseTarget<T>>,
    ) {
        let Some(packed) = self.packed else { return };
        partition.for_each_shard("load", shards, indices, mode, |shard, indices| {
            shard.load(source, indices, true);
        });
        let operands = shards.iter_mut().filter_map(Shard::sparse_operands);
        let operands = operands.map(|(input, output)| (input, body_mut(output)));
        if partition.parallel {
            pool::enter(|| packed.multiply(operands, targets, true));
        } else {
            packed.multiply(operands, targets, false);
        }
    }

    /// Copies samples into a shard, unless [`Pipeline::start`] has.
    pub(super) fn load(&self, shard: &mut Shard<T>, source: Source<'_, T>, indices: &[usize]) {
        if self.packed.is_none() {
            shard.load(source, indices, false);
        }
    }

    /// Runs the forward pass of a shard through these layers, but for the product that [`Pipeline::start`] has computed.
    pub(super) fn forward(&self, shard: &mut Shard<T>, layers: Range<usize>) {
        for layer in layers {
            let stage = &self.stages[layer];
            if layer > 0 || self.packed.is_none() {
                let (input, output, mut context) = shard.forward_operands(layer, self.statistics(layer));
                stage.layer.forward(input, output, &mut context);
            }
            if let Some(activation) = &stage.activation {
                shard.keep_activation_input(layer);
                let (_, output, _) = shard.forward_operands(layer, None);
                activation.forward(body_mut(output));
            }
        }
    }

    /// The batch statistics of a layer's input; `None` if they are not known.
    pub(super) fn statistics(&self, layer: usize) -> Option<&'a BatchStatistics<T>> {
        let mut sync_points = self.sync_points.iter();
        let sync_point = sync_points.find(|sync_point| sync_point.layer == layer)?;
        Some(&sync_point.statistics)
    }
}

impl<T: Element> NeuralNetwork<T> {
    /// Packs the first layer's weights if the products with a data set's samples skip their zeros.
    pub(super) fn prepare(&self, dataset: &Dataset<T>, workspace: &mut Workspace<T>) {
        if self.skips_zeros(dataset.is_sparse(), workspace) {
            dataset.compress();
        }
    }

    /// Packs the first layer's weights if its products are to skip the zeros of the samples; returns whether they do.
    pub(super) fn skips_zeros(&self, is_sparse: bool, workspace: &mut Workspace<T>) -> bool {
        workspace.sparse = self.stages[0].is_linear() && is_sparse;
        if workspace.sparse {
            self.pack_weights(workspace);
        }
        workspace.sparse
    }

    /// Packs the first layer's weights, unless the workspace holds them already.
    pub(super) fn pack_weights(&self, workspace: &mut Workspace<T>) {
        let Some(weights) = self.stages[0].linear_weights() else {
            return;
        };
        if workspace.packed_version == Some(self.version) {
            return;
        }
        let new = || PackedWeights::new(weights.nrows(), weights.ncols());
        let packed = workspace.packed[0].get_or_insert_with(new);
        if workspace.partition.parallel {
            pool::enter(|| packed.pack(weights, true));
        } else {
            packed.pack(weights, false);
        }
        workspace.packed_version = Some(self.version);
    }

    /// Transposes the weights of the layers above `first_trainable` for the backward pass.
    pub(super) fn transpose_weights(&self, workspace: &mut Workspace<T>, first_trainable: usize) {
        let parallel = workspace.partition.parallel;
        let above = first_trainable.saturating_add(1).min(self.stages.len());
        let work = |(stage, transposed): (&Stage<T>, &mut Option<TransposedWeights<T>>)| {
            if let (Some(transposed), Some(weights)) = (transposed, stage.linear_weights()) {
                timing::task(|| transposed.assign(weights, parallel));
            }
        };
        let (stages, transposed) = (&self.stages[above..], &mut workspace.transposed[above..]);
        timing::phase("transpose", parallel, || {
            if parallel {
                pool::enter(|| stages.par_iter().zip(transposed).for_each(work));
            } else {
                stages.iter().zip(transposed).for_each(work);
            }
        });
    }
}
