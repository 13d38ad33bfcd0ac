//! Predictions of a network, and their evaluation: loss and accuracy.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use super::forward::Pipeline;
use super::shard::{Shard, Source};
use super::{NeuralNetwork, Workspace};
use crate::data::{Dataset, SparseRows, Targets, TargetsView};
use crate::element::{Element, compiled};
use crate::error::{Error, Result};
use crate::layer::Mode;
use crate::loss::{Loss, evaluate_weighted};
use crate::metrics::index_of_largest;
use crate::product::skips_zeros;

/// The loss and accuracy of a network on a data set.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Evaluation {
    /// The mean loss of a sample; where the data set has weights, their weighted mean.
    #[cfg_attr(feature = "save", serde(with = "crate::exact"))]
    pub loss: f64,
    /// The fraction of samples, 0 to 1, whose largest output is that of their class; `None` for targets without
    /// classes. Each sample counts the same, with weights or without.
    pub accuracy: Option<f64>,
}

impl<T: Element> NeuralNetwork<T> {
    /// Returns predictions for the rows of a design matrix of any layout: outputs for regression, logits for classes,
    /// or class probabilities if the network ends in a softmax.
    ///
    /// # Shapes
    ///
    /// samples x inputs -> samples x outputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of features.
    pub fn predict(&self, design: ArrayView2<'_, T>) -> Result<Array2<T>> {
        let mut predictions = Array2::zeros((design.nrows(), self.outputs()));
        let mut workspace = Workspace::for_prediction(self, design.nrows())?;
        self.predict_into(design, predictions.view_mut(), &mut workspace)?;
        Ok(predictions)
    }

    /// Writes the predictions of [`NeuralNetwork::predict`] into existing memory: a call allocates nothing.
    ///
    /// # Shapes
    ///
    /// design: samples x inputs; predictions: samples x outputs, of any layout
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for other shapes, and for a workspace of another network.
    ///
    /// ```
    /// use mfnet::{NeuralNetwork, Workspace};
    /// use ndarray::Array2;
    ///
    /// let network = NeuralNetwork::<f32>::builder(4).linear(3).seed(7).build()?;
    /// let mut workspace = Workspace::for_prediction(&network, 1)?;
    /// let mut predictions = Array2::zeros((1, 3));
    /// for sample in Array2::ones((10, 4)).rows() {
    ///     let design = sample.insert_axis(ndarray::Axis(0));
    ///     network.predict_into(design, predictions.view_mut(), &mut workspace)?;
    /// }
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn predict_into(
        &self,
        design: ArrayView2<'_, T>,
        predictions: ArrayViewMut2<'_, T>,
        workspace: &mut Workspace<T>,
    ) -> Result<()> {
        const OPERATION: &str = "NeuralNetwork::predict";
        self.check_inputs(OPERATION, design.nrows(), design.ncols())?;
        workspace.check(OPERATION, self, false)?;
        if predictions.dim() != (design.nrows(), self.outputs()) {
            let expected = format_args!("predictions of {} x {}", design.nrows(), self.outputs());
            let (rows, columns) = predictions.dim();
            return Err(Error::shape(
                OPERATION,
                expected,
                format_args!("{rows} x {columns}"),
            ));
        }
        workspace.sparse = false;
        predict_samples(self, Source::Rows(design), predictions, workspace);
        Ok(())
    }

    /// Returns the probability of each class: the softmax of [`NeuralNetwork::predict`]'s logits, or the prediction
    /// itself if the network ends in a softmax.
    ///
    /// A network does not know the loss it was trained with: for one that was trained with another loss than a cross-entropy,
    /// this softmax has no meaning. A `Model` knows.
    ///
    /// # Shapes
    ///
    /// samples x inputs -> samples x classes; each row adds up to 1
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of features; [`Error::InvalidData`] for a network with a single output,
    /// which has no classes to choose from.
    ///
    /// ```
    /// use mfnet::NeuralNetwork;
    /// use ndarray::Array2;
    ///
    /// let network = NeuralNetwork::<f64>::builder(4).linear(3).seed(7).build()?;
    /// let probabilities = network.predict_proba(Array2::ones((2, 4)).view())?;
    /// assert!(probabilities.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn predict_proba(&self, design: ArrayView2<'_, T>) -> Result<Array2<T>> {
        if self.outputs() == 1 {
            let problem =
                "a network of a single output has no classes to choose from: see NeuralNetwork::predict";
            return Err(Error::data("NeuralNetwork::predict_proba", problem));
        }
        Ok(self.probabilities(self.predict(design)?))
    }

    /// Returns predictions for the samples of a data set, in its order.
    ///
    /// # Shapes
    ///
    /// samples x outputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of features.
    pub fn predict_dataset(&self, dataset: &Dataset<T>) -> Result<Array2<T>> {
        let (samples, features) = (dataset.samples(), dataset.features());
        self.check_inputs("NeuralNetwork::predict_dataset", samples, features)?;
        let mut predictions = Array2::zeros((samples, self.outputs()));
        let mut workspace = Workspace::for_prediction(self, samples)?;
        self.prepare(dataset, &mut workspace);
        predict_samples(
            self,
            Source::Dataset(dataset),
            predictions.view_mut(),
            &mut workspace,
        );
        Ok(predictions)
    }

    /// Returns predictions for samples that are mostly zeros, without filling in the zeros.
    ///
    /// # Shapes
    ///
    /// samples x outputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of features.
    ///
    /// ```
    /// use mfnet::NeuralNetwork;
    /// use mfnet::data::SparseRows;
    ///
    /// let network = NeuralNetwork::<f64>::builder(4).linear(3).seed(7).build()?;
    /// let rows = SparseRows::from_csr(4, &[0, 1, 1], &[2], &[0.5])?;
    /// assert_eq!(network.predict_sparse(&rows)?, network.predict(rows.to_values().view())?);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn predict_sparse(&self, rows: &SparseRows<T>) -> Result<Array2<T>> {
        let (samples, features) = (rows.samples(), rows.features());
        self.check_inputs("NeuralNetwork::predict_sparse", samples, features)?;
        let mut predictions = Array2::zeros((samples, self.outputs()));
        let mut workspace = Workspace::for_prediction(self, samples)?;
        self.skips_zeros(skips_zeros(rows.density(), features), &mut workspace);
        let source = Source::Sparse(rows);
        predict_samples(self, source, predictions.view_mut(), &mut workspace);
        Ok(predictions)
    }

    /// Returns the mean loss of a data set's samples, and the accuracy if they have classes. Where the data set has
    /// [weights](Dataset::with_weights), the loss is the weighted mean, and the accuracy counts each sample the same.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`](crate::Error::Shape) for another number of features or outputs,
    /// [`Error::InvalidData`](crate::Error::InvalidData) for targets that the loss is not defined for, and for a loss
    /// that expects logits with a network that returns probabilities, or the reverse.
    pub fn evaluate(&self, dataset: &Dataset<T>, loss: &dyn Loss<T>) -> Result<Evaluation> {
        loss.check(dataset.targets())?;
        self.check_loss("NeuralNetwork::evaluate", loss)?;
        let mut workspace = Workspace::for_prediction(self, dataset.samples())?;
        self.evaluate_in(&mut workspace, dataset, loss)
    }

    /// As [`NeuralNetwork::evaluate`], in an existing workspace, for a loss and targets that were checked already.
    pub(crate) fn evaluate_in(
        &self,
        workspace: &mut Workspace<T>,
        dataset: &Dataset<T>,
        loss: &dyn Loss<T>,
    ) -> Result<Evaluation> {
        self.check_dataset("NeuralNetwork::evaluate", dataset)?;
        Ok(evaluate_samples(self, dataset, loss, workspace))
    }
}

compiled! {
    fn predict_samples<'a, 'b, T>(
        network: &'a NeuralNetwork<T>,
        source: Source<'b, T>,
        predictions: ArrayViewMut2<'a, T>,
        workspace: &'a mut Workspace<T>,
    ) {
        let (samples, mut predictions) = (predictions.nrows(), predictions);
        let copy = |shards: &[Shard<T>], mut row: usize| {
            for shard in shards {
                let rows = row..row + shard.samples();
                row = rows.end;
                predictions.slice_mut(s![rows, ..]).assign(&shard.output().t());
            }
        };
        forward_all(network, source, samples, workspace, |_, _| (), copy);
    }
}

compiled! {
    fn evaluate_samples<'a, 'b, T>(
        network: &'a NeuralNetwork<T>,
        dataset: &'a Dataset<T>,
        loss: &'a dyn Loss<T>,
        workspace: &'a mut Workspace<T>,
    ) -> Evaluation {
        let evaluate = |shard: &mut Shard<T>, indices: &[usize]| {
            let (output, targets) = shard.evaluation_operands();
            let targets = targets.gather(dataset.targets(), indices);
            let correct = match targets {
                TargetsView::Classes(labels) => count_correct(output, labels),
                TargetsView::Values(_) => 0,
            };
            let weights = dataset.weights().map(|weights| (weights, indices));
            shard.loss = evaluate_weighted(loss, weights, output, targets, T::zero(), None);
            shard.correct = correct;
        };
        let (mut sum, mut correct) = (0.0, 0);
        let add = |shards: &[Shard<T>], _| {
            sum += shards.iter().map(|shard| shard.loss).sum::<f64>();
            correct += shards.iter().map(|shard| shard.correct).sum::<usize>();
        };
        network.prepare(dataset, workspace);
        forward_all(network, Source::Dataset(dataset), dataset.samples(), workspace, evaluate, add);
        let samples = dataset.samples() as f64;
        Evaluation {
            loss: sum / samples,
            accuracy: match dataset.targets() {
                Targets::Classes { .. } => Some(correct as f64 / samples),
                Targets::Values(_) => None,
            },
        }
    }
}

/// Runs the forward pass of samples, as many at a time as the workspace was allocated for. Calls `each` for each shard
/// with the indices of its samples, then `all` for the shards in the order of their samples with the index of the first
/// sample.
fn forward_all<T: Element>(
    network: &NeuralNetwork<T>,
    source: Source<'_, T>,
    samples: usize,
    workspace: &mut Workspace<T>,
    each: impl Fn(&mut Shard<T>, &[usize]) + Sync,
    mut all: impl FnMut(&[Shard<T>], usize),
) {
    let Workspace {
        partition,
        shards,
        propagated,
        packed,
        sparse,
        sparse_targets,
        order,
        ..
    } = workspace;
    // The shards no longer hold a batch to compute gradients of.
    *propagated = None;
    let pipeline = Pipeline {
        stages: &network.stages,
        sync_points: &[],
        transposed: &[],
        packed: packed[0].as_ref().filter(|_| *sparse),
    };
    for first in (0..samples).step_by(partition.capacity) {
        order.clear();
        order.extend(first..samples.min(first + partition.capacity));
        let shards = &mut shards[..partition.shards(order.len())];
        pipeline.start(*partition, shards, order, Mode::Eval, source, sparse_targets);
        partition.for_each_shard("predict", shards, order, Mode::Eval, |shard, indices| {
            pipeline.load(shard, source, indices);
            pipeline.forward(shard, 0..network.stages.len());
            each(shard, indices);
        });
        all(shards, first);
    }
}

/// The number of samples whose largest output is that of their class. A sample with a NaN among its outputs is not
/// counted.
fn count_correct<T: Element>(output: ArrayView2<'_, T>, labels: &[u32]) -> usize {
    let columns = output.columns().into_iter().zip(labels);
    columns
        .filter(|&(column, &label)| index_of_largest(column) == Some(label))
        .count()
}
