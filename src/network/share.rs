//! The share of a rank in a batch, and the exchange of its results with the other ranks.

use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;

use super::shard::Shard;
use super::tree::Tree;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernel::MOST_TERMS;
use crate::ranks::{Communicator, exchange};

/// The exchange of one rank with the others.
#[derive(Debug)]
pub(super) struct Exchange<T> {
    communicator: Arc<dyn Communicator>,
    /// The words of this rank's shards, and of all ranks', for [`Communicator::gather`].
    own_words: Vec<u64>,
    all_words: Vec<u64>,
    /// For each subtree of this rank and each layer, the sums of gradients.
    pub(super) sums: Vec<Vec<Vec<Array2<T>>>>,
    /// The slice of a gradient that this rank adds up, for all subtrees of all ranks.
    slices: Vec<T>,
}

impl<T: Element> Exchange<T> {
    pub(super) fn new(communicator: Arc<dyn Communicator>) -> Self {
        Exchange {
            communicator,
            own_words: Vec::new(),
            all_words: Vec::new(),
            sums: Vec::new(),
            slices: Vec::new(),
        }
    }

    /// Whether the ranks share a batch; otherwise each computes all of it, which takes no longer than a leaf.
    pub(super) fn shares(&self, tree: Tree) -> bool {
        self.communicator.size() > 1 && tree.leaves() > 1
    }

    /// The shards of a batch that this rank computes.
    pub(super) fn shards(&self, tree: Tree) -> Range<usize> {
        tree.shards_of(leaves(tree, self.communicator.rank(), self.communicator.size()))
    }

    /// The subtrees whose sums this rank computes.
    pub(super) fn subtrees(&self, tree: Tree) -> impl Iterator<Item = Tree> + use<T> {
        tree.subtrees(leaves(tree, self.communicator.rank(), self.communicator.size()))
    }

    /// Completes the losses of all shards of a batch.
    pub(super) fn gather_losses(&mut self, tree: Tree, shards: &mut [Shard<T>]) -> Result<()> {
        self.gather(
            tree,
            shards,
            1,
            |shard, words| words[0] = shard.loss.to_bits(),
            |shard, words| shard.loss = f64::from_bits(words[0]),
        )
    }

    /// Completes the statistics of all shards of a batch, for the sync point `index`.
    pub(super) fn gather_statistics(
        &mut self,
        tree: Tree,
        shards: &mut [Shard<T>],
        index: usize,
    ) -> Result<()> {
        let words = shards[0].statistics[index].words();
        self.gather(
            tree,
            shards,
            words,
            |shard, words| shard.statistics[index].write(words),
            |shard, words| shard.statistics[index].read(words),
        )
    }

    /// Completes the gradients of all shards of a batch, for layer `layer` with few parameters.
    pub(super) fn gather_gradients(
        &mut self,
        tree: Tree,
        shards: &mut [Shard<T>],
        layer: usize,
    ) -> Result<()> {
        let words = shards[0].gradients[layer].iter().map(Array2::len).sum();
        self.gather(
            tree,
            shards,
            words,
            |shard, words| {
                let numbers = shard.gradients[layer].iter().flatten();
                words
                    .iter_mut()
                    .zip(numbers)
                    .for_each(|(word, number)| *word = number.as_f64().to_bits());
            },
            |shard, words| {
                let numbers = shard.gradients[layer].iter_mut().flatten();
                numbers
                    .zip(words)
                    .for_each(|(number, &word)| *number = T::from_f64(f64::from_bits(word)));
            },
        )
    }

    /// Has each rank `write` some words for each of its shards, and `read` those of the others' shards.
    fn gather(
        &mut self,
        tree: Tree,
        shards: &mut [Shard<T>],
        words: usize,
        write: impl Fn(&Shard<T>, &mut [u64]),
        read: impl Fn(&mut Shard<T>, &[u64]),
    ) -> Result<()> {
        let (rank, size) = (self.communicator.rank(), self.communicator.size());
        let shards_of = |rank| tree.shards_of(leaves(tree, rank, size));
        let most = (0..size).map(|rank| shards_of(rank).len()).max().unwrap_or(0);
        let length = most * words;
        self.own_words.resize(length, 0);
        self.all_words.resize(size * length, 0);
        if length == 0 {
            return Ok(());
        }
        let own = &shards[shards_of(rank)];
        own.iter()
            .zip(self.own_words.chunks_exact_mut(words))
            .for_each(|(shard, words)| write(shard, words));
        self.communicator.gather(&self.own_words, &mut self.all_words)?;
        for other in (0..size).filter(|&other| other != rank) {
            let numbers = self.all_words[other * length..].chunks_exact(words);
            let shards = shards[shards_of(other)].iter_mut();
            shards.zip(numbers).for_each(|(shard, words)| read(shard, words));
        }
        Ok(())
    }

    /// out <- the sum of a tensor of [`Exchange::sums`] over the subtrees of all ranks, along the tree.
    ///
    /// Each rank adds up a slice of the tensor, which the others send it, and sends them the sum.
    pub(super) fn reduce(
        &mut self,
        tree: Tree,
        (layer, tensor): (usize, usize),
        out: &mut Array2<T>,
    ) -> Result<()> {
        let Exchange {
            communicator,
            sums,
            slices,
            ..
        } = self;
        let (rank, size) = (communicator.rank(), communicator.size());
        let Some(out) = out.as_slice_memory_order_mut() else {
            return Err(Error::data(
                "ranks",
                "a gradient whose memory has gaps cannot be exchanged",
            ));
        };
        let numbers = out.len();
        let slice = |rank: usize| rank * numbers / size..(rank + 1) * numbers / size;
        let subtrees = |rank| tree.subtrees(leaves(tree, rank, size));
        // Lists of a slice, one for each subtree, lie side by side in the order of the tree.
        let count = |rank| subtrees(rank).count();
        let first = |rank| (0..rank).map(count).sum::<usize>();
        let (length, lists) = (slice(rank).len(), first(size));
        slices.resize(slices.len().max(lists * length), T::zero());
        let list = |index: usize| index * length..(index + 1) * length;
        let part_of_sum = |index: usize, part: Range<usize>| -> &[T] {
            let sum = sums[..count(rank)].get(index).map(|sums| &sums[layer][tensor]);
            let sum = sum.and_then(|sum| sum.as_slice_memory_order());
            sum.and_then(|sum| sum.get(part)).unwrap_or_default()
        };
        for index in 0..count(rank) {
            slices[list(first(rank) + index)].copy_from_slice(part_of_sum(index, slice(rank)));
        }
        let peers = |distance: usize| ((rank + distance) % size, (rank + size - distance) % size);
        let most = (0..size).map(count).max().unwrap_or(0);
        for (to, from) in (1..size).map(peers) {
            // Each rank sends as many times; one of fewer subtrees sends nothing at last.
            for index in 0..most {
                let incoming = match index < count(from) {
                    true => &mut slices[list(first(from) + index)],
                    false => &mut [],
                };
                exchange(
                    &**communicator,
                    (to, part_of_sum(index, slice(to))),
                    (from, incoming),
                )?;
            }
        }
        add_subtrees(
            slices,
            length,
            (0..size).flat_map(|rank| subtrees(rank).map(Tree::leaves)),
        );
        let sum = &slices[..length];
        out[slice(rank)].copy_from_slice(sum);
        for (to, from) in (1..size).map(peers) {
            exchange(&**communicator, (to, sum), (from, &mut out[slice(from)]))?;
        }
        Ok(())
    }
}

/// The leaves of a batch that a rank computes.
fn leaves(tree: Tree, rank: usize, size: usize) -> Range<usize> {
    let start = |rank: usize| rank * tree.leaves() / size;
    start(rank)..start(rank + 1)
}

/// Adds up lists of `length` numbers, the sums of neighbouring subtrees with these numbers of leaves, along their tree; the
/// result is the first list.
fn add_subtrees<T: Element>(lists: &mut [T], length: usize, leaves: impl Iterator<Item = usize>) {
    // The subtrees that are not added to one before them yet: the index of the list and the number of leaves.
    let mut open = [(0, 0); MOST_TERMS + 1];
    let mut count = 0;
    for (index, leaves) in leaves.enumerate() {
        open[count] = (index, leaves);
        count += 1;
        while count > 1 && open[count - 2].1 == open[count - 1].1 {
            let ((left, leaves), (right, _)) = (open[count - 2], open[count - 1]);
            let (head, tail) = lists.split_at_mut(right * length);
            let pairs = head[left * length..][..length].iter_mut().zip(&tail[..length]);
            pairs.for_each(|(sum, &number)| *sum += number);
            count -= 1;
            open[count - 1] = (left, 2 * leaves);
        }
    }
}
