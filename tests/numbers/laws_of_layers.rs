//! Laws that hold for a batch of any network, whatever its layers: of its gradients, and of the steps along them.

use mfnet::optimizer::Optimizer;
use mfnet::{Clip, Dataset, Element, Reduction, Sgd, Targets};
use ndarray::Array2;
use proptest::prelude::*;

use crate::architecture::{Architecture, Layers, architecture};
use crate::measured::{assert_narrow, measured};
use crate::noise::noise;
use crate::property;
use crate::steps::{gradients, gradients_of_batches, norm, weights_after_a_step};

const ALL: Layers = Layers {
    batch_norm: true,
    dropout: true,
};
const NO_DROPOUT: Layers = Layers {
    dropout: false,
    ..ALL
};
const NO_BATCH_NORM: Layers = Layers {
    batch_norm: false,
    ..ALL
};
const NEITHER: Layers = Layers {
    batch_norm: false,
    dropout: false,
};

/// How far from the weights, along a direction of length 1, losses are taken for a slope. Between so near points the loss
/// is a straight line, up to some 1e-12; it is exact to some 1e-15, and so its slope to some 1e-9.
const STEP: f64 = 1e-6;

/// How many losses a slope is taken from.
const POINTS: u32 = 15;

/// By how many of its standard errors a slope may be off.
const ERRORS: f64 = 12.0;

/// The loss and the gradients of a case's batch, all classes counting as they are told.
fn of<T: Element>(case: &Architecture, reduction: Reduction, class_weights: &[f64]) -> (f64, Vec<Array2<T>>) {
    let network = case.network::<T>(&case.parameters());
    gradients(
        &network,
        &case.data(),
        &*case.loss(reduction, class_weights.to_vec()),
    )
}

/// Fails unless the tensors are the same up to rounding, measured by the length of all that are expected.
fn check_close<T: Element>(
    case: &Architecture,
    found: &[Array2<T>],
    expected: &[Array2<T>],
) -> Result<(), TestCaseError> {
    let differences: Vec<Array2<f64>> = found
        .iter()
        .zip(expected)
        .map(|(found, expected)| wide(found) - wide(expected))
        .collect();
    prop_assert_eq!(found.len(), expected.len());
    let (off, length) = (norm(&differences), norm(expected));
    prop_assert!(
        off <= case.rounding::<T>() * length,
        "{}: off by {} of {}",
        T::NAME,
        off,
        length
    );
    Ok(())
}

fn wide<T: Element>(tensor: &Array2<T>) -> Array2<f64> {
    tensor.mapv(T::as_f64)
}

fn times<T: Element>(tensors: &[Array2<T>], factor: f64) -> Vec<Array2<T>> {
    tensors
        .iter()
        .map(|tensor| tensor.mapv(|value| value * T::from_f64(factor)))
        .collect()
}

/// A straight line through points: least squares.
struct Line {
    slope: f64,
    /// The standard error of the slope, by the distances of the points from the line.
    error: f64,
}

impl Line {
    fn through(points: &[(f64, f64)]) -> Self {
        let count = points.len() as f64;
        let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
        let squares: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let products: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let slope = products / squares;
        let off = |(x, y): &(f64, f64)| y - mean_y - slope * (x - mean_x);
        let residual: f64 = points.iter().map(|point| off(point).powi(2)).sum();
        Line {
            slope,
            error: (residual / (count - 2.0) / squares).sqrt(),
        }
    }
}

/// A gradient is the slope of the loss: along a random direction of each tensor, which has to do with all its numbers.
///
/// The slope is that of the line through [`POINTS`] losses within [`STEP`] of the weights, and its error is measured by their
/// distances from the line, since it cannot be told beforehand: batch normalisation divides by deviations that may be small,
/// and makes roundings larger by as much; and a ReLU may have its kink between the points. By how many standard errors of
/// the fitted slope it differs from the one in the middle:
///
/// - for roundings by a number with Student's distribution of 13 degrees of freedom, beyond 12 with a probability of 2e-8;
/// - for a kink at most 7.2, for two on one side 8.1, for a third derivative 8.5, for a second one 0 (by computation, with these
///   points).
///
/// So [`ERRORS`] is 12. Added to it are what rounding the losses to the nearest number may do together, half a unit in the
/// last place each, and the rounding of the gradient itself.
///
/// Two kinks on both sides, one as much upwards as the other is downwards, are the one thing that escapes it.
///
/// Returns the largest bound of the tensors, each as a part of the length of its gradient.
fn check_slopes(case: &Architecture) -> Result<f64, TestCaseError> {
    let parameters = case.parameters();
    let (middle, found) = of::<f64>(case, Reduction::Mean, &[]);
    let rounding = f64::EPSILON * middle.abs() / STEP + case.rounding::<f64>() * norm(&found);
    let mut widest = 0.0_f64;
    for (index, gradient) in found.iter().enumerate() {
        let (rows, columns) = parameters[index].dim();
        let direction = noise::<f64>(rows, columns, case.seed + 99);
        let direction = &direction / norm([&direction]);
        let loss = |step: f64| {
            let mut moved = parameters.clone();
            moved[index].scaled_add(step, &direction);
            gradients(
                &case.network::<f64>(&moved),
                &case.data(),
                &*case.loss(Reduction::Mean, Vec::new()),
            )
            .0
        };
        let half = f64::from(POINTS / 2);
        let steps = (0..POINTS).map(|point| STEP * (f64::from(point) - half) / half);
        let line = Line::through(&steps.map(|step| (step, loss(step))).collect::<Vec<_>>());
        // As parameters are told, a row has no constant above it, and gamma is the second number.
        let body = gradient.slice(ndarray::s![1.., ..]);
        let expected = (&body * &direction).sum();
        let bound = ERRORS * line.error + rounding;
        prop_assert!(
            (line.slope - expected).abs() <= bound,
            "tensor {}: gradient {}, slope {} to {}",
            index,
            expected,
            line.slope,
            bound
        );
        widest = widest.max(bound / norm([gradient]));
    }
    Ok(widest)
}

fn check_order<T: Element>(case: &Architecture, turn: usize) -> Result<(), TestCaseError> {
    let (network, loss) = (
        case.network::<T>(&case.parameters()),
        case.loss(Reduction::Mean, Vec::new()),
    );
    let (mean, expected) = gradients(&network, &case.data(), &*loss);
    let mut order: Vec<usize> = (0..case.samples).rev().collect();
    order.rotate_left(turn % case.samples);
    let (turned_mean, found) = gradients(&network, &case.data().select(&order).unwrap(), &*loss);
    prop_assert!(
        (mean - turned_mean).abs() <= case.rounding::<T>() * mean.max(1.0),
        "{} {}",
        mean,
        turned_mean
    );
    check_close(case, &found, &expected)
}

fn check_parts<T: Element>(case: &Architecture, batch_size: usize) -> Result<(), TestCaseError> {
    let (network, loss) = (
        case.network::<T>(&case.parameters()),
        case.loss(Reduction::Sum, Vec::new()),
    );
    let (_, whole) = gradients(&network, &case.data(), &*loss);
    let parts = gradients_of_batches(&network, &case.data(), &*loss, batch_size.min(case.samples));
    let zeros = whole
        .iter()
        .map(|tensor| tensor.mapv(|_| T::zero()))
        .collect::<Vec<_>>();
    let sums = parts.iter().fold(zeros, |sums, (_, part)| {
        sums.iter().zip(part).map(|(sum, part)| sum + part).collect()
    });
    check_close(case, &sums, &whole)
}

/// Sum and mean: gradients that are apart by the number of samples, and steps that are the same where the rate makes up for
/// that; bit for bit where the number is a power of 2, since nothing is rounded then.
fn check_reductions<T: Element>(case: &Architecture) -> Result<(), TestCaseError> {
    let samples = case.samples as f64;
    let (mean_loss, mean) = of::<T>(case, Reduction::Mean, &[]);
    let (sum_loss, sum) = of::<T>(case, Reduction::Sum, &[]);
    prop_assert_eq!(mean_loss, sum_loss, "what is reported is the mean");
    let step = |reduction, rate: f64| {
        let network = case.network::<T>(&case.parameters());
        let loss = case.loss(reduction, Vec::new());
        weights_after_a_step(network, &case.data(), &*loss, &mut Sgd::new(rate).unwrap())
    };
    let (short, long) = (step(Reduction::Sum, 0.5 / samples), step(Reduction::Mean, 0.5));
    if case.samples.is_power_of_two() {
        prop_assert_eq!(&times(&mean, samples), &sum);
        prop_assert_eq!(short, long);
        return Ok(());
    }
    check_close(case, &times(&mean, samples), &sum)?;
    check_close(case, &short, &long)
}

/// What a step along a clipped gradient depends on, and what not. The loss is made longer by a power of 2, so that all of
/// this is exact.
fn check_clipping<T: Element>(case: &Architecture, limit: f64) -> Result<(), TestCaseError> {
    let step = |reduction, rate: f64, clip: Option<Clip>| {
        let network = case.network::<T>(&case.parameters());
        let loss = case.loss(reduction, Vec::new());
        let sgd = Sgd::new(rate).unwrap();
        let mut sgd = match clip {
            Some(clip) => sgd.clip(clip).unwrap(),
            None => sgd.weight_decay(0.0).unwrap(),
        };
        let optimizer: &mut dyn Optimizer<T> = &mut sgd;
        weights_after_a_step(network, &case.data(), &*loss, optimizer)
    };
    let samples = case.samples as f64;
    prop_assert!(case.samples.is_power_of_two());
    let (_, mean) = of::<T>(case, Reduction::Mean, &[]);
    // Far from 0, below which no gradient is shortened.
    let shortest = mean
        .iter()
        .map(|tensor| norm([tensor]))
        .fold(f64::INFINITY, f64::min);
    let below_all = limit * shortest;
    for clip in [Clip::PerTensor, Clip::Global] {
        if below_all > 0.0 {
            let (one, other) = (
                step(Reduction::Mean, 0.5, Some(clip(below_all))),
                step(Reduction::Sum, 0.5, Some(clip(below_all))),
            );
            prop_assert_eq!(&one, &other, "the length of what is too long does not matter");
        }
        let limit = limit * norm(&mean);
        prop_assert_eq!(
            step(Reduction::Mean, 0.5, Some(clip(limit))),
            step(Reduction::Sum, 0.5 / samples, Some(clip(limit * samples))),
            "gradient and limit are measured alike"
        );
        let beyond_all = 2.0 * norm(&mean) + 1.0;
        check_close(
            case,
            &step(Reduction::Mean, 0.5, Some(clip(beyond_all))),
            &step(Reduction::Mean, 0.5, None),
        )?;
    }
    Ok(())
}

/// Weights of 4 make everything four times as large; and those of 0 and 1 leave only the samples of some classes.
fn check_class_weights<T: Element>(case: &Architecture) -> Result<(), TestCaseError> {
    let data = case.data::<T>();
    let Targets::Classes { labels, classes } = data.targets() else {
        return Ok(());
    };
    let (loss, own) = of::<T>(case, Reduction::Sum, &[]);
    let (weighted_loss, weighted) = of::<T>(case, Reduction::Sum, &vec![4.0; *classes]);
    prop_assert_eq!(4.0 * loss, weighted_loss);
    prop_assert_eq!(times(&own, 4.0), weighted);

    let weights: Vec<f64> = (0..*classes)
        .map(|class| f64::from(u8::from(class % 2 == 0)))
        .collect();
    let (_, found) = of::<T>(case, Reduction::Sum, &weights);
    let kept: Vec<usize> = (0..case.samples)
        .filter(|&sample| labels[sample] % 2 == 0)
        .collect();
    let kept: Dataset<T> = data.select(&kept).unwrap();
    let (_, expected) = gradients(
        &case.network(&case.parameters()),
        &kept,
        &*case.loss(Reduction::Sum, Vec::new()),
    );
    check_close(case, &found, &expected)
}

/// The bounds of a case's slopes must be narrow enough to find a mistake in most cases. They cannot be in all: of weights
/// before dead ReLUs the gradient is 0, and so it is, up to rounding, along weights whose scale batch normalisation takes
/// back. Of 2,880 cases (seeds 1 to 60) 4.3 % had a bound of a ten-thousandth of its gradient or more. With this part and 48
/// independent cases the binomial distribution gives more than 12 such cases a probability of 2e-7.
#[test]
fn gradients_are_slopes() {
    let bounds = measured(48, &architecture(ALL), |case| check_slopes(&case));
    assert_narrow("slopes", &bounds, 1e-4, 12);
}

/// Batches of a power of 2.
fn even(mut case: Architecture) -> Architecture {
    case.samples = if case.samples < 20 { 16 } else { 256 };
    case
}

proptest! {
    #![proptest_config(property::config(48))]

    #[test]
    fn the_order_within_a_batch_does_not_matter(case in architecture(NO_DROPOUT), turn in 1..1000_usize) {
        check_order::<f64>(&case, turn)?;
        check_order::<f32>(&case, turn)?;
    }

    #[test]
    fn the_gradients_of_parts_add_up(case in architecture(NO_BATCH_NORM), batch_size in 1..300_usize) {
        check_parts::<f64>(&case, batch_size)?;
        check_parts::<f32>(&case, batch_size)?;
    }

    #[test]
    fn the_mean_is_the_sum_divided(case in architecture(ALL)) {
        check_reductions::<f64>(&case)?;
        check_reductions::<f32>(&case)?;
        let case = even(case);
        check_reductions::<f64>(&case)?;
        check_reductions::<f32>(&case)?;
    }

    #[test]
    fn clipping_is_by_length_alone(case in architecture(ALL), limit in 0.01..0.9) {
        let case = even(case);
        check_clipping::<f64>(&case, limit)?;
        check_clipping::<f32>(&case, limit)?;
    }

    #[test]
    fn classes_count_as_they_are_weighted(case in architecture(NEITHER)) {
        check_class_weights::<f64>(&case)?;
        check_class_weights::<f32>(&case)?;
    }
}
