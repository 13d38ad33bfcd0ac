//! The bytes that the phases of a training step read from memory and write to it, beyond the caches.

use mfnet::internal::timing::{Phase, Step};

use super::arguments::ScalingArguments;

/// The memory that a training step works on, in bytes.
#[derive(Debug)]
pub(super) struct Traffic {
    /// The samples of a batch, which are not in a cache since the last epoch.
    samples: f64,
    /// The weights; 0 if all that a step works on stays in the caches.
    weights: f64,
    /// The first layer's weights, or 0.
    first_weights: f64,
    /// The values of all layers for a batch, or 0; its deltas take as much again.
    values: f64,
    /// Whether a phase loads the samples, without their zeros, before the others.
    loads: bool,
    /// The number of tasks in which the optimizer updates the weights.
    updates: usize,
}

impl Traffic {
    /// The traffic of these steps with numbers of `size` bytes and with caches of `cache` bytes.
    pub(super) fn new(arguments: &ScalingArguments, steps: &[Step], size: usize, cache: f64) -> Self {
        /// An index and a value for each input that is not 0.
        const INDEX: usize = 2;
        let phases = || {
            steps.iter().filter_map(|step| match step {
                Step::Phase(phase) => Some(phase),
                Step::Serial(_) => None,
            })
        };
        let (batch, size) = (arguments.batch_size as f64, size as f64);
        let weights_of = |(inputs, outputs): (usize, usize)| (inputs as f64 + 1.0) * outputs as f64 * size;
        let weights: f64 = arguments.network.layers().map(weights_of).sum();
        let outputs: f64 = arguments
            .network
            .layers()
            .map(|(_, outputs)| outputs as f64)
            .sum();
        let values = batch * outputs * size;
        let loads = phases().any(|phase| phase.name == "load");
        let updates = phases().filter(|phase| phase.name == "update");
        let updates = updates.map(|phase| phase.tasks.len()).sum();
        // The weights, their second layout, and what an optimizer with a state keeps; values and deltas.
        let tensors = if updates > 0 { 5.0 } else { 2.0 };
        let beyond = if tensors * weights + 2.0 * values > cache {
            1.0
        } else {
            0.0
        };
        let per_sample = arguments.network.features() as f64
            * if loads {
                arguments.density() * (size + INDEX as f64)
            } else {
                size
            };
        let first = arguments.network.layers().next();
        Traffic {
            samples: batch * per_sample,
            weights: beyond * weights,
            first_weights: beyond * first.map_or(0.0, weights_of),
            values: beyond * values,
            loads,
            updates,
        }
    }

    /// The bytes of a phase; 0 for one within another, whose bytes count there.
    pub(super) fn bytes(&self, phase: &Phase) -> f64 {
        match phase.name {
            "load" => self.samples,
            "transpose" => 2.0 * self.weights,
            "pack" => 2.0 * self.first_weights,
            "first layer" => self.first_weights + self.values,
            "forward and backward" => {
                let samples = if self.loads { 0.0 } else { self.samples };
                samples + 2.0 * self.weights + 2.0 * self.values
            }
            "gradients" => 2.0 * self.weights + 2.0 * self.values,
            // Weights and two state tensors are read and written, gradients read.
            "update" => 7.0 * self.weights * phase.tasks.len() as f64 / self.updates.max(1) as f64,
            _ => 0.0,
        }
    }
}
