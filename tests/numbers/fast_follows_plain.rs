//! The fast pipeline takes the same steps as the plain implementation, 50 of them, on shapes of every kind.

use mfnet::data::one_hot_encode;
use mfnet::plain::{Activation, Clipping, Loss, Matrix, Network, Reduction, Training, train_step};
use mfnet::{DataLoader, Dataset, Element, Shuffle, TrainOptions, Workspace};
use ndarray::Array2;

use crate::noise::noise;
use crate::once::train;
use crate::property;
use crate::twins;
use Activation::{Identity, Relu, Sigmoid, Tanh};
use Targets::{Labels, OneHot, Values};

const STEPS: usize = 50;
const SEED: u64 = 11;

/// What the targets are.
#[derive(Clone, Copy)]
enum Targets {
    Values,
    Labels,
    /// Labels as vectors of values.
    OneHot,
}

/// What to train, and how.
struct Case {
    name: &'static str,
    /// Features, then the outputs of each layer.
    sizes: &'static [usize],
    activations: &'static [Activation],
    samples: usize,
    batch: usize,
    targets: Targets,
    training: Training,
    /// The seed of weights and data.
    seed: u64,
}

fn cases(seed: u64) -> Vec<Case> {
    let mse = |rate| Training::new(Loss::Mse, rate);
    let cross_entropy = |rate| Training::new(Loss::CrossEntropy, rate);
    let sum = |training| Training {
        reduction: Reduction::Sum,
        ..training
    };
    let clip = |training, clipping| Training { clipping, ..training };
    let case = |name, sizes, activations, (samples, batch), targets, training| Case {
        name,
        sizes,
        activations,
        samples,
        batch,
        targets,
        training,
        seed,
    };
    vec![
        case(
            "linear, one feature",
            &[1, 1],
            &[Identity],
            (9, 9),
            Values,
            mse(0.1),
        ),
        case(
            "batch 1",
            &[3, 5, 2],
            &[Tanh, Identity],
            (25, 1),
            Values,
            mse(0.05),
        ),
        case(
            "short last batch",
            &[4, 6, 3],
            &[Relu, Identity],
            (23, 10),
            Values,
            mse(0.05),
        ),
        case(
            "two classes",
            &[5, 7, 2],
            &[Sigmoid, Identity],
            (31, 8),
            Labels,
            cross_entropy(0.5),
        ),
        case(
            "one output, squashed",
            &[3, 4, 1],
            &[Relu, Sigmoid],
            (16, 8),
            Values,
            mse(0.3),
        ),
        case(
            "layers without activation",
            &[4, 6, 5, 2],
            &[Identity; 3],
            (20, 7),
            Values,
            mse(0.02),
        ),
        case(
            "ReLU behind the last layer",
            &[4, 9, 3],
            &[Sigmoid, Relu],
            (20, 20),
            Values,
            mse(0.1),
        ),
        case(
            "labels under the squared error",
            &[6, 8, 4],
            &[Tanh, Identity],
            (30, 9),
            Labels,
            mse(0.1),
        ),
        case(
            "one output, sum",
            &[4, 6, 1],
            &[Relu, Identity],
            (12, 5),
            Values,
            sum(mse(0.01)),
        ),
        case(
            "one-hot vectors",
            &[4, 6, 3],
            &[Relu, Identity],
            (20, 6),
            OneHot,
            cross_entropy(0.3),
        ),
        case(
            "deep",
            &[6, 9, 8, 7, 3],
            &[Relu, Sigmoid, Tanh, Identity],
            (41, 16),
            Labels,
            cross_entropy(0.5),
        ),
        case(
            "deep, sum",
            &[6, 9, 8, 7, 3],
            &[Tanh, Relu, Sigmoid, Identity],
            (41, 16),
            Labels,
            sum(cross_entropy(0.03)),
        ),
        case(
            "each tensor clipped",
            &[5, 8, 6, 3],
            &[Relu, Tanh, Identity],
            (30, 8),
            Labels,
            clip(cross_entropy(0.5), Clipping::PerTensor(0.2)),
        ),
        case(
            "all tensors clipped, sum",
            &[5, 8, 6, 2],
            &[Relu, Tanh, Identity],
            (30, 8),
            Values,
            clip(sum(mse(0.1)), Clipping::Global(0.7)),
        ),
        case(
            "several blocks, the last one short",
            &[20, 64, 5],
            &[Relu, Identity],
            (1000, 700),
            Labels,
            cross_entropy(0.5),
        ),
        case(
            "several blocks, clipped",
            &[20, 64, 2],
            &[Tanh, Identity],
            (700, 700),
            Values,
            clip(mse(0.05), Clipping::Global(0.5)),
        ),
        case(
            "wide",
            &[200, 150, 130, 10],
            &[Relu, Relu, Identity],
            (500, 300),
            Labels,
            sum(cross_entropy(0.0002)),
        ),
        case(
            "wide, clipped",
            &[130, 260, 3],
            &[Sigmoid, Identity],
            (260, 260),
            Values,
            clip(mse(0.05), Clipping::PerTensor(0.3)),
        ),
    ]
}

impl Case {
    /// The network to start from: weights of the size that He et al. draw, biases that are not 0.
    fn network(&self) -> Network {
        let layers = self.sizes.windows(2).zip(self.activations).zip(100..);
        let layer = |((sizes, &activation), place): ((&[usize], &Activation), u64)| {
            let spread = f64::from((2.0 / sizes[0] as f32).sqrt());
            let mut weights = self.noise::<f64>(sizes[1] + 1, sizes[0] + 1, place) * spread;
            // To f32 and back, so that both precisions start alike.
            weights.mapv_inplace(|weight| f64::from(weight as f32));
            weights.row_mut(0).fill(0.0);
            weights[[0, 0]] = 1.0;
            (matrix(&weights), activation)
        };
        Network::new(layers.map(layer).collect()).unwrap()
    }

    /// Numbers for this place in the test.
    fn noise<T: Element>(&self, rows: usize, columns: usize, place: u64) -> Array2<T> {
        noise(rows, columns, self.seed.wrapping_add(place))
    }

    fn outputs(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    fn labels(&self) -> Vec<u32> {
        let label = |sample: usize| (sample * 5 + sample / 3) % self.outputs();
        (0..self.samples).map(|sample| label(sample) as u32).collect()
    }

    /// The targets as values, samples x outputs.
    fn values<T: Element>(&self) -> Array2<T> {
        match self.targets {
            Values => self.noise(self.samples, self.outputs(), 2),
            Labels | OneHot => one_hot_encode(&self.labels(), self.outputs()).unwrap(),
        }
    }

    fn data<T: Element>(&self) -> Dataset<T> {
        let inputs = self.noise(self.samples, self.sizes[0], 1);
        let data = match self.targets {
            Labels => Dataset::classification(inputs, self.labels(), self.outputs()),
            Values | OneHot => Dataset::regression(inputs, self.values()),
        };
        data.unwrap()
    }

    fn plain_data(&self) -> (Matrix, Matrix) {
        let inputs = self.noise(self.samples, self.sizes[0], 1);
        (matrix(&inputs), matrix(&self.values()))
    }

    /// Enough epochs for [`STEPS`] steps.
    fn epochs(&self) -> usize {
        STEPS.div_ceil(self.samples.div_ceil(self.batch))
    }
}

fn matrix(array: &Array2<f64>) -> Matrix {
    Matrix::new(array.nrows(), array.ncols(), array.iter().copied().collect()).unwrap()
}

/// Trains both side by side, and holds loss after loss, then the weights, against each other.
fn follow<T: Element>(case: &Case, tolerance: f64) {
    let mut plain = case.network();
    let mut fast = twins::fast_network::<T>(&plain);
    let (inputs, targets) = case.plain_data();
    let data = case.data::<T>();
    let loss = twins::fast_loss(&case.training);
    let mut optimizer = twins::fast_optimizer(&case.training);
    let mut loader = DataLoader::new(&data, case.batch, Shuffle::Samples, SEED).unwrap();
    let mut workspace = Workspace::new(&fast, case.batch).unwrap();
    let mut epoch_losses = Vec::new();
    for epoch in 1..=case.epochs() {
        loader.start_epoch(epoch as u64);
        let mut sum = 0.0;
        for batch in loader.batches() {
            let found = fast.forward_backward(&batch, &*loss, &mut workspace).unwrap();
            fast.apply_gradients(&mut optimizer, &mut workspace).unwrap();
            sum += found;
            let inputs = inputs.select_rows(batch.indices()).unwrap();
            let targets = targets.select_rows(batch.indices()).unwrap();
            let expected = train_step(&mut plain, &inputs, &targets, &case.training).unwrap();
            let expected = twins::mean_loss(&case.training, expected, batch.samples());
            assert!(
                (found - expected).abs() <= tolerance * expected,
                "{}, {}, epoch {epoch}: loss {found}, not {expected}",
                case.name,
                T::NAME
            );
        }
        epoch_losses.push(sum / loader.batches().len() as f64);
    }
    for (layer, (found, (expected, _))) in fast.parameters().zip(plain.layers()).enumerate() {
        let what = format!("{}, {}, weights of layer {layer}", case.name, T::NAME);
        let (found, expected) = (twins::rows(found.view()), expected.values());
        let constant = case.sizes[layer] + 1;
        assert_eq!(found[..constant], expected[..constant], "{what}, row 0");
        assert_tensor(&what, &found[constant..], &expected[constant..], tolerance);
    }

    // The training loop makes the same steps in the same order.
    let mut trained = twins::fast_network::<T>(&case.network());
    let options = TrainOptions::default()
        .with_epochs(case.epochs())
        .with_batch_size(case.batch)
        .with_shuffle(Shuffle::Samples)
        .with_seed(SEED);
    let history = train(&mut trained, &data, loss, Box::new(optimizer), &options).unwrap();
    let train_losses: Vec<f64> = history.epochs.iter().map(|epoch| epoch.train_loss).collect();
    assert_eq!(train_losses, epoch_losses, "{}, {}", case.name, T::NAME);
    assert!(
        trained.parameters().eq(fast.parameters()),
        "{}, {}",
        case.name,
        T::NAME
    );
}

/// Fails unless no number differs by more than `tolerance` of the largest expected one.
fn assert_tensor(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .fold(0.0_f64, |largest, value| largest.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance * largest,
            "{what}, number {index}: {found}, not {expected}"
        );
    }
}

#[test]
fn in_f64_to_ten_digits() {
    for case in cases(property::seed()) {
        follow::<f64>(&case, 1e-10);
    }
}

/// The losses of most cases agree to six digits. A ReLU whose argument is so near 0 that f32 takes it for the other side of
/// the kink takes the two trainings apart by more, and by how much after 50 steps has no bound that is worth having: so data
/// and weights are fixed ones. For random networks, `properties` holds single steps in f32 to derived bounds.
#[test]
fn in_f32_to_four_digits() {
    for case in cases(0) {
        follow::<f32>(&case, 1e-4);
    }
}
