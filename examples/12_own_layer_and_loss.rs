//! A layer and a loss of one's own: each feature stretched and shifted, and a loss that outliers do not dominate.
//!
//! Inside a network, a sample is a column and every matrix has the bias feature as row 0: all 1 in values, all 0 in deltas. A
//! layer leaves row 0 alone. A parameter tensor has a constant row 0, too, and its column 0 is the bias, which weight decay
//! leaves out. A loss sees the outputs without row 0.
//!
//! ```text
//! cargo run --release --example 12_own_layer_and_loss [EPOCHS]
//! ```

use mfnet::layer::Context;
use mfnet::loss::TargetsView;
use mfnet::{Adam, Dataset, Layer, Loss, MseLoss, NeuralNetwork, Reduction, TrainOptions, Trainer};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, array, s};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let epochs = std::env::args().nth(1).map_or(Ok(200), |text| text.parse())?;
    // y = 2 x1 - 3 x2 + 1, and each tenth target is far off.
    let inputs = Array2::from_shape_fn((500, 2), |(row, column)| {
        ((row * (7 + 6 * column)) % 101) as f64 / 50.0 - 1.0
    });
    let targets = Array2::from_shape_fn((500, 1), |(row, _)| {
        let outlier = if row % 10 == 0 { 20.0 } else { 0.0 };
        2.0 * inputs[[row, 0]] - 3.0 * inputs[[row, 1]] + 1.0 + outlier
    });
    let data = Dataset::regression(inputs, targets)?;
    let losses: [Box<dyn Loss<f64>>; 2] = [Box::new(MseLoss::default()), Box::new(LogCosh)];
    println!("true: 2 x1 - 3 x2 + 1\n");
    for loss in losses {
        let name = loss.name();
        let network = NeuralNetwork::builder(2)
            .layer(Box::new(Stretch::new(2)))
            .linear(1)
            .seed(7)
            .build()?;
        let options = TrainOptions::default().with_epochs(epochs).with_batch_size(50);
        let mut trainer = Trainer::from_parts(network, loss, Box::new(Adam::new(0.02)?)).options(options);
        trainer.fit(&data)?;
        let answers = trainer
            .network()
            .predict(array![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]].view())?;
        let bias = answers[[0, 0]];
        let [first, second] = [1, 2].map(|row| answers[[row, 0]] - bias);
        println!("{name:>5}: {first:.2} x1 + {second:.2} x2 + {bias:.2}");
    }
    Ok(())
}

/// a_i = w_i z_i + b_i.
#[derive(Debug)]
struct Stretch {
    /// One tensor, (features + 1) x 2: row 0 constant (1 0), column 0 the b_i, column 1 the w_i.
    parameters: [Array2<f64>; 1],
}

impl Stretch {
    fn new(features: usize) -> Self {
        let mut parameters = Array2::zeros((features + 1, 2));
        parameters[[0, 0]] = 1.0;
        parameters.slice_mut(s![1.., 1]).fill(1.0);
        Stretch {
            parameters: [parameters],
        }
    }
}

impl Layer<f64> for Stretch {
    fn name(&self) -> &'static str {
        "Stretch"
    }

    fn inputs(&self) -> usize {
        self.parameters[0].nrows() - 1
    }

    fn outputs(&self) -> usize {
        self.inputs()
    }

    fn parameters(&self) -> &[Array2<f64>] {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut [Array2<f64>] {
        &mut self.parameters
    }

    fn forward(
        &self,
        input: ArrayView2<'_, f64>,
        mut output: ArrayViewMut2<'_, f64>,
        _: &mut Context<'_, f64>,
    ) {
        for row in 1..input.nrows() {
            let (shift, factor) = (self.parameters[0][[row, 0]], self.parameters[0][[row, 1]]);
            output
                .row_mut(row)
                .zip_mut_with(&input.row(row), |a, z| *a = factor * z + shift);
        }
    }

    fn backward(
        &self,
        _: ArrayView2<'_, f64>,
        delta: ArrayView2<'_, f64>,
        mut delta_input: ArrayViewMut2<'_, f64>,
        _: &mut Context<'_, f64>,
    ) {
        for row in 1..delta.nrows() {
            let factor = self.parameters[0][[row, 1]];
            delta_input
                .row_mut(row)
                .zip_mut_with(&delta.row(row), |a, z| *a = factor * z);
        }
    }

    fn gradient(
        &self,
        input: ArrayView2<'_, f64>,
        delta: ArrayView2<'_, f64>,
        gradients: &mut [Array2<f64>],
        _: &mut Context<'_, f64>,
    ) {
        for row in 1..delta.nrows() {
            gradients[0][[row, 0]] = delta.row(row).sum();
            gradients[0][[row, 1]] = delta.row(row).dot(&input.row(row));
        }
    }
}

/// J = 1/m sum_i ln cosh(z_i - y_i): about e^2 / 2 for small errors e, and |e| - ln 2 for large ones.
#[derive(Debug)]
struct LogCosh;

impl Loss<f64> for LogCosh {
    fn name(&self) -> &'static str {
        "log-cosh"
    }

    fn reduction(&self) -> Reduction {
        Reduction::Mean
    }

    fn evaluate(
        &self,
        output: ArrayView2<'_, f64>,
        targets: TargetsView<'_, f64>,
        scale: f64,
        mut gradient: Option<ArrayViewMut2<'_, f64>>,
    ) -> f64 {
        // A loss for numbers: of classes it says nothing.
        let TargetsView::Values(targets) = targets else {
            return f64::NAN;
        };
        let mut sum = 0.0;
        for ((index, value), target) in output.indexed_iter().zip(targets) {
            let error = value - target;
            // cosh e is infinite for large errors, and its logarithm is not.
            sum += error.abs() + (-2.0 * error.abs()).exp().ln_1p() - std::f64::consts::LN_2;
            if let Some(gradient) = &mut gradient {
                // `scale` is 1/m, by the reduction.
                gradient[index] = scale * error.tanh();
            }
        }
        sum
    }
}
