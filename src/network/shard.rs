//! A shard: the samples of a batch that one task works on, with their values, deltas, loss and gradients. Allocated once.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, ShapeBuilder};

use super::partition::GradientRoute;
use super::{Stage, first_trainable};
use crate::augment::{augmented, body, body_mut};
use crate::data::{Dataset, ShardTargets, SparseRows, gather_inputs, gather_values};
use crate::element::Element;
use crate::layer::{BatchStatistics, Context, Mode};
use crate::product::SparseColumns;

/// The samples that one task works on: an augmented matrix for the input and one for the output of each layer.
#[derive(Debug)]
pub(super) struct Shard<T> {
    /// `values[0]` is the input, `values[l + 1]` the output of layer l and its activation.
    values: Vec<Array2<T>>,
    /// `deltas[l]` is dJ/d output of layer l, row 0 being 0; empty for predictions.
    deltas: Vec<Array2<T>>,
    /// `activation_inputs[l]` is the output of layer l before its activation, if the backward pass needs it.
    activation_inputs: Vec<Option<Array2<T>>>,
    /// The number of samples in use; the last shard of a batch may have fewer than its capacity.
    samples: usize,
    mode: Mode,
    /// The input without its zeros, if the samples are mostly zeros; `values[0]` is then not used.
    sparse_input: Option<SparseColumns<T>>,
    scratch: Vec<T>,
    targets: ShardTargets<T>,
    /// The sum of the samples' losses.
    pub(super) loss: f64,
    /// The number of samples whose largest output is that of their class.
    pub(super) correct: usize,
    /// For each layer of the route [`GradientRoute::Shards`], the gradient of this shard; empty for the others.
    pub(super) gradients: Vec<Vec<Array2<T>>>,
    /// For each sync point, the statistics of this shard.
    pub(super) statistics: Vec<BatchStatistics<T>>,
}

/// The source of a network's input samples.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a, T> {
    /// The rows of a design matrix.
    Rows(ArrayView2<'a, T>),
    /// The samples of a data set.
    Dataset(&'a Dataset<T>),
    /// Samples without their zeros.
    Sparse(&'a SparseRows<T>),
}

impl<T: Element> Shard<T> {
    /// Allocates a shard of `capacity` samples for these stages, with deltas and gradients if it `trains`.
    pub(super) fn new(stages: &[Stage<T>], capacity: usize, trains: bool) -> Self {
        let widths = stages.iter().map(|stage| stage.layer.outputs());
        let outputs = stages[stages.len() - 1].layer.outputs();
        let inputs = stages[0].layer.inputs();
        let (mut deltas, mut gradients, mut statistics) = (Vec::new(), Vec::new(), Vec::new());
        let first_trainable = first_trainable(stages);
        let activation_inputs = stages.iter().enumerate().map(|(layer, stage)| {
            let keeps = trains && layer >= first_trainable && stage.needs_activation_input();
            keeps.then(|| augmented(stage.layer.outputs(), capacity))
        });
        for stage in stages.iter().filter(|_| trains) {
            deltas.push(Array2::zeros((stage.layer.outputs() + 1, capacity).f()));
            gradients.push(match GradientRoute::of(&*stage.layer) {
                GradientRoute::Shards => stage.zero_gradients(),
                GradientRoute::Tiles => Vec::new(),
            });
            if stage.is_sync_point() {
                statistics.push(BatchStatistics::new(stage.layer.inputs()));
            }
        }
        Shard {
            values: std::iter::once(inputs)
                .chain(widths)
                .map(|width| augmented(width, capacity))
                .collect(),
            deltas,
            activation_inputs: activation_inputs.collect(),
            samples: capacity,
            mode: Mode::Eval,
            sparse_input: None,
            scratch: Vec::new(),
            targets: ShardTargets::new(outputs, capacity),
            loss: 0.0,
            correct: 0,
            gradients,
            statistics,
        }
    }

    /// Sets the number of samples in use and the mode.
    pub(super) fn start(&mut self, samples: usize, mode: Mode) {
        debug_assert!(samples <= self.values[0].ncols());
        self.samples = samples;
        self.mode = mode;
    }

    /// Copies samples into the input; without their zeros if `sparse`, for packed weights of the first layer.
    pub(super) fn load(&mut self, source: Source<'_, T>, indices: &[usize], sparse: bool) {
        let rows = self.values[1].nrows() - 1;
        let input = &mut self.values[0];
        if sparse {
            let (features, capacity) = (input.nrows() - 1, input.ncols());
            let columns = self
                .sparse_input
                .get_or_insert_with(|| SparseColumns::new(rows, features, capacity));
            columns.clear();
            match source {
                Source::Dataset(dataset) => return dataset.gather_sparse(indices, columns),
                Source::Sparse(rows) => return rows.gather(indices, columns),
                Source::Rows(_) => {}
            }
        }
        match source {
            Source::Sparse(rows) => {
                rows.gather_values(indices, body_mut(first_columns_mut(input, self.samples)));
            }
            Source::Dataset(dataset) => {
                gather_inputs(
                    dataset.inputs(),
                    indices,
                    body_mut(first_columns_mut(input, self.samples)),
                );
            }
            Source::Rows(rows) => {
                gather_values(rows, indices, body_mut(first_columns_mut(input, self.samples)))
            }
        }
    }

    /// The input, output and context of layer `layer` in the forward pass.
    pub(super) fn forward_operands<'a>(
        &'a mut self,
        layer: usize,
        statistics: Option<&'a BatchStatistics<T>>,
    ) -> (ArrayView2<'a, T>, ArrayViewMut2<'a, T>, Context<'a, T>) {
        let (before, after) = self.values.split_at_mut(layer + 1);
        (
            first_columns(&before[layer], self.samples),
            first_columns_mut(&mut after[0], self.samples),
            context(self.mode, &mut self.scratch, statistics),
        )
    }

    /// Keeps a copy of the output of layer `layer` for the backward pass of its activation, if that needs it.
    pub(super) fn keep_activation_input(&mut self, layer: usize) {
        if let (Some(kept), Mode::Train { .. }) = (&mut self.activation_inputs[layer], self.mode) {
            let output = first_columns(&self.values[layer + 1], self.samples);
            first_columns_mut(kept, self.samples).assign(&output);
        }
    }

    /// The input and output of the first layer in the forward pass; `None` unless the samples are mostly zeros.
    pub(super) fn sparse_operands(&mut self) -> Option<(&SparseColumns<T>, ArrayViewMut2<'_, T>)> {
        let output = first_columns_mut(&mut self.values[1], self.samples);
        Some((self.sparse_input.as_ref()?, output))
    }

    /// The network's output.
    ///
    /// # Shapes
    ///
    /// outputs x samples
    pub(super) fn output(&self) -> ArrayView2<'_, T> {
        body(first_columns(&self.values[self.values.len() - 1], self.samples))
    }

    /// The network's output, the gradient of the loss with respect to it, and the targets.
    pub(super) fn loss_operands(
        &mut self,
    ) -> (ArrayView2<'_, T>, ArrayViewMut2<'_, T>, &mut ShardTargets<T>) {
        let layers = self.deltas.len();
        (
            body(first_columns(&self.values[layers], self.samples)),
            body_mut(first_columns_mut(&mut self.deltas[layers - 1], self.samples)),
            &mut self.targets,
        )
    }

    /// The network's output, and the targets.
    pub(super) fn evaluation_operands(&mut self) -> (ArrayView2<'_, T>, &mut ShardTargets<T>) {
        let output = first_columns(&self.values[self.values.len() - 1], self.samples);
        (body(output), &mut self.targets)
    }

    /// The values of layer `layer` and its delta, for the activation: values behind it, or before it if it needs these.
    pub(super) fn activation_operands(&mut self, layer: usize) -> (ArrayView2<'_, T>, ArrayViewMut2<'_, T>) {
        let kept = self.activation_inputs[layer].as_ref();
        let values = kept.unwrap_or(&self.values[layer + 1]);
        (
            body(first_columns(values, self.samples)),
            body_mut(first_columns_mut(&mut self.deltas[layer], self.samples)),
        )
    }

    /// The operands of layer `layer` for its gradient.
    pub(super) fn gradient_operands<'a>(
        &'a mut self,
        layer: usize,
        statistics: Option<&'a BatchStatistics<T>>,
    ) -> GradientOperands<'a, T> {
        (
            first_columns(&self.values[layer], self.samples),
            first_columns(&self.deltas[layer], self.samples),
            &mut self.gradients[layer],
            context(self.mode, &mut self.scratch, statistics),
        )
    }

    /// The operands of layer `layer` in the backward pass; not of the first layer, since the delta of its input is not
    /// needed.
    pub(super) fn backward_operands<'a>(
        &'a mut self,
        layer: usize,
        statistics: Option<&'a BatchStatistics<T>>,
    ) -> BackwardOperands<'a, T> {
        let (before, after) = self.deltas.split_at_mut(layer);
        (
            first_columns(&self.values[layer], self.samples),
            first_columns(&after[0], self.samples),
            first_columns_mut(&mut before[layer - 1], self.samples),
            context(self.mode, &mut self.scratch, statistics),
        )
    }

    /// Computes the statistics of the input of layer `layer`, for the sync point `index`.
    pub(super) fn measure(&mut self, index: usize, layer: usize) {
        self.statistics[index].measure(first_columns(&self.values[layer], self.samples));
    }

    /// The input and delta of layer `layer`.
    pub(super) fn input_and_delta(&self, layer: usize) -> (ArrayView2<'_, T>, ArrayView2<'_, T>) {
        (
            first_columns(&self.values[layer], self.samples),
            first_columns(&self.deltas[layer], self.samples),
        )
    }

    /// The input and delta of the first layer; `None` unless the samples are mostly zeros.
    pub(super) fn sparse_input_and_delta(&self) -> Option<(&SparseColumns<T>, ArrayView2<'_, T>)> {
        let delta = first_columns(&self.deltas[0], self.samples);
        Some((self.sparse_input.as_ref()?, body(delta)))
    }

    /// The number of samples in use.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }
}

/// Input, delta, gradients and context.
type GradientOperands<'a, T> = (
    ArrayView2<'a, T>,
    ArrayView2<'a, T>,
    &'a mut [Array2<T>],
    Context<'a, T>,
);

/// Input, delta, delta of the input and context.
type BackwardOperands<'a, T> = (
    ArrayView2<'a, T>,
    ArrayView2<'a, T>,
    ArrayViewMut2<'a, T>,
    Context<'a, T>,
);

fn context<'a, T: Element>(
    mode: Mode,
    scratch: &'a mut Vec<T>,
    statistics: Option<&'a BatchStatistics<T>>,
) -> Context<'a, T> {
    let context = Context::new(mode, scratch);
    match statistics {
        Some(statistics) => context.with_statistics(statistics),
        None => context,
    }
}

fn first_columns<T>(matrix: &Array2<T>, samples: usize) -> ArrayView2<'_, T> {
    matrix.view().split_at(Axis(1), samples).0
}

fn first_columns_mut<T>(matrix: &mut Array2<T>, samples: usize) -> ArrayViewMut2<'_, T> {
    matrix.view_mut().split_at(Axis(1), samples).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NeuralNetwork;

    #[test]
    fn arguments_of_activations_are_kept_only_where_the_backward_pass_needs_them() {
        let builder = NeuralNetwork::<f32>::builder(2).linear(3).gelu().linear(4).relu();
        let mut network = builder.linear(5).silu().linear(1).build().unwrap();
        let kept = |network: &NeuralNetwork<f32>, trains| {
            let shard = Shard::new(&network.stages, 6, trains);
            let widths = shard
                .activation_inputs
                .iter()
                .map(|kept| kept.as_ref().map(|kept| kept.dim()));
            widths.collect::<Vec<_>>()
        };
        assert_eq!(kept(&network, true), [Some((4, 6)), None, Some((6, 6)), None]);
        assert_eq!(kept(&network, false), [None; 4]);
        // No gradients are computed below the first trainable layer; above, deltas pass through frozen ones.
        network.set_trainable(..1, false).unwrap();
        network.set_trainable(2..3, false).unwrap();
        assert_eq!(kept(&network, true), [None, None, Some((6, 6)), None]);
        network.set_trainable(.., false).unwrap();
        assert_eq!(kept(&network, true), [None; 4]);
    }
}
