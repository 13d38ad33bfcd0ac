//! The networks, data and orders behind `tests/goldens`, and what PyTorch made of them.

use std::path::Path;

use mfnet::plain::{Activation, Clipping, Loss, Matrix, Reduction, Training, one_hot};

const SAMPLES: usize = 18;
const BATCH: usize = 4;
const EPOCHS: usize = 4;

/// One golden: what to train, and how.
pub struct Case {
    /// The golden's file, without `.txt`.
    pub name: &'static str,
    /// The features, then the outputs of each layer.
    pub sizes: &'static [usize],
    /// One for each layer.
    pub activations: &'static [Activation],
    pub training: Training,
}

/// What PyTorch computed.
pub struct Golden {
    /// The loss of each step, taken before it.
    pub losses: Vec<f64>,
    /// The weights of each layer after the last step, (outputs + 1) x (inputs + 1) with row 0 = (1 0 ... 0).
    pub weights: Vec<Matrix>,
}

/// All goldens.
pub fn cases() -> Vec<Case> {
    let classifier = |name, training| Case {
        name,
        sizes: &[5, 7, 4, 3],
        activations: &[Activation::Relu, Activation::Tanh, Activation::Identity],
        training,
    };
    let cross_entropy = |learning_rate| Training::new(Loss::CrossEntropy, learning_rate);
    let clipped = |clipping| Training {
        clipping,
        ..cross_entropy(0.5)
    };
    let sum = Training {
        reduction: Reduction::Sum,
        ..cross_entropy(0.1)
    };
    vec![
        classifier("cross_entropy_mean", cross_entropy(0.5)),
        classifier("cross_entropy_sum", sum),
        Case {
            name: "mse_mean",
            sizes: &[4, 6, 2],
            activations: &[Activation::Sigmoid, Activation::Identity],
            training: Training::new(Loss::Mse, 0.1),
        },
        classifier("clip_global", clipped(Clipping::Global(1.0))),
        classifier("clip_per_tensor", clipped(Clipping::PerTensor(0.6))),
    ]
}

impl Case {
    /// The weights to start from, (outputs + 1) x (inputs + 1) with row 0 = (1 0 ... 0).
    pub fn weights(&self) -> Vec<Matrix> {
        let layers = self.sizes.windows(2).enumerate();
        let start = |(layer, sizes): (usize, &[usize])| {
            let body = wave(sizes[1], sizes[0] + 1, 0.8, 0.7, (layer + 1) as f64);
            with_constant_row(sizes[0], body.values())
        };
        layers.map(start).collect()
    }

    /// The inputs: samples x features.
    pub fn inputs(&self) -> Matrix {
        wave(SAMPLES, self.sizes[0], 1.5, 0.9, 0.2)
    }

    /// The targets: samples x outputs, one-hot for the cross-entropy.
    pub fn targets(&self) -> Matrix {
        let outputs = self.sizes[self.sizes.len() - 1];
        match self.training.loss {
            Loss::Mse => wave(SAMPLES, outputs, 1.0, 0.5, 1.0),
            Loss::CrossEntropy => {
                let labels: Vec<usize> = (0..SAMPLES).map(|index| (7 * index / 3) % 3).collect();
                one_hot(&labels, outputs).unwrap()
            }
        }
    }

    /// The samples of each step, epoch after epoch.
    pub fn batches(&self) -> Vec<Vec<usize>> {
        let order = |epoch| (0..SAMPLES).map(move |index| (7 * index + 5 * epoch) % SAMPLES);
        let epochs = (0..EPOCHS).map(|epoch| order(epoch).collect::<Vec<_>>());
        epochs
            .flat_map(|order| order.chunks(BATCH).map(<[usize]>::to_vec).collect::<Vec<_>>())
            .collect()
    }

    /// What PyTorch computed.
    pub fn golden(&self) -> Golden {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
        let text = std::fs::read_to_string(folder.join(self.name).with_extension("txt")).unwrap();
        let (mut losses, mut weights) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let (key, numbers) = line.split_once(' ').unwrap();
            let numbers: Vec<f64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
            match key {
                "losses" => losses = numbers,
                "weights" => weights.push(with_constant_row(self.sizes[weights.len()], &numbers)),
                _ => panic!("{}: unknown line {key}", self.name),
            }
        }
        Golden { losses, weights }
    }
}

/// Fails unless the numbers agree, up to `tolerance` of the larger of the expected one and 1.
pub fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * expected.abs().max(1.0),
            "{what}, number {index}: {found}, not {expected}"
        );
    }
}

/// scale * sin(step * index + phase), row by row.
fn wave(rows: usize, columns: usize, scale: f64, step: f64, phase: f64) -> Matrix {
    let values = (0..rows * columns).map(|index| scale * (step * index as f64 + phase).sin());
    Matrix::new(rows, columns, values.collect()).unwrap()
}

/// Puts the row (1 0 ... 0) on top of [bias, W].
fn with_constant_row(inputs: usize, body: &[f64]) -> Matrix {
    let mut values = vec![0.0; inputs + 1];
    values[0] = 1.0;
    values.extend_from_slice(body);
    Matrix::new(values.len() / (inputs + 1), inputs + 1, values).unwrap()
}
