//! What a network says of samples: predictions, and how good they are.

use ndarray::{Array2, ArrayView2, s};

use super::{NeuralNetwork, Workspace};
use crate::augment::{body, body_mut};
use crate::data::{Dataset, Targets, TargetsView, gather_values};
use crate::element::Element;
use crate::error::Result;
use crate::kernel::Panels;
use crate::layer::{Block, Pass};
use crate::loss::Loss;
use crate::metrics::index_of_largest;

/// How good a network's predictions of a data set are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// The mean loss of a sample.
    pub loss: f64,
    /// The part of the samples, 0 to 1, whose largest output is that of their class; none without classes.
    pub accuracy: Option<f64>,
}

impl<T: Element> NeuralNetwork<T> {
    /// Predictions for the rows of a design matrix of any layout: outputs for regression, logits for classes, or
    /// probabilities where the network ends in a softmax.
    ///
    /// # Shapes
    ///
    /// samples x inputs -> samples x outputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`](crate::Error::Shape) for another number of features.
    pub fn predict(&self, design: ArrayView2<'_, T>) -> Result<Array2<T>> {
        self.check_inputs("NeuralNetwork::predict", design.nrows(), design.ncols())?;
        let workspace = Workspace::for_prediction(self, design.nrows());
        self.predict_rows(design.nrows(), workspace, |block, indices, _| {
            gather_values(design, indices, body_mut(block.input_mut()));
            self.forward(block, 0..self.stages.len());
        })
    }

    /// The probability of each class: the softmax of [`NeuralNetwork::predict`]'s logits, or the prediction itself where the
    /// network ends in a softmax.
    ///
    /// # Shapes
    ///
    /// samples x inputs -> samples x classes; each row adds up to 1
    ///
    /// # Errors
    ///
    /// [`Error::Shape`](crate::Error::Shape) for another number of features.
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
        Ok(self.probabilities(self.predict(design)?))
    }

    /// Predictions for the samples of a data set, in its order.
    ///
    /// # Shapes
    ///
    /// samples x outputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`](crate::Error::Shape) for another number of features.
    pub fn predict_dataset(&self, dataset: &Dataset<T>) -> Result<Array2<T>> {
        self.check_inputs(
            "NeuralNetwork::predict_dataset",
            dataset.samples(),
            dataset.features(),
        )?;
        let mut workspace = Workspace::for_prediction(self, dataset.samples());
        self.pack_if_sparse(dataset, &mut workspace);
        self.predict_rows(dataset.samples(), workspace, |block, indices, panels| {
            self.forward_dataset(dataset, indices, block, panels, self.stages.len());
        })
    }

    /// The mean loss of a data set's samples, and the accuracy where they have classes.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`](crate::Error::Shape) for other features or outputs, [`Error::InvalidData`](crate::Error::InvalidData)
    /// for targets the loss has no meaning for, and for a loss that expects logits of a network that gives probabilities, or
    /// the other way round.
    pub fn evaluate(&self, dataset: &Dataset<T>, loss: &dyn Loss<T>) -> Result<Evaluation> {
        loss.check(dataset.targets())?;
        self.check_loss("NeuralNetwork::evaluate", loss)?;
        let mut workspace = Workspace::for_prediction(self, dataset.samples());
        self.evaluate_in(&mut workspace, dataset, loss)
    }

    /// As [`NeuralNetwork::evaluate`], in memory that is there, for targets that were checked.
    pub(crate) fn evaluate_in(
        &self,
        workspace: &mut Workspace<T>,
        dataset: &Dataset<T>,
        loss: &dyn Loss<T>,
    ) -> Result<Evaluation> {
        self.check_dataset("NeuralNetwork::evaluate", dataset)?;
        let order: Vec<usize> = (0..dataset.samples()).collect();
        let (mut sum, mut correct) = (0.0, 0);
        self.pack_if_sparse(dataset, workspace);
        for indices in order.chunks(workspace.capacity()) {
            self.for_each_block(
                indices,
                Pass::PREDICTION,
                workspace,
                |block, tally, indices, panels| {
                    self.forward_dataset(dataset, indices, block, panels, self.stages.len());
                    let targets = tally.targets.gather(dataset.targets(), indices);
                    let output = body(block.output());
                    tally.loss = loss.evaluate(output, targets, T::zero(), None);
                    tally.correct = match targets {
                        TargetsView::Classes(labels) => hits(output, labels),
                        TargetsView::Values(_) => 0,
                    };
                },
            )?;
            for tally in &workspace.tallies[..workspace.used] {
                sum += tally.loss;
                correct += tally.correct;
            }
        }
        let samples = dataset.samples() as f64;
        Ok(Evaluation {
            loss: sum / samples,
            accuracy: match dataset.targets() {
                Targets::Classes { .. } => Some(correct as f64 / samples),
                Targets::Values(_) => None,
            },
        })
    }

    fn predict_rows(
        &self,
        samples: usize,
        mut workspace: Workspace<T>,
        forward: impl Fn(&mut Block<T>, &[usize], Option<&Panels<T>>) + Sync,
    ) -> Result<Array2<T>> {
        let mut predictions = Array2::zeros((samples, self.outputs()));
        let order: Vec<usize> = (0..samples).collect();
        for indices in order.chunks(workspace.capacity()) {
            self.for_each_block(
                indices,
                Pass::PREDICTION,
                &mut workspace,
                |block, _, indices, panels| {
                    forward(block, indices, panels);
                },
            )?;
            let mut row = indices[0];
            for block in &workspace.blocks[..workspace.used] {
                let output = body(block.output());
                let rows = row..row + output.ncols();
                row = rows.end;
                predictions.slice_mut(s![rows, ..]).assign(&output.t());
            }
        }
        Ok(predictions)
    }
}

/// The number of samples whose largest output is that of their class; a sample with a NaN among its outputs is not one.
fn hits<T: Element>(output: ArrayView2<'_, T>, labels: &[u32]) -> usize {
    let columns = output.columns().into_iter().zip(labels);
    columns
        .filter(|&(column, &label)| index_of_largest(column) == Some(label))
        .count()
}
