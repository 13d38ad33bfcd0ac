//! The gradients of a batch, and the update of the parameters with them.

use std::ops::Range;

use ndarray::{Array2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use super::partition::{GradientRoute, PARALLEL_OPERATIONS, tile_columns};

use super::shard::Shard;
use super::trainable::add_penalty;
use super::tree::{LeafSums, Tree};
use super::workspace::SyncPoint;
use super::{NeuralNetwork, Stage, Workspace};
use crate::augment::{body, body_mut};
use crate::element::{Element, compiled};
use crate::error::{Error, Result};
use crate::kernel::{MOST_TERMS, add_tree_sum, simd};
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
        reserve_leaf_sums(&network.stages, workspace);
        if workspace.is_shared() {
            return compute_shared_gradients(network, workspace);
        }
        let Workspace { shards, tree, packed, gradients, leaf_sums, sparse, partition, .. } = workspace;
        let batch = BatchSums { shards, tree: *tree, leaf_sums, sparse: *sparse, parallel: partition.parallel };
        batch.gradients(&network.stages, packed, gradients, |_| true);
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
    if workspace.is_shared() {
        return shared_update(network, rate, workspace);
    }
    if workspace.sparse {
        network.pack_weights(workspace);
    }
    reserve_leaf_sums(&network.stages, workspace);
    let Workspace {
        shards,
        tree,
        packed,
        leaf_sums,
        sparse,
        partition,
        ..
    } = workspace;
    let (shards, tree, leaf_sums, sparse) = (&shards[..], *tree, &*leaf_sums, *sparse);
    let work = |((layer, stage), packed): ((usize, &mut Stage<T>), &mut Option<PackedWeights<T>>)| {
        if stage.trainable {
            let packed = packed.as_mut().filter(|_| sparse);
            let (route, parameters) = (GradientRoute::of(&*stage.layer), stage.layer.parameters_mut());
            let batch = LayerBatch {
                shards,
                tree,
                layer,
                packed,
                leaf_sums,
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

/// A batch, or a subtree of it, whose gradients are added up.
struct BatchSums<'a, T> {
    /// All shards of the batch.
    shards: &'a [Shard<T>],
    tree: Tree,
    leaf_sums: &'a LeafSums<T>,
    sparse: bool,
    parallel: bool,
}

impl<T: Element> BatchSums<'_, T> {
    /// Computes the gradients of the trainable layers that are `selected`; allocates the others too.
    fn gradients(
        &self,
        stages: &[Stage<T>],
        packed: &mut [Option<PackedWeights<T>>],
        gradients: &mut [Vec<Array2<T>>],
        selected: impl Fn(&Stage<T>) -> bool + Sync,
    ) {
        let work = |(((layer, stage), packed), gradients): GradientWork<'_, T>| {
            if gradients.is_empty() {
                *gradients = stage.zero_gradients();
            }
            if stage.trainable && selected(stage) {
                let batch = LayerBatch {
                    shards: self.shards,
                    tree: self.tree,
                    layer,
                    packed: packed.as_mut().filter(|_| self.sparse),
                    leaf_sums: self.leaf_sums,
                };
                let route = GradientRoute::of(&*stage.layer);
                timing::task(|| batch.gradient(route, T::one(), T::zero(), gradients));
            }
        };
        timing::phase("gradients", self.parallel, || {
            if self.parallel {
                let layers = stages.par_iter().enumerate().zip(packed).zip(gradients);
                pool::enter(|| layers.for_each(work));
            } else {
                stages
                    .iter()
                    .enumerate()
                    .zip(packed)
                    .zip(gradients)
                    .for_each(work);
            }
        });
    }
}

/// As [`compute_gradients`] for a batch that ranks share: computes the sums of this rank's subtrees, and completes them.
fn compute_shared_gradients<T: Element>(
    network: &NeuralNetwork<T>,
    workspace: &mut Workspace<T>,
) -> Result<()> {
    let Workspace {
        shards,
        tree,
        packed,
        gradients,
        leaf_sums,
        sparse,
        partition,
        exchange: Some(exchange),
        ..
    } = workspace
    else {
        return Ok(());
    };
    let (stages, whole) = (&network.stages[..], *tree);
    let batch = |tree| BatchSums {
        shards,
        tree,
        leaf_sums,
        sparse: *sparse,
        parallel: partition.parallel,
    };
    // The gradients of sync points were completed in the backward pass.
    batch(whole).gradients(stages, packed, gradients, Stage::is_sync_point);
    for (index, subtree) in exchange.subtrees(whole).enumerate() {
        if exchange.sums.len() == index {
            exchange.sums.push(stages.iter().map(|_| Vec::new()).collect());
        }
        batch(subtree).gradients(stages, packed, &mut exchange.sums[index], |stage| {
            !stage.is_sync_point()
        });
    }
    for (layer, (stage, gradients)) in stages.iter().zip(gradients).enumerate() {
        if stage.trainable && !stage.is_sync_point() {
            for (tensor, gradient) in gradients.iter_mut().enumerate() {
                exchange.reduce(whole, (layer, tensor), gradient)?;
            }
        }
    }
    Ok(())
}

/// As [`fused_update`] for a batch that ranks share.
fn shared_update<T: Element>(
    network: &mut NeuralNetwork<T>,
    rate: T,
    workspace: &mut Workspace<T>,
) -> Result<()> {
    network.gradients(workspace)?;
    for (stage, gradients) in network.stages.iter_mut().zip(&workspace.gradients) {
        if stage.trainable {
            for (weights, gradient) in stage.layer.parameters_mut().iter_mut().zip(gradients) {
                weights.scaled_add(-rate, gradient);
            }
        }
    }
    network.version = NetworkId::next();
    Ok(())
}

/// A batch at one layer: the shards with its inputs and deltas.
struct LayerBatch<'a, T> {
    /// All shards of the batch.
    shards: &'a [Shard<T>],
    tree: Tree,
    layer: usize,
    /// Packed weights of the first layer, if the samples are mostly zeros.
    packed: Option<&'a mut PackedWeights<T>>,
    leaf_sums: &'a LeafSums<T>,
}

impl<T: Element> LayerBatch<'_, T> {
    /// out <- alpha dJ/dW + beta out, beta being 0 or 1; row 0 of each tensor does not change.
    fn gradient(self, route: GradientRoute, alpha: T, beta: T, out: &mut [Array2<T>]) {
        match (&self.packed, route) {
            (Some(_), _) => self.add_sparse_products(alpha, beta, out[0].view_mut()),
            (None, GradientRoute::Shards) => {
                add_shards(alpha, self.shards, self.tree, self.layer, beta, out);
            }
            (None, GradientRoute::Tiles) => self.add_products(alpha, beta, out[0].view_mut()),
        }
    }

    /// Whether the gradient of this many weights is worth more than one thread.
    fn is_parallel(&self, weights: usize) -> bool {
        2 * weights * self.tree.samples >= PARALLEL_OPERATIONS
    }

    /// W <- alpha Delta A^T + beta W over all shards, in tiles of columns.
    fn add_products(self, alpha: T, beta: T, weights: ArrayViewMut2<'_, T>) {
        let parallel = self.is_parallel(weights.len());
        let mut weights = body_mut(weights);
        // By the whole layer, whose tiles have fewer weights.
        let kernels = Kernels::of(weights.view());
        let tile = tile_columns(weights.dim(), self.tree.samples, kernels.fewest_columns());
        let work = |(index, weights): (usize, ArrayViewMut2<'_, T>)| {
            let columns = index * tile..index * tile + weights.ncols();
            let operands = |leaf| {
                self.shards[self.tree.shards(leaf)].iter().map(|shard| {
                    let (input, delta) = shard.input_and_delta(self.layer);
                    (body(delta), input.slice_move(s![columns.clone(), ..]))
                })
            };
            timing::task(|| match self.tree.leaves() {
                1 => kernels.add_gradient(alpha, operands(0), beta, weights),
                leaves => {
                    let sum = |leaf, sum: ArrayViewMut2<'_, T>| {
                        kernels.add_gradient(T::one(), operands(leaf), T::zero(), sum);
                    };
                    add_leaves(alpha, (leaves, sum), self.leaf_sums, beta, weights);
                }
            });
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

    /// As [`LayerBatch::add_products`] for the first layer, without the zeros of its input.
    fn add_sparse_products(self, alpha: T, beta: T, weights: ArrayViewMut2<'_, T>) {
        let parallel = self.is_parallel(weights.len());
        let weights = body_mut(weights);
        let Some(packed) = self.packed else { return };
        let (shards, tree) = (self.shards, self.tree);
        let leaf = |leaf| {
            shards[tree.shards(leaf)]
                .iter()
                .filter_map(Shard::sparse_input_and_delta)
        };
        let leaves = (tree.leaves(), tree.all_leaves(), leaf);
        let to_weights = beta != T::zero();
        if parallel {
            pool::enter(|| packed.add_outer_products(alpha, to_weights, leaves, weights, true));
        } else {
            packed.add_outer_products(alpha, to_weights, leaves, weights, false);
        }
    }
}

/// Allocates memory for the sums of the leaves of a tile, where they are several.
fn reserve_leaf_sums<T: Element>(stages: &[Stage<T>], workspace: &mut Workspace<T>) {
    let tree = workspace.tree;
    let of_tile = |stage: &Stage<T>| {
        let weights = stage.linear_weights()?;
        let tile = tile_columns(weights.dim(), tree.samples, Kernels::of(weights).fewest_columns());
        let in_tiles = stage.trainable && GradientRoute::of(&*stage.layer) == GradientRoute::Tiles;
        in_tiles.then_some(tree.leaves() * weights.nrows() * tile.min(weights.ncols()))
    };
    if tree.leaves() > 1 {
        let length = stages.iter().filter_map(of_tile).max().unwrap_or(0);
        workspace.leaf_sums.reserve(length);
    }
}

/// out <- alpha sum + beta out, where sum is that of the leaves, each of which `leaf` writes into a matrix in the layout of
/// `out`.
fn add_leaves<T: Element>(
    alpha: T,
    (leaves, leaf): (usize, impl Fn(usize, ArrayViewMut2<'_, T>)),
    memory: &LeafSums<T>,
    beta: T,
    out: ArrayViewMut2<'_, T>,
) {
    // By lines, which are rows or columns, whichever are contiguous.
    let by_rows = out.ncols() < 2 || out.strides()[1] == 1;
    let mut lines = if by_rows { out } else { out.reversed_axes() };
    let (shape, length) = (lines.raw_dim(), lines.len());
    memory.with(leaves * length, |sums| {
        for (index, sum) in sums.chunks_exact_mut(length).enumerate() {
            if let Ok(sum) = ArrayViewMut2::from_shape(shape, sum) {
                leaf(index, if by_rows { sum } else { sum.reversed_axes() });
            }
        }
        simd(
            #[inline(always)]
            || {
                for (mut line, first) in lines.rows_mut().into_iter().zip((0..).step_by(shape[1])) {
                    match line.as_slice_mut() {
                        Some(line) => add_tree_sum(alpha, &sums[first..], (leaves, length), beta, line),
                        None => {
                            for (number, first) in line.iter_mut().zip(first..) {
                                let number = std::slice::from_mut(number);
                                add_tree_sum(alpha, &sums[first..], (leaves, length), beta, number);
                            }
                        }
                    }
                }
            },
        );
    });
}

/// out <- alpha dJ/dW + beta out, where dJ/dW is the sum of the shards' gradients, added along the tree.
pub(super) fn add_shards<T: Element>(
    alpha: T,
    shards: &[Shard<T>],
    tree: Tree,
    layer: usize,
    beta: T,
    out: &mut [Array2<T>],
) {
    for (tensor, out) in out.iter_mut().enumerate() {
        let gradients =
            |range: Range<usize>| shards[range].iter().map(|shard| &shard.gradients[layer][tensor]);
        if tree.leaves() > 1 {
            let leaf = |leaf| gradients(tree.shards(leaf));
            add_leaves_of_shards(alpha, (tree.leaves(), leaf), beta, out);
            continue;
        }
        if beta == T::zero() {
            out.fill(T::zero());
        }
        for gradient in gradients(tree.all_shards()) {
            out.scaled_add(alpha, gradient);
        }
    }
}

/// As [`add_shards`] for one tensor and a tree of several leaves, piece by piece, so that `out` is read and written once.
fn add_leaves_of_shards<'a, T: Element, I: Iterator<Item = &'a Array2<T>>>(
    alpha: T,
    (leaves, leaf): (usize, impl Fn(usize) -> I),
    beta: T,
    out: &mut Array2<T>,
) {
    const PIECE: usize = 256;
    let mut sums = [[T::zero(); PIECE]; MOST_TERMS];
    let alike = (0..leaves).all(|index| leaf(index).all(|gradient| gradient.strides() == out.strides()));
    let Some(numbers) = out.as_slice_memory_order_mut().filter(|_| alike) else {
        return add_leaves_of_elements(alpha, (leaves, leaf), beta, out);
    };
    simd(
        #[inline(always)]
        || {
            for (piece, first) in numbers.chunks_mut(PIECE).zip((0..).step_by(PIECE)) {
                for (index, sum) in sums[..leaves].iter_mut().enumerate() {
                    sum.fill(T::zero());
                    for gradient in leaf(index).filter_map(|gradient| gradient.as_slice_memory_order()) {
                        let gradient = &gradient[first..][..piece.len()];
                        sum.iter_mut()
                            .zip(gradient)
                            .for_each(|(sum, &number)| *sum += number);
                    }
                }
                add_tree_sum(alpha, sums.as_flattened(), (leaves, PIECE), beta, piece);
            }
        },
    );
}

/// As [`add_leaves_of_shards`], element by element, for tensors whose layouts differ; no layer of this crate has such.
fn add_leaves_of_elements<'a, T: Element, I: Iterator<Item = &'a Array2<T>>>(
    alpha: T,
    (leaves, leaf): (usize, impl Fn(usize) -> I),
    beta: T,
    out: &mut Array2<T>,
) {
    let mut sums = [T::zero(); MOST_TERMS];
    for (place, number) in out.indexed_iter_mut() {
        for (index, sum) in sums[..leaves].iter_mut().enumerate() {
            *sum = leaf(index).fold(T::zero(), |sum, gradient| sum + gradient[place]);
        }
        add_tree_sum(alpha, &sums, (leaves, 1), beta, std::slice::from_mut(number));
    }
}
