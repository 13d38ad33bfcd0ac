//! The network: layers of weights and activations, run forward for predictions and backward for gradients.

use super::{Activation, Loss, Matrix, Reduction};
use crate::error::{Error, Result};

/// A fully connected network: weights and an activation for each layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    layers: Vec<(Matrix, Activation)>,
}

/// The matrices of a layer's forward pass that its backward pass needs.
struct Pass {
    /// A, its input.
    input: Matrix,
    /// Z = W A
    z: Matrix,
}

impl Network {
    /// A network of these layers, the first one next to the inputs.
    ///
    /// # Shapes
    ///
    /// each W: (outputs + 1) x (inputs + 1), row 0 = (1 0 ... 0), column 0 the bias
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for no layers; [`Error::Shape`] for a layer that does not fit the one before or
    /// has no inputs or outputs; [`Error::InvalidData`] for another row 0.
    pub fn new(layers: Vec<(Matrix, Activation)>) -> Result<Self> {
        if layers.is_empty() {
            return Err(Error::option("layers", 0, "at least 1"));
        }
        for (weights, _) in &layers {
            check_weights(weights)?;
        }
        for (below, above) in layers.iter().zip(&layers[1..]) {
            if above.0.columns() != below.0.rows() {
                return Err(Error::shape(
                    "plain::Network::new",
                    format_args!(
                        "weights of {} columns, as the layer below has rows",
                        below.0.rows()
                    ),
                    format_args!("{} columns", above.0.columns()),
                ));
            }
        }
        Ok(Network { layers })
    }

    /// The weights and the activation of each layer.
    pub fn layers(&self) -> &[(Matrix, Activation)] {
        &self.layers
    }

    /// The number of input features, the bias not counted.
    pub fn inputs(&self) -> usize {
        self.layers[0].0.columns() - 1
    }

    /// The number of outputs, the bias not counted.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].0.rows() - 1
    }

    /// Returns the predictions for these inputs, before the softmax if the loss contains one.
    ///
    /// # Shapes
    ///
    /// samples x inputs -> samples x outputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of features.
    pub fn forward(&self, inputs: &Matrix) -> Result<Matrix> {
        let (_, prediction) = self.run(inputs)?;
        Ok(prediction.strip())
    }

    /// Returns the loss of these inputs, as the mean or the sum over samples.
    ///
    /// # Shapes
    ///
    /// inputs: samples x inputs; targets: samples x outputs
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for inputs or targets that do not fit the network or each other; [`Error::InvalidData`]
    /// for no samples.
    pub fn loss(&self, inputs: &Matrix, targets: &Matrix, loss: Loss, reduction: Reduction) -> Result<f64> {
        self.check_targets(inputs, targets)?;
        let (_, prediction) = self.run(inputs)?;
        Ok(loss.value(&prediction, &targets.augment(), reduction))
    }

    /// Returns the loss J of a batch and the gradient dJ/dW of each layer's weights.
    ///
    /// # Shapes
    ///
    /// inputs: samples x inputs; targets: samples x outputs; gradients: as the weights, row 0 = 0
    ///
    /// # Errors
    ///
    /// As [`Network::loss`].
    pub fn gradients(
        &self,
        inputs: &Matrix,
        targets: &Matrix,
        loss: Loss,
        reduction: Reduction,
    ) -> Result<(f64, Vec<Matrix>)> {
        self.check_targets(inputs, targets)?;
        let targets = targets.augment();
        let (passes, prediction) = self.run(inputs)?;
        let value = loss.value(&prediction, &targets, reduction);

        // dJ/dA of the current layer, from the last layer down.
        let mut output_gradient = loss.gradient(&prediction, &targets, reduction);
        let mut gradients = Vec::new();
        for ((weights, activation), pass) in self.layers.iter().zip(&passes).rev() {
            let delta = activation.backward(&pass.z, &output_gradient);
            gradients.push(delta.multiply(&pass.input.transpose())?);
            output_gradient = weights.transpose().multiply(&delta)?;
        }
        gradients.reverse();
        Ok((value, gradients))
    }

    /// W <- W - eta dJ/dW. Row 0 of the gradients is 0, so row 0 of the weights does not change.
    pub(super) fn descend(&mut self, gradients: &[Matrix], learning_rate: f64) {
        for ((weights, _), gradient) in self.layers.iter_mut().zip(gradients) {
            for row in 0..weights.rows() {
                for column in 0..weights.columns() {
                    weights[[row, column]] -= learning_rate * gradient[[row, column]];
                }
            }
        }
    }

    /// The matrices of each layer's forward pass, and the augmented prediction.
    fn run(&self, inputs: &Matrix) -> Result<(Vec<Pass>, Matrix)> {
        if inputs.columns() != self.inputs() {
            return Err(Error::shape(
                "plain::Network::forward",
                format_args!("samples x {}", self.inputs()),
                format_args!("{} x {}", inputs.rows(), inputs.columns()),
            ));
        }
        let mut a = inputs.augment();
        let mut passes = Vec::new();
        for (weights, activation) in &self.layers {
            let z = weights.multiply(&a)?;
            let output = activation.forward(&z);
            passes.push(Pass { input: a, z });
            a = output;
        }
        Ok((passes, a))
    }

    fn check_targets(&self, inputs: &Matrix, targets: &Matrix) -> Result<()> {
        if inputs.rows() == 0 {
            return Err(Error::data("inputs", "there are no samples"));
        }
        if (targets.rows(), targets.columns()) != (inputs.rows(), self.outputs()) {
            return Err(Error::shape(
                "plain::Network::gradients",
                format_args!("targets of {} x {}", inputs.rows(), self.outputs()),
                format_args!("{} x {}", targets.rows(), targets.columns()),
            ));
        }
        Ok(())
    }
}

fn check_weights(weights: &Matrix) -> Result<()> {
    if weights.rows() < 2 || weights.columns() < 2 {
        return Err(Error::shape(
            "plain::Network::new",
            "weights of at least 2 x 2",
            format_args!("{} x {}", weights.rows(), weights.columns()),
        ));
    }
    let constant = weights.row(0);
    if constant[0] != 1.0 || constant[1..].iter().any(|&value| value != 0.0) {
        return Err(Error::data("weights", "row 0 is not (1 0 ... 0)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights without pattern, between -1 and 1.
    fn weights(outputs: usize, inputs: usize, phase: f64) -> Matrix {
        let mut weights = Matrix::zeros(outputs + 1, inputs + 1);
        weights[[0, 0]] = 1.0;
        for row in 1..=outputs {
            for column in 0..=inputs {
                let index = (row * (inputs + 1) + column) as f64;
                weights[[row, column]] = (0.7 * index + phase).sin();
            }
        }
        weights
    }

    fn waves(rows: usize, columns: usize, step: f64) -> Matrix {
        let values = (0..rows * columns).map(|index| (step * index as f64 + 0.3).sin());
        Matrix::new(rows, columns, values.collect()).unwrap()
    }

    fn network(hidden: [Activation; 2]) -> Network {
        Network::new(vec![
            (weights(4, 3, 0.1), hidden[0]),
            (weights(5, 4, 0.2), hidden[1]),
            (weights(2, 5, 0.3), Activation::Identity),
        ])
        .unwrap()
    }

    #[test]
    fn a_linear_layer_by_hand() {
        // p = 1 + 2 x1 - x2
        let layer = Matrix::new(2, 3, vec![1.0, 0.0, 0.0, 1.0, 2.0, -1.0]).unwrap();
        let network = Network::new(vec![(layer, Activation::Identity)]).unwrap();
        let inputs = Matrix::new(2, 2, vec![3.0, 4.0, 0.0, 1.0]).unwrap();
        let targets = Matrix::new(2, 1, vec![1.0, 1.0]).unwrap();
        assert_eq!(network.forward(&inputs).unwrap().values(), [3.0, 0.0]);
        let (loss, gradients) = network
            .gradients(&inputs, &targets, Loss::Mse, Reduction::Mean)
            .unwrap();
        // Delta = 2/2 (2, -1); the loss is (4 + 1) / 2.
        assert_eq!(loss, 2.5);
        assert_eq!(gradients[0].values(), [0.0, 0.0, 0.0, 1.0, 6.0, 7.0]);
    }

    #[test]
    fn gradients_are_the_slopes_of_the_loss() {
        use Activation::{Identity, Relu, Sigmoid, Tanh};
        let step = 1e-5;
        let inputs = waves(6, 3, 1.1);
        let targets = Matrix::new(6, 2, [1.0, 0.0, 0.0, 1.0].repeat(3)).unwrap();
        for hidden in [
            [Relu, Tanh],
            [Sigmoid, Relu],
            [Identity, Identity],
            [Tanh, Sigmoid],
        ] {
            for loss in [Loss::Mse, Loss::CrossEntropy] {
                for reduction in [Reduction::Mean, Reduction::Sum] {
                    let network = network(hidden);
                    let gradients = network.gradients(&inputs, &targets, loss, reduction).unwrap().1;
                    for (layer, gradient) in gradients.iter().enumerate() {
                        assert!(gradient.row(0).iter().all(|&value| value == 0.0));
                        for row in 1..gradient.rows() {
                            for column in 0..gradient.columns() {
                                let loss_at = |change: f64| {
                                    let mut moved = network.clone();
                                    moved.layers[layer].0[[row, column]] += change;
                                    moved.loss(&inputs, &targets, loss, reduction).unwrap()
                                };
                                let slope = (loss_at(step) - loss_at(-step)) / (2.0 * step);
                                let difference = (gradient[[row, column]] - slope).abs();
                                assert!(
                                    difference < 1e-7,
                                    "{hidden:?}, {loss:?}, {reduction:?}, layer {layer}, \
                                     [{row}, {column}]: off by {difference}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_constant_row_survives_linear_layers() {
        let mut network = network([Activation::Identity; 2]);
        let (inputs, targets) = (waves(6, 3, 1.1), waves(6, 2, 0.9));
        for _ in 0..5 {
            let (_, gradients) = network
                .gradients(&inputs, &targets, Loss::Mse, Reduction::Mean)
                .unwrap();
            network.descend(&gradients, 0.01);
        }
        for (weights, _) in network.layers() {
            assert!(check_weights(weights).is_ok());
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let layer = |outputs, inputs| (weights(outputs, inputs, 0.0), Activation::Identity);
        assert!(Network::new(vec![]).is_err());
        assert!(Network::new(vec![layer(3, 2), layer(2, 4)]).is_err());
        let mut thawed = layer(2, 2);
        thawed.0[[0, 1]] = 0.5;
        assert!(Network::new(vec![thawed]).is_err());
        assert!(Network::new(vec![(Matrix::zeros(0, 0), Activation::Identity)]).is_err());

        let network = Network::new(vec![layer(2, 3)]).unwrap();
        let gradients = |inputs: &Matrix, targets: &Matrix| {
            network.gradients(inputs, targets, Loss::Mse, Reduction::Mean)
        };
        assert!(network.forward(&Matrix::zeros(4, 2)).is_err());
        assert!(gradients(&Matrix::zeros(4, 3), &Matrix::zeros(3, 2)).is_err());
        assert!(gradients(&Matrix::zeros(4, 3), &Matrix::zeros(4, 1)).is_err());
        assert!(gradients(&Matrix::zeros(0, 3), &Matrix::zeros(0, 2)).is_err());
        assert!(gradients(&Matrix::zeros(4, 3), &Matrix::zeros(4, 2)).is_ok());
    }
}
