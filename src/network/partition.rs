//! The partition of a step's work: a batch into shards of samples, gradients into tiles. It depends on shapes alone, so
//! that no result depends on the number of threads.

use rayon::prelude::*;

use super::shard::Shard;
use super::tree::Tree;
use crate::element::Element;
use crate::layer::{Layer, LayerKind, Mode};
use crate::pool;
use crate::product;
use crate::timing;

/// The number of floating-point operations below which one thread is faster than several.
pub(super) const PARALLEL_OPERATIONS: usize = 1 << 20;

/// The largest number of shards of a batch and of tiles of a gradient: enough for as many threads.
const MOST_SHARDS: usize = 32;

/// The number of samples from which on half a batch is a shard of its own, however large the weights are: their products
/// with 32 samples take as long as reading them from memory.
const FEWEST_OF_A_HALF: usize = 32;

/// The way to the gradient of a layer from the shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GradientRoute {
    /// Each shard computes a gradient of its own while it is in cache, and these are added up: for layers with few
    /// parameters.
    Shards,
    /// Tiles of the weights' columns are computed in parallel, each over all shards: for layers with many weights.
    Tiles,
}

impl GradientRoute {
    pub(super) fn of<T: Element>(layer: &dyn Layer<T>) -> Self {
        match layer.kind() {
            LayerKind::Linear if !product::is_narrow(layer.inputs(), layer.outputs()) => GradientRoute::Tiles,
            _ => GradientRoute::Shards,
        }
    }
}

/// The number of columns of a tile of a gradient, which is the sum of the products of `samples` samples; a multiple of
/// `fewest` columns.
///
/// Tiles are of equal size, and so many that they can be shared among [`MOST_SHARDS`] threads if each is worth a task.
pub(super) fn tile_columns((rows, columns): (usize, usize), samples: usize, fewest: usize) -> usize {
    let operations = rows.saturating_mul(samples).saturating_mul(2 * columns);
    let tiles = (operations / PARALLEL_OPERATIONS).clamp(1, MOST_SHARDS);
    columns.div_ceil(tiles).next_multiple_of(fewest)
}

/// The number of floating-point operations of a layer's forward pass for one sample: a multiplication and an addition
/// for each weight and each place where it is used. A convolution uses its weights in every place of the image.
pub(super) fn operations<T: Element>(layer: &dyn Layer<T>) -> usize {
    let of_tensor = |tensor: &ndarray::Array2<T>| {
        let places = layer.outputs() / tensor.nrows().saturating_sub(1).max(1);
        tensor.len().saturating_mul(2 * places.max(1))
    };
    match layer.parameters() {
        [] => layer.outputs(),
        tensors => tensors.iter().map(of_tensor).sum(),
    }
}

/// The partition of batches of at most `capacity` samples into shards.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partition {
    /// The number of samples of a full shard.
    pub(super) shard_size: usize,
    /// The largest number of samples of a batch.
    pub(super) capacity: usize,
    /// Whether there is enough work for more than one thread.
    pub(super) parallel: bool,
}

impl Partition {
    /// The partition of batches of up to `capacity` samples, each of which takes `operations` floating-point
    /// operations; with shards of `shard_size` samples, or of a size chosen here.
    ///
    /// The chosen size gives up to [`MOST_SHARDS`] shards of equal size, a power of two so that they can be shared evenly
    /// among threads: the power that is nearest to the number at which each has `fewest_samples` samples and is large
    /// enough to be worth a task. A batch of fewer than twice `fewest_samples` samples is halved all the same as long as a
    /// half has [`FEWEST_OF_A_HALF`]: reading large weights twice costs less than leaving a thread idle.
    pub(super) fn new(
        operations: usize,
        fewest_samples: usize,
        capacity: usize,
        shard_size: Option<usize>,
    ) -> Self {
        let worth_a_task = PARALLEL_OPERATIONS / operations.max(1);
        let fewest_samples = fewest_samples.min((capacity / 2).max(FEWEST_OF_A_HALF));
        let most = (capacity / worth_a_task.max(fewest_samples)).clamp(1, MOST_SHARDS);
        // 2^n and the powers next to it are equally near at 2^(n + 1/2), whose square is a power too.
        let nearest = (most * most * 2).ilog2() / 2;
        let chosen = || capacity.div_ceil(1 << nearest);
        let shard_size = shard_size.unwrap_or_else(chosen).min(capacity).max(1);
        Partition {
            shard_size,
            capacity,
            parallel: capacity > shard_size && operations.saturating_mul(capacity) > PARALLEL_OPERATIONS,
        }
    }

    /// The number of shards of a batch of `samples` samples.
    pub(super) fn shards(self, samples: usize) -> usize {
        samples.div_ceil(self.shard_size)
    }

    /// The tree along which the gradients of a batch of `samples` samples are added up.
    pub(super) fn tree(self, samples: usize) -> Tree {
        Tree::of_batch(samples, self.shards(samples))
    }

    /// Runs `work` for each shard of a batch with the indices of its samples, on several threads if that pays. `name` is the
    /// phase's name in measurements.
    pub(super) fn for_each_shard<T: Element>(
        self,
        name: &'static str,
        shards: &mut [Shard<T>],
        indices: &[usize],
        mode: Mode,
        work: impl Fn(&mut Shard<T>, &[usize]) + Sync,
    ) {
        let size = self.shard_size;
        let work = |(number, (shard, indices)): (usize, (&mut Shard<T>, &[usize]))| {
            shard.start(indices.len(), mode.advanced(number * size));
            timing::task(|| work(shard, indices));
        };
        timing::phase(name, self.parallel, || {
            if self.parallel {
                let shards = shards.par_iter_mut().zip(indices.par_chunks(size));
                pool::enter(|| shards.enumerate().for_each(work));
            } else {
                let shards = shards.iter_mut().zip(indices.chunks(size));
                shards.enumerate().for_each(work);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_with_large_weights_is_halved_down_to_32_samples() {
        let size = |samples| Partition::new(4_000_000, 144, samples, None).shard_size;
        assert_eq!([32, 63, 64, 128, 256].map(size), [32, 63, 32, 64, 128]);
        assert_eq!(
            [1024, 10_000].map(size),
            [128, 313],
            "a power of two, near 144 samples or 32 shards"
        );
    }
}
