//! The forward pass of a shard through the layers.

use std::ops::Range;

use super::Stage;
use super::shard::Shard;
use super::workspace::{SyncPoint, Workspace};
use super::{NeuralNetwork, shard::Source};
use crate::augment::body_mut;
use crate::data::Dataset;
use crate::element::Element;
use crate::layer::BatchStatistics;
use crate::pool;
use crate::product::PackedWeights;

/// The layers that shards pass through, and the data that all shards share.
#[derive(Debug)]
pub(super) struct Pipeline<'a, T> {
    pub(super) stages: &'a [Stage<T>],
    /// The sync points whose batch statistics are known already.
    pub(super) sync_points: &'a [SyncPoint<T>],
    /// The first layer's weights, packed for samples that are mostly zeros.
    pub(super) packed: Option<&'a PackedWeights<T>>,
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
        let weights = crate::augment::body(first.layer.parameters()[0].view());
        let packed =
            workspace.packed[0].get_or_insert_with(|| PackedWeights::new(weights.nrows(), weights.ncols()));
        if workspace.partition.parallel {
            pool::enter(|| packed.pack(weights, true));
        } else {
            packed.pack(weights, false);
        }
    }
}
