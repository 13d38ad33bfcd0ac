//! The gradients of a batch, and the update of the parameters with them.

use ndarray::{Array2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use super::partition::{GradientRoute, PARALLEL_OPERATIONS, tile_columns};

use super::shard::Shard;
use super::trainable::add_penalty;
use super::workspace::SyncPoint;
use super::{NeuralNetwork, Stage, Workspace};
use crate::augment::{body, body_mut};
use crate::element::{Element, compiled};
use crate::error::{Error, Result};
use crate::optimizer::{Gradients, NetworkId, Optimizer};
use crate::pool;
use crate::product::{Kernels, PackedWeights};
use crate::timing;

impl<T: Element> NeuralNetwork<T> {
    /// Computes dJ/dW of the last batch of [`NeuralNetwork::forward_backward`]; [`Workspace::gradients`] returns it.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for a workspace of another network, [`Error::InvalidData`] for one that holds no batch.
    pub fn gradients(&self, workspace: &mut Workspace<T>) -> Result<()> {
        compute_gradients(self, workspace)
    }

    /// Updates the parameters with the gradients of the last batch of [`NeuralNetwork::forward_backward`], and running
    /// statistics with the statistics of that batch.
    ///
    /// The update of an optimizer with a [plain rate](Optimizer::plain_rate) is fused into the products that compute the
    /// gradients.
    ///
    /// # Errors
    ///
    /// As [`NeuralNetwork::gradients`]; those of [`Optimizer::start_step`], such as for an optimizer with the state of
    /// another network. The parameters then do not change.
    pub fn apply_gradients(
        &mut self,
        optimizer: &mut dyn Optimizer<T>,
        workspace: &mut Workspace<T>,
    ) -> Result<()> {
        apply_gradients(self, optimizer, workspace, 0.0)
    }

    /// As [`NeuralNetwork::apply_gradients`], with `penalty` W added to the gradients of the weights, but not of the biases: the
    /// gradient of the L2 penalty `penalty`/2 |W|^2.
    pub(crate) fn apply_penalized_gradients(
        &mut self,
        optimizer: &mut dyn Optimizer<T>,
        workspace: &mut Workspace<T>,
        penalty: f64,
    ) -> Result<()> {
        apply_gradients(self, optimizer, workspace, penalty)
    }

    /// Refuses a workspace of another network, and one that holds no batch.
    fn check_propagated(&self, operation: &'static str, workspace: &Workspace<T>) -> Result<()> {
        workspace.check(operation, self, true)?;
        match workspace.propagated {
            Some(network) if network == self.id => Ok(()),
            Some(_) => {
                let expected = "a batch that was propagated through this network";
                Err(Error::shape(operation, expected, "one of another network"))
            }
            None => {
                let problem = "the workspace holds no batch: call NeuralNetwork::forward_backward before";
                Err(Error::data(operation, problem))
            }
        }
    }
}

compiled! {
    fn compute_gradients<'a, 'b, T>(network: &'a NeuralNetwork<T>, workspace: &'a mut Workspace<T>) -> Result<()> {
        network.check_propagated("NeuralNetwork::gradients", workspace)?;
        if workspace.sparse {
            // The sums of the first layer's gradient take their place.
            workspace.packed_version = None;
        }
        let Workspace { shards, used, packed, gradients, sparse, partition, .. } = workspace;
        let (shards, sparse) = (&shards[..*used], *sparse);
        let work = |(((layer, stage), packed), gradients): GradientWork<'_, T>| {
            if gradients.is_empty() {
                *gradients = stage.zero_gradients();
            }
            if stage.trainable {
                let packed = packed.as_mut().filter(|_| sparse);
                let (batch, route) = (LayerBatch { shards, layer, packed }, GradientRoute::of(&*stage.layer));
                timing::task(|| batch.gradient(route, T::one(), T::zero(), gradients));
            }
        };
        timing::phase("gradients", partition.parallel, || {
            if partition.parallel {
                let layers = network.stages.par_iter().enumerate().zip(packed).zip(gradients);
                pool::enter(|| layers.for_each(work));
            } else {
                network.stages.iter().enumerate().zip(packed).zip(gradients).for_each(work);
            }
        });
        Ok(())
    }
}

compiled! {
    fn apply_gradients<'a, 'b, T>(
        network: &'a mut NeuralNetwork<T>,
        optimizer: &'a mut dyn Optimizer<T>,
        workspace: &'a mut Workspace<T>,
        penalty: f64,
    ) -> Result<()> {
        match optimizer.plain_rate().filter(|_| penalty == 0.0) {
            Some(rate) => fused_update(network, T::from_f64(rate), workspace)?,
            None => {
                network.gradients(workspace)?;
                if penalty > 0.0 {
                    add_penalty(&network.stages, &mut workspace.gradients, penalty);
                }
                optimizer.start_step(&Gradients::new(network.id, &workspace.gradients))?;
                network.version = NetworkId::next();
                let mut indices = 0..;
                for (stage, gradients) in network.stages.iter_mut().zip(&mut workspace.gradients) {
                    let trainable = stage.trainable;
                    for ((parameters, index), gradient) in
                        stage.layer.parameters_mut().iter_mut().zip(&mut indices).zip(gradients)
                    {
                        if trainable {
                            optimizer.update(index, parameters, gradient);
                        }
                    }
                }
            }
        }
        for SyncPoint { layer, statistics } in &workspace.sync_points {
            network.stages[*layer].layer.update_running_statistics(statistics);
        }
        Ok(())
    }
}

/// A layer with its index, its packed weights, and its gradients to be written.
type GradientWork<'a, T> = (
    ((usize, &'a Stage<T>), &'a mut Option<PackedWeights<T>>),
    &'a mut Vec<Array2<T>>,
);

/// W <- W - rate dJ/dW for the last batch, fused into the sums over its shards.
fn fused_update<T: Element>(
    network: &mut NeuralNetwork<T>,
    rate: T,
    workspace: &mut Workspace<T>,
) -> Result<()> {
    network.check_propagated("NeuralNetwork::apply_gradients", workspace)?;
    if workspace.sparse {
        network.pack_weights(workspace);
    }
    let Workspace {
        shards,
        used,
        packed,
        sparse,
        partition,
        ..
    } = workspace;
    let (shards, sparse) = (&shards[..*used], *sparse);
    let work = |((layer, stage), packed): ((usize, &mut Stage<T>), &mut Option<PackedWeights<T>>)| {
        if stage.trainable {
            let packed = packed.as_mut().filter(|_| sparse);
            let (route, parameters) = (GradientRoute::of(&*stage.layer), stage.layer.parameters_mut());
            let batch = LayerBatch {
                shards,
                layer,
                packed,
            };
            timing::task(|| batch.gradient(route, -rate, T::one(), parameters));
        }
    };
    timing::phase("gradients", partition.parallel, || {
        if partition.parallel {
            let layers = network.stages.par_iter_mut().enumerate().zip(packed);
            pool::enter(|| layers.for_each(work));
        } else {
            network.stages.iter_mut().enumerate().zip(packed).for_each(work);
        }
    });
    network.version = NetworkId::next();
    workspace.packed_version = sparse.then_some(network.version);
    Ok(())
}

/// A batch at one layer: the shards with its inputs and deltas.
struct LayerBatch<'a, T> {
    shards: &'a [Shard<T>],
    layer: usize,
    /// Packed weights of the first layer, if the samples are mostly zeros.
    packed: Option<&'a mut PackedWeights<T>>,
}

impl<T: Element> LayerBatch<'_, T> {
    /// out <- alpha dJ/dW + beta out, beta being 0 or 1; row 0 of each tensor does not change.
    fn gradient(self, route: GradientRoute, alpha: T, beta: T, out: &mut [Array2<T>]) {
        match (self.packed, route) {
            (Some(packed), _) => {
                add_sparse_products(alpha, self.shards, packed, beta, out[0].view_mut());
            }
            (None, GradientRoute::Shards) => add_shards(alpha, self.shards, self.layer, beta, out),
            (None, GradientRoute::Tiles) => {
                add_products(alpha, self.shards, self.layer, beta, out[0].view_mut());
            }
        }
    }
}

/// out <- alpha dJ/dW + beta out, where dJ/dW is the sum of the shards' gradients, added in the order of the samples.
pub(super) fn add_shards<T: Element>(
    alpha: T,
    shards: &[Shard<T>],
    layer: usize,
    beta: T,
    out: &mut [Array2<T>],
) {
    for (tensor, out) in out.iter_mut().enumerate() {
        if beta == T::zero() {
            out.fill(T::zero());
        }
        for shard in shards {
            out.scaled_add(alpha, &shard.gradients[layer][tensor]);
        }
    }
}

/// The number of samples of these shards.
fn samples_of<T: Element>(shards: &[Shard<T>]) -> usize {
    shards.iter().map(Shard::samples).sum()
}

/// Whether the gradient of this many weights is worth more than one thread.
fn is_parallel<T: Element>(shards: &[Shard<T>], weights: usize) -> bool {
    2 * weights * samples_of(shards) >= PARALLEL_OPERATIONS
}

/// W <- alpha Delta A^T + beta W over all shards, in tiles of columns.
fn add_products<T: Element>(
    alpha: T,
    shards: &[Shard<T>],
    layer: usize,
    beta: T,
    weights: ArrayViewMut2<'_, T>,
) {
    let parallel = is_parallel(shards, weights.len());
    let mut weights = body_mut(weights);
    // By the whole layer, whose tiles have fewer weights.
    let kernels = Kernels::of(weights.view());
    let tile = tile_columns(weights.dim(), samples_of(shards), kernels.fewest_columns());
    let work = |(index, weights): (usize, ArrayViewMut2<'_, T>)| {
        let columns = index * tile..index * tile + weights.ncols();
        let operands = shards.iter().map(|shard| {
            let (input, delta) = shard.input_and_delta(layer);
            (body(delta), input.slice_move(s![columns.clone(), ..]))
        });
        timing::task(|| kernels.add_gradient(alpha, operands, beta, weights));
    };
    let tiles = weights.axis_chunks_iter_mut(Axis(1), tile);
    timing::phase("tiles", parallel, || {
        if parallel {
            pool::enter(|| tiles.into_par_iter().enumerate().for_each(work));
        } else {
            tiles.enumerate().for_each(work);
        }
    });
}

/// As [`add_products`] for the first layer, without the zeros of its input.
fn add_sparse_products<T: Element>(
    alpha: T,
    shards: &[Shard<T>],
    packed: &mut PackedWeights<T>,
    beta: T,
    weights: ArrayViewMut2<'_, T>,
) {
    let parallel = is_parallel(shards, weights.len());
    let weights = body_mut(weights);
    let samples = shards.iter().filter_map(Shard::sparse_input_and_delta);
    let to_weights = beta != T::zero();
    if parallel {
        pool::enter(|| packed.add_outer_products(alpha, to_weights, samples, weights, true));
    } else {
        packed.add_outer_products(alpha, to_weights, samples, weights, false);
    }
}
