//! The forward pass of a shard through the layers.

use std::ops::Range;

use rayon::prelude::*;

use super::Stage;
use super::shard::Shard;
use super::workspace::{SyncPoint, Workspace};
use super::{NeuralNetwork, shard::Source};
use crate::augment::body_mut;
use crate::data::Dataset;
use crate::element::Element;
use crate::layer::BatchStatistics;
use crate::pool;
use crate::product::{PackedWeights, TransposedWeights};

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
    /// Copies samples into a shard.
    pub(super) fn load(&self, shard: &mut Shard<T>, source: Source<'_, T>, indices: &[usize]) {
        shard.load(source, indices, self.packed.is_some());
    }

    /// Runs the forward pass of a shard through these layers.
    pub(super) fn forward(&self, shard: &mut Shard<T>, layers: Range<usize>) {
        for layer in layers {
            let stage = &self.stages[layer];
            match self.packed.filter(|_| layer == 0) {
                Some(packed) => {
                    if let Some((input, output)) = shard.sparse_operands() {
                        packed.multiply(input, body_mut(output));
                    }
                }
                None => {
                    let (input, output, mut context) = shard.forward_operands(layer, self.statistics(layer));
                    stage.layer.forward(input, output, &mut context);
                }
            }
            if let Some(activation) = &stage.activation {
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
    pub(super) fn pack_weights(&self, dataset: &Dataset<T>, workspace: &mut Workspace<T>) {
        let first = &self.stages[0];
        workspace.sparse = first.is_linear() && dataset.is_sparse();
        if !workspace.sparse {
            return;
        }
        dataset.compress();
        let Some(weights) = first.linear_weights() else {
            return;
        };
        let packed =
            workspace.packed[0].get_or_insert_with(|| PackedWeights::new(weights.nrows(), weights.ncols()));
        if workspace.partition.parallel {
            pool::enter(|| packed.pack(weights, true));
        } else {
            packed.pack(weights, false);
        }
    }

    /// Transposes the weights of the layers above `first_trainable` for the backward pass.
    pub(super) fn transpose_weights(&self, workspace: &mut Workspace<T>, first_trainable: usize) {
        let parallel = workspace.partition.parallel;
        let above = first_trainable.saturating_add(1).min(self.stages.len());
        let work = |(stage, transposed): (&Stage<T>, &mut Option<TransposedWeights<T>>)| {
            if let (Some(transposed), Some(weights)) = (transposed, stage.linear_weights()) {
                transposed.assign(weights, parallel);
            }
        };
        let (stages, transposed) = (&self.stages[above..], &mut workspace.transposed[above..]);
        if parallel {
            pool::enter(|| stages.par_iter().zip(transposed).for_each(work));
        } else {
            stages.iter().zip(transposed).for_each(work);
        }
    }
}
