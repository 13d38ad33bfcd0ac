//! The gradients of a step, and the identity of the network they are of.

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::Array2;

/// The identity of a network: no two networks of a process have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkId(u64);

impl NetworkId {
    /// An identity that no other network has.
    pub(crate) fn next() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        NetworkId(COUNT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The gradients of all weight tensors of a network, computed for one step.
#[derive(Debug)]
pub struct Gradients<'a, T> {
    network: NetworkId,
    layers: &'a [Vec<Array2<T>>],
}

impl<'a, T> Gradients<'a, T> {
    /// For each layer of a network the gradients of its weight tensors.
    pub(crate) fn new(network: NetworkId, layers: &'a [Vec<Array2<T>>]) -> Self {
        Gradients { network, layers }
    }

    /// The network that the gradients are of.
    pub fn network(&self) -> NetworkId {
        self.network
    }

    /// The gradients, from the first layer's to the last's: shaped as the weights, row 0 being 0.
    pub fn iter(&self) -> impl Iterator<Item = &'a Array2<T>> + use<'a, T> {
        self.layers.iter().flatten()
    }
}
