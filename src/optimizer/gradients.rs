//! The gradients of a step, and the identity of their network.

use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::Array2;

/// The identity of a network, unique in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkId(u64);

impl NetworkId {
    /// Returns an identity that no other network has.
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
    /// Wraps the gradients of the weight tensors of each layer.
    pub(crate) fn new(network: NetworkId, layers: &'a [Vec<Array2<T>>]) -> Self {
        Gradients { network, layers }
    }

    /// The identity of the network.
    pub fn network(&self) -> NetworkId {
        self.network
    }

    /// Iterates over the gradients from the first layer to the last: they have the shapes of the weights, and row 0 is 0.
    pub fn iter(&self) -> impl Iterator<Item = &'a Array2<T>> + use<'a, T> {
        self.layers.iter().flatten()
    }
}
