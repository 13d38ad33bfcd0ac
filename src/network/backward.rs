//! The forward and backward pass of a batch: its loss, and the deltas and gradients of each shard.

use std::ops::Range;

use super::forward::Pipeline;
use super::partition::GradientRoute;
use super::shard::{Shard, Source};
use super::update::add_shards;
use super::{NeuralNetwork, Workspace, first_trainable};
use crate::augment::{body, body_mut};
use crate::data::Batch;
use crate::element::{Element, compiled};
use crate::error::Result;
use crate::layer::Mode;
use crate::loss::{Loss, evaluate_weighted};
use crate::product;

impl<T: Element> NeuralNetwork<T> {
    /// Runs the forward and the backward pass of a batch and returns its loss, the mean over its samples; where the data set has
    /// weights, each sample's loss and gradient count times its weight.
    ///
    /// Values and deltas stay in the workspace. The parameters do not change: the caller decides what to do about a
    /// loss that is not finite.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`](crate::Error::Shape) for a batch with another number of features or outputs, or with more
    /// samples than the workspace was allocated for, and for a workspace of another network;
    /// [`Error::InvalidData`](crate::Error::InvalidData) for a batch of one sample if a layer needs the statistics of
    /// the batch, and for a loss that expects logits with a network that returns probabilities, or the reverse.
    pub fn forward_backward(
        &self,
        batch: &Batch<'_, T>,
        loss: &dyn Loss<T>,
        workspace: &mut Workspace<T>,
    ) -> Result<f64> {
        forward_backward(self, batch, loss, workspace)
    }
}

compiled! {
    /// Each shard runs forward and backward in one task. Shards wait for each other only at layers that need the
    /// statistics of the batch.
    fn forward_backward<'a, 'b, T>(
        network: &'a NeuralNetwork<T>,
        batch: &'a Batch<'b, T>,
        loss: &'a dyn Loss<T>,
        workspace: &'a mut Workspace<T>,
    ) -> Result<f64> {
        const OPERATION: &str = "NeuralNetwork::forward_backward";
        let (dataset, indices) = (batch.dataset(), batch.indices());
        // Once, since a look at all targets takes time.
        if workspace.propagated.take().is_none() {
            loss.check(dataset.targets())?;
        }
        network.check_dataset(OPERATION, dataset)?;
        network.check_loss(OPERATION, loss)?;
        workspace.check(OPERATION, network, true)?;
        network.check_batch(OPERATION, batch.samples())?;
        let tree = workspace.tree_of_batch(batch.samples())?;
        network.prepare(dataset, workspace);
        let first_trainable = first_trainable(&network.stages);
        network.transpose_weights(workspace, first_trainable);

        let Workspace { partition, shards, sync_points, packed, transposed, sparse, sparse_targets, exchange, .. } =
            workspace;
        let (stages, shards) = (&network.stages[..], &mut shards[tree.all_shards()]);
        let mut exchange = exchange.as_mut().filter(|exchange| exchange.shares(tree));
        // The shards that this process computes, and their samples.
        let own = exchange.as_ref().map_or(tree.all_shards(), |exchange| exchange.shards(tree));
        let first = own.start * partition.shard_size;
        let indices = &indices[first.min(indices.len())..indices.len().min(own.end * partition.shard_size)];
        let packed = packed[0].as_ref().filter(|_| *sparse);
        let transposed = &transposed[..];
        let mode = Mode::Train { epoch: batch.epoch(), first: batch.first() }.advanced(first);
        let source = Source::Dataset(dataset);
        let pipeline = Pipeline { stages, sync_points: &[], packed, transposed };
        pipeline.start(*partition, &mut shards[own.clone()], indices, mode, source, sparse_targets);
        let mut start = 0;
        for index in 0..sync_points.len() {
            let (before, rest) = sync_points.split_at_mut(index);
            let pipeline = Pipeline { stages, sync_points: before, packed, transposed };
            let end = rest[0].layer;
            partition.for_each_shard("forward", &mut shards[own.clone()], indices, mode, |shard, indices| {
                if index == 0 {
                    pipeline.load(shard, source, indices);
                }
                pipeline.forward(shard, start..end);
                shard.measure(index, end);
            });
            if let Some(exchange) = &mut exchange {
                exchange.gather_statistics(tree, shards, index)?;
            }
            rest[0].statistics.merge(shards.iter().map(|shard| &shard.statistics[index]));
            start = end;
        }

        let scale = T::from_f64(loss.reduction().scale(batch.samples()));
        let pipeline = Pipeline { stages, sync_points, packed, transposed };
        partition.for_each_shard("forward and backward", &mut shards[own.clone()], indices, mode, |shard, indices| {
            if pipeline.sync_points.is_empty() {
                pipeline.load(shard, source, indices);
            }
            pipeline.forward(shard, start..stages.len());
            let (output, delta, targets) = shard.loss_operands();
            let targets = targets.gather(dataset.targets(), indices);
            let weights = dataset.weights().map(|weights| (weights, indices));
            shard.loss = evaluate_weighted(loss, weights, output, targets, scale, Some(delta));
            pipeline.backward(shard, start..stages.len(), first_trainable);
        });

        for index in (0..sync_points.len()).rev() {
            let layer = sync_points[index].layer;
            if let Some(exchange) = &mut exchange {
                exchange.gather_gradients(tree, shards, layer)?;
            }
            add_shards(T::one(), shards, tree, layer, T::zero(), sync_points[index].statistics.gradients_mut());
            if layer <= first_trainable {
                break;
            }
            let start = if index > 0 { sync_points[index - 1].layer } else { 0 };
            let pipeline = Pipeline { stages, sync_points, packed, transposed };
            partition.for_each_shard("backward", &mut shards[own.clone()], indices, mode, |shard, _| {
                pipeline.backward_through(shard, layer);
                pipeline.backward(shard, start..layer, first_trainable);
            });
        }
        if let Some(exchange) = exchange {
            exchange.gather_losses(tree, shards)?;
        }
        let sum: f64 = shards.iter().map(|shard| shard.loss).sum();
        (workspace.tree, workspace.propagated) = (tree, Some(network.id));
        Ok(sum / batch.samples() as f64)
    }
}

impl<T: Element> Pipeline<'_, T> {
    /// Propagates the deltas of a shard back through these layers, down to the first trainable one, and computes the
    /// gradients of the layers whose route is [`GradientRoute::Shards`]. Returns at a sync point once the shard's
    /// gradient is known: the delta of its input depends on the gradient of the whole batch.
    fn backward(&self, shard: &mut Shard<T>, layers: Range<usize>, first_trainable: usize) {
        for layer in layers.rev().take_while(|&layer| layer >= first_trainable) {
            let stage = &self.stages[layer];
            if let Some(activation) = &stage.activation {
                let (values, delta) = shard.activation_operands(layer);
                activation.backward(values, delta);
            }
            let per_shard = GradientRoute::of(&*stage.layer) == GradientRoute::Shards;
            if stage.trainable && per_shard && !(layer == 0 && self.packed.is_some()) {
                let (input, delta, gradients, mut context) =
                    shard.gradient_operands(layer, self.statistics(layer));
                stage.layer.gradient(input, delta, gradients, &mut context);
            }
            if self.statistics(layer).is_some() {
                return;
            }
            if layer > first_trainable {
                self.backward_through(shard, layer);
            }
        }
    }

    /// Computes the delta of a layer's input.
    fn backward_through(&self, shard: &mut Shard<T>, layer: usize) {
        let stage = &self.stages[layer];
        let (input, delta, delta_input, mut context) = shard.backward_operands(layer, self.statistics(layer));
        match stage.linear_weights() {
            Some(weights) => {
                let transposed = self.transposed[layer].as_ref();
                product::backward(weights, transposed, body(delta), body_mut(delta_input));
            }
            None => stage.layer.backward(input, delta, delta_input, &mut context),
        }
    }
}
