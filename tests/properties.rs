//! Laws that hold for any network and any batch, tried on random ones.

use mfnet::plain::{self, Activation, Clipping, Loss, Matrix, Network, Training};
use mfnet::{DataLoader, Dataset, NeuralNetwork, Shuffle, Workspace};
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

#[path = "common/noise.rs"]
mod noise;
#[path = "common/twins.rs"]
mod twins;

use noise::noise;

/// A random network, a batch for it, and how to learn from that.
#[derive(Debug, Clone)]
struct Case {
    sizes: Vec<usize>,
    activations: Vec<Activation>,
    samples: usize,
    seed: u64,
    training: Training,
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::Identity),
        Just(Activation::Relu),
        Just(Activation::Sigmoid),
        Just(Activation::Tanh),
    ]
}

fn training() -> impl Strategy<Value = Training> {
    let loss = prop_oneof![Just(Loss::Mse), Just(Loss::CrossEntropy)];
    let reduction = prop_oneof![Just(plain::Reduction::Mean), Just(plain::Reduction::Sum)];
    let clipping = prop_oneof![
        Just(Clipping::None),
        (0.01..2.0).prop_map(Clipping::PerTensor),
        (0.01..2.0).prop_map(Clipping::Global),
    ];
    (loss, reduction, clipping).prop_map(|(loss, reduction, clipping)| Training {
        reduction,
        clipping,
        ..Training::new(loss, 0.1)
    })
}

fn case() -> impl Strategy<Value = Case> {
    let layers = prop::collection::vec((1..40_usize, activation()), 1..5);
    let samples = prop_oneof![1..20_usize, 200..400_usize];
    let parts = (1..60_usize, layers, samples, 0..1000_u64, training());
    parts.prop_map(|(inputs, layers, samples, seed, training)| Case {
        sizes: std::iter::once(inputs)
            .chain(layers.iter().map(|layer| layer.0))
            .collect(),
        activations: layers.iter().map(|layer| layer.1).collect(),
        samples,
        seed,
        training,
    })
}

impl Case {
    fn network(&self) -> Network {
        let layers = self.sizes.windows(2).zip(&self.activations).zip(self.seed + 10..);
        let layer = |((sizes, &activation), seed): ((&[usize], &Activation), u64)| {
            let mut weights = noise::<f64>(sizes[1] + 1, sizes[0] + 1, seed);
            weights /= (sizes[0] as f64).sqrt();
            weights.row_mut(0).fill(0.0);
            weights[[0, 0]] = 1.0;
            (matrix(&weights), activation)
        };
        Network::new(layers.map(layer).collect()).unwrap()
    }

    fn inputs(&self) -> Array2<f64> {
        noise(self.samples, self.sizes[0], self.seed)
    }

    /// The targets: samples x outputs, one-hot for the cross-entropy.
    fn targets(&self) -> Array2<f64> {
        let outputs = self.sizes[self.sizes.len() - 1];
        match self.training.loss {
            Loss::Mse => noise(self.samples, outputs, self.seed + 1),
            Loss::CrossEntropy => {
                let labels = (0..self.samples as u32).map(|sample| sample % outputs as u32);
                mfnet::one_hot_encode(&labels.collect::<Vec<_>>(), outputs).unwrap()
            }
        }
    }

    fn data(&self) -> Dataset<f64> {
        Dataset::regression(self.inputs(), self.targets()).unwrap()
    }

    fn with(&self, reduction: plain::Reduction) -> Case {
        let mut case = self.clone();
        case.training.reduction = reduction;
        case
    }
}

fn matrix(array: &Array2<f64>) -> Matrix {
    Matrix::new(array.nrows(), array.ncols(), array.iter().copied().collect()).unwrap()
}

/// The loss and the gradients of all samples as one batch.
fn gradients(
    network: &NeuralNetwork<f64>,
    data: &Dataset<f64>,
    training: &Training,
) -> (f64, Vec<Array2<f64>>) {
    let loader = DataLoader::new(data, data.samples(), Shuffle::None, 0).unwrap();
    let mut workspace = Workspace::new(network, data.samples());
    let batch = loader.batches().next().unwrap();
    let loss = network
        .propagate(&batch, &*twins::fast_loss(training), &mut workspace)
        .unwrap();
    network.gradients(&mut workspace).unwrap();
    (loss, workspace.gradients().cloned().collect())
}

/// The weights after one step with all samples as one batch.
fn weights_after_a_step(case: &Case) -> Vec<Array2<f64>> {
    let mut network = twins::fast_network::<f64>(&case.network());
    let data = case.data();
    let loader = DataLoader::new(&data, data.samples(), Shuffle::None, 0).unwrap();
    let mut workspace = Workspace::new(&network, data.samples());
    let batch = loader.batches().next().unwrap();
    network
        .propagate(&batch, &*twins::fast_loss(&case.training), &mut workspace)
        .unwrap();
    network
        .update(&mut twins::fast_optimizer(&case.training), &mut workspace)
        .unwrap();
    network.weights().cloned().collect()
}

/// Fails unless the tensors agree up to rounding, measured by their largest number and at least by `scale`.
fn check_close(found: &[Array2<f64>], expected: &[Array2<f64>], scale: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let found = twins::rows(found.view());
        let expected = twins::rows(expected.view());
        prop_assert_eq!(found.len(), expected.len());
        let largest = expected
            .iter()
            .fold(scale, |largest, value| largest.max(value.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!(
                (found - expected).abs() <= 1e-12 * largest,
                "{} for {}",
                found,
                expected
            );
        }
    }
    Ok(())
}

fn norm<'a>(tensors: impl IntoIterator<Item = &'a Array2<f64>>) -> f64 {
    let squares = tensors.into_iter().flatten().map(|value| value * value);
    squares.sum::<f64>().sqrt()
}

proptest! {
    #![proptest_config(Config {
        cases: 64,
        rng_seed: RngSeed::Fixed(20_250_115),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn one_step_is_that_of_the_plain_implementation(case in case()) {
        let mut plain = case.network();
        let (inputs, targets) = (matrix(&case.inputs()), matrix(&case.targets()));
        let expected = plain::train_step(&mut plain, &inputs, &targets, &case.training).unwrap();
        let expected = twins::mean_loss(&case.training, expected, case.samples);
        let fast = twins::fast_network::<f64>(&case.network());
        let (found, _) = gradients(&fast, &case.data(), &case.training);
        prop_assert!((found - expected).abs() <= 1e-12 * expected.max(1.0), "loss {} for {}", found, expected);
        let expected: Vec<Array2<f64>> = plain.layers().iter().map(|(weights, _)| {
            let shape = (weights.rows(), weights.columns());
            Array2::from_shape_vec(shape, weights.values().to_vec()).unwrap()
        }).collect();
        check_close(&weights_after_a_step(&case), &expected, 1.0)?;
    }

    #[test]
    fn the_order_within_a_batch_does_not_matter(case in case(), turn in 1..1000_usize) {
        let network = twins::fast_network::<f64>(&case.network());
        let (loss, expected) = gradients(&network, &case.data(), &case.training);
        let mut order: Vec<usize> = (0..case.samples).rev().collect();
        order.rotate_left(turn % case.samples);
        let turned = case.data().select(&order).unwrap();
        let (turned_loss, found) = gradients(&network, &turned, &case.training);
        prop_assert!((loss - turned_loss).abs() <= 1e-12 * loss.max(1.0));
        check_close(&found, &expected, case.samples as f64)?;
    }

    #[test]
    fn the_gradients_of_parts_add_up(case in case(), cut in 0.0..1.0) {
        let case = case.with(plain::Reduction::Sum);
        prop_assume!(case.samples > 1);
        let network = twins::fast_network::<f64>(&case.network());
        let (_, whole) = gradients(&network, &case.data(), &case.training);
        let cut = 1 + (cut * (case.samples - 1) as f64) as usize;
        let part = |samples: std::ops::Range<usize>| {
            let data = case.data().select(&samples.collect::<Vec<_>>()).unwrap();
            gradients(&network, &data, &case.training).1
        };
        let sums: Vec<Array2<f64>> =
            part(0..cut).iter().zip(&part(cut..case.samples)).map(|(first, second)| first + second).collect();
        check_close(&sums, &whole, case.samples as f64)?;
    }

    #[test]
    fn the_mean_is_the_sum_divided(case in case()) {
        let network = twins::fast_network::<f64>(&case.network());
        let of = |reduction| gradients(&network, &case.data(), &case.with(reduction).training);
        let (mean_loss, mean) = of(plain::Reduction::Mean);
        let (sum_loss, sum) = of(plain::Reduction::Sum);
        prop_assert_eq!(mean_loss, sum_loss, "what is reported is the mean");
        let divided: Vec<Array2<f64>> = sum.iter().map(|sum| sum / case.samples as f64).collect();
        check_close(&mean, &divided, 1.0)?;
    }

    /// A step is as long as the limit says, or as the gradient; and it points the same way.
    #[test]
    fn clipping_shortens_and_does_not_turn(case in case(), limit in 0.001..1.0) {
        let plain = case.network();
        let before: Vec<Array2<f64>> = twins::fast_network::<f64>(&plain).weights().cloned().collect();
        let (_, gradients) = gradients(&twins::fast_network(&plain), &case.data(), &case.training);
        let all = norm(&gradients);
        for clipping in [Clipping::PerTensor(limit), Clipping::Global(limit)] {
            let mut clipped = case.clone();
            clipped.training.clipping = clipping;
            let expected: Vec<Array2<f64>> = before.iter().zip(&gradients).map(|(weights, gradient)| {
                let norm = match clipping {
                    Clipping::Global(_) => all,
                    _ => norm([gradient]),
                };
                let factor = if norm > limit { limit / norm } else { 1.0 };
                weights - &(gradient * (factor * case.training.learning_rate))
            }).collect();
            check_close(&weights_after_a_step(&clipped), &expected, 1.0)?;
        }
    }

    #[test]
    fn constant_rows_stay(case in case()) {
        for weights in weights_after_a_step(&case) {
            let row = weights.index_axis(Axis(0), 0).to_vec();
            prop_assert_eq!(row[0], 1.0);
            prop_assert!(row[1..].iter().all(|&value| value == 0.0));
        }
    }
}
