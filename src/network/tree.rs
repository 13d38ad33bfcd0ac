//! The binary tree along which the gradients of a batch's shards are added up. It depends on the batch alone, so that
//! neither threads nor processes, which may share its leaves, change a sum.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::kernel::MOST_TERMS;

/// The fewest samples of a leaf of a batch with several: storing a leaf's sum and loading it again takes about 1 % of the time
/// in which the products of so many samples are added up.
const FEWEST_SAMPLES: usize = 256;

/// A batch's shards as the leaves of a perfect binary tree, or of one of its subtrees: a leaf is a few neighbouring shards.
///
/// The gradients of a leaf are added up in the order of its samples, and the sums of leaves along the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tree {
    /// The number of samples of the batch.
    pub(super) samples: usize,
    /// The number of shards of the batch.
    shards: usize,
    /// The number of leaves of the whole tree, a power of two.
    all_leaves: usize,
    /// The first leaf of the subtree.
    first: usize,
    /// The number of leaves of the subtree, a power of two.
    leaves: usize,
}

impl Tree {
    /// The tree of a batch that is cut into `shards`: the largest one of up to [`MOST_TERMS`] leaves with
    /// [`FEWEST_SAMPLES`] each.
    pub(super) fn of_batch(samples: usize, shards: usize) -> Self {
        let most = (samples / FEWEST_SAMPLES).min(shards).clamp(1, MOST_TERMS);
        let leaves = 1 << most.ilog2();
        Tree {
            samples,
            shards,
            all_leaves: leaves,
            first: 0,
            leaves,
        }
    }

    /// The number of leaves of the subtree.
    pub(super) fn leaves(self) -> usize {
        self.leaves
    }

    /// The number of leaves of the whole tree.
    pub(super) fn all_leaves(self) -> usize {
        self.all_leaves
    }

    /// The shards of a leaf, counted from the first leaf of the subtree, as indices into those of the batch.
    pub(super) fn shards(self, leaf: usize) -> Range<usize> {
        self.shards_of(leaf..leaf + 1)
    }

    /// The shards of a range of leaves, as indices into those of the batch.
    pub(super) fn shards_of(self, leaves: Range<usize>) -> Range<usize> {
        let start = |leaf: usize| (self.first + leaf) * self.shards / self.all_leaves;
        start(leaves.start)..start(leaves.end)
    }

    /// The shards of the subtree, as indices into those of the batch.
    pub(super) fn all_shards(self) -> Range<usize> {
        self.shards_of(0..self.leaves)
    }

    /// The largest subtrees of the whole tree that make up a range of leaves, in order.
    pub(super) fn subtrees(self, leaves: Range<usize>) -> impl Iterator<Item = Tree> {
        let mut first = leaves.start;
        std::iter::from_fn(move || {
            let rest = leaves.end.checked_sub(first).filter(|&rest| rest > 0)?;
            // A subtree begins at a multiple of its number of leaves.
            let most = if first == 0 {
                self.all_leaves
            } else {
                1 << first.trailing_zeros()
            };
            let count = most.min(1 << rest.ilog2());
            first += count;
            Some(Tree {
                first: first - count,
                leaves: count,
                ..self
            })
        })
    }
}

/// Memory for the sums of leaves: one list for each thread at work, kept from step to step.
#[derive(Debug)]
pub(super) struct LeafSums<T> {
    unused: Mutex<Vec<Vec<T>>>,
}

impl<T: Copy + Default> LeafSums<T> {
    pub(super) fn new() -> Self {
        LeafSums {
            unused: Mutex::new(Vec::new()),
        }
    }

    /// Allocates lists of `length` numbers, as many as there are threads; nothing if they are there.
    pub(super) fn reserve(&mut self, length: usize) {
        let lists = self.unused.get_mut().unwrap_or_else(PoisonError::into_inner);
        if length > 0 {
            lists.resize(lists.len().max(rayon::current_num_threads()), Vec::new());
        }
        for list in lists.iter_mut().filter(|list| list.len() < length) {
            list.resize(length, T::default());
        }
    }

    /// Runs work with `length` numbers, which may hold anything.
    pub(super) fn with<R>(&self, length: usize, work: impl FnOnce(&mut [T]) -> R) -> R {
        let lists = || self.unused.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list = lists().pop().unwrap_or_default();
        if list.len() < length {
            list.resize(length, T::default());
        }
        let result = work(&mut list[..length]);
        lists().push(list);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_batches_have_one_leaf() {
        let leaves = |samples, shards| Tree::of_batch(samples, shards).leaves();
        assert_eq!([1, 128, 511].map(|samples| leaves(samples, 32)), [1; 3]);
        assert_eq!(
            [512, 1023, 1024, 2047].map(|samples| leaves(samples, 32)),
            [2, 2, 4, 4]
        );
        assert_eq!([2048, 10_000].map(|samples| leaves(samples, 32)), [8, 8]);
        assert_eq!([1, 2, 3, 7].map(|shards| leaves(10_000, shards)), [1, 2, 2, 4]);
    }

    #[test]
    fn leaves_are_all_shards_in_order() {
        for shards in 1..40 {
            let tree = Tree::of_batch(1 << 20, shards);
            let leaves: Vec<usize> = (0..tree.leaves()).flat_map(|leaf| tree.shards(leaf)).collect();
            assert!(leaves.into_iter().eq(0..shards), "{shards} shards");
            assert!((0..tree.leaves()).all(|leaf| !tree.shards(leaf).is_empty()));
            assert_eq!(tree.all_shards(), 0..shards);
        }
    }

    #[test]
    fn a_range_of_leaves_is_made_up_of_the_largest_subtrees() {
        let tree = Tree::of_batch(1 << 20, 24);
        let subtrees = |leaves| {
            let subtrees = tree
                .subtrees(leaves)
                .map(|subtree| (subtree.first, subtree.leaves));
            subtrees.collect::<Vec<_>>()
        };
        assert_eq!(subtrees(0..8), [(0, 8)]);
        assert_eq!(subtrees(2..5), [(2, 2), (4, 1)]);
        assert_eq!(subtrees(1..8), [(1, 1), (2, 2), (4, 4)]);
        assert_eq!(subtrees(5..8), [(5, 1), (6, 2)]);
        assert_eq!(subtrees(3..3), []);
        let part = tree.subtrees(5..8).nth(1).unwrap();
        assert_eq!(
            (part.shards(0), part.shards(1), part.all_shards()),
            (18..21, 21..24, 18..24)
        );
    }

    #[test]
    fn lists_are_used_again() {
        let mut sums = LeafSums::<f32>::new();
        sums.reserve(0);
        assert!(sums.unused.get_mut().unwrap().is_empty());
        sums.reserve(5);
        let place = sums.with(5, |list| list.as_ptr());
        assert_eq!(sums.with(3, |list| (list.as_ptr(), list.len())), (place, 3));
        assert!(sums.unused.get_mut().unwrap().iter().all(|list| list.len() == 5));
    }
}
