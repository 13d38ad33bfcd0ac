//! Laws of what networks are given: how it lies in memory changes no bit, nor whether pixels are bytes; and leaving out zeros
//! changes nothing but the rounding.

use mfnet::data::Inputs;
use mfnet::{Dataset, Element, NeuralNetwork, Reduction, Sgd, Targets, TrainOptions};
use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder, Slice, s};
use proptest::prelude::*;

use crate::architecture::{Architecture, Layers, architecture};
use crate::learned::learned;
use crate::noise::noise;
use crate::once::train;
use crate::property;
use crate::steps::{gradients, norm, weights_after_a_step};

const ALL: Layers = Layers {
    batch_norm: true,
    dropout: true,
};

/// The same matrix in every layout: row-major, column-major, every second number of a larger one, and backwards in memory.
fn layouts<A: Copy + Default>(matrix: &Array2<A>) -> [Array2<A>; 5] {
    let shape = matrix.dim();
    let filled = |mut place: Array2<A>| {
        place.assign(matrix);
        place
    };
    let mut strided = Array2::default((2 * shape.0, 3 * shape.1));
    strided.slice_collapse(s![1..;2, ..;3]);
    let mut reversed = Array2::default(shape);
    reversed.invert_axis(Axis(0));
    let mut mirrored = Array2::default(shape.f());
    mirrored.invert_axis(Axis(0));
    mirrored.invert_axis(Axis(1));
    [
        filled(Array2::default(shape)),
        filled(Array2::default(shape.f())),
        filled(strided),
        filled(reversed),
        filled(mirrored),
    ]
}

/// All that comes of a short training: losses, and what was learned.
fn trained<T: Element>(case: &Architecture, data: &Dataset<T>) -> (Vec<f64>, Vec<T>) {
    let mut network = case.network::<T>(&case.parameters());
    // None of one sample, from which batch normalisation cannot learn.
    let batch_size = if case.samples < 6 {
        case.samples
    } else {
        case.samples.div_ceil(2)
    };
    let options = TrainOptions::default().with_epochs(2).with_batch_size(batch_size);
    let loss = case.loss(Reduction::Mean, Vec::new());
    let sgd = Box::new(Sgd::new(0.01).unwrap().momentum(0.5).unwrap());
    let history = train(&mut network, data, loss, sgd, &options).unwrap();
    let losses = history.epochs.iter().map(|epoch| epoch.train_loss).collect();
    (losses, learned(&network))
}

fn check_layouts<T: Element + Default>(case: &Architecture) -> Result<(), TestCaseError> {
    let network = case.network::<T>(&case.parameters());
    let (expected_data, expected) = (case.data::<T>(), trained::<T>(case, &case.data()));
    let predicted = network.predict(case.values().view()).unwrap();
    let predicted_dataset = network.predict_dataset(&expected_data).unwrap();
    for (layout, inputs) in layouts(&case.values::<T>()).into_iter().enumerate() {
        prop_assert_eq!(
            &network.predict(inputs.view()).unwrap(),
            &predicted,
            "layout {}",
            layout
        );
        let targets = match case.targets::<T>() {
            Targets::Values(values) => Targets::Values(layouts(&values)[(layout + 1) % 5].clone()),
            classes @ Targets::Classes { .. } => classes,
        };
        let data = Dataset::new(Inputs::Values(inputs), targets).unwrap();
        prop_assert!(data == expected_data);
        prop_assert_eq!(
            &network.predict_dataset(&data).unwrap(),
            &predicted_dataset,
            "layout {}",
            layout
        );
        prop_assert!(trained(case, &data) == expected, "{}, layout {}", T::NAME, layout);
    }
    Ok(())
}

/// Pixels, as bytes and as the numbers that they stand for.
fn check_pixels<T: Element>(case: &Architecture) -> Result<(), TestCaseError> {
    let bytes = case
        .values::<f64>()
        .mapv(|value| (value.abs() * 255.0).round() as u8);
    let numbers = bytes.mapv(|byte| T::from_u8(byte) / T::from_u8(255));
    let numbers = Dataset::new(Inputs::Values(numbers), case.targets()).unwrap();
    let network = case.network::<T>(&case.parameters());
    for bytes in layouts(&bytes) {
        let pixels = Dataset::new(Inputs::Pixels(bytes), case.targets()).unwrap();
        prop_assert_eq!(pixels.to_values(), numbers.to_values());
        prop_assert_eq!(
            network.predict_dataset(&pixels).unwrap(),
            network.predict_dataset(&numbers).unwrap()
        );
        prop_assert!(trained(case, &pixels) == trained(case, &numbers), "{}", T::NAME);
    }
    Ok(())
}

/// A data set of few zeros whose samples with many are selected is not looked at again: it is treated as one of numbers
/// like any others, and must give the same, and so must a step that is fused into the gradient's products.
fn check_sparse<T: Element>(case: &Architecture) -> Result<(), TestCaseError> {
    let sparse = case.data::<T>();
    let full = noise::<T>(4 * case.samples, case.inputs(), 5);
    let both = ndarray::concatenate![Axis(0), case.values::<T>(), full];
    let twice = |targets: Targets<T>| match targets {
        Targets::Values(values) => {
            let more = Array2::zeros((4 * case.samples, values.ncols()));
            Targets::Values(ndarray::concatenate![Axis(0), values, more])
        }
        Targets::Classes { labels, classes } => {
            let more = vec![0; 4 * case.samples];
            Targets::Classes {
                labels: [labels, more].concat(),
                classes,
            }
        }
    };
    let both = Dataset::new(Inputs::Values(both), twice(case.targets())).unwrap();
    let dense = both.select(&(0..case.samples).collect::<Vec<_>>()).unwrap();
    prop_assert!(dense == sparse);
    let network: NeuralNetwork<T> = case.network(&case.parameters());
    let loss = case.loss(Reduction::Mean, Vec::new());
    let (dense_loss, of_dense) = gradients(&network, &dense, &*loss);
    let (sparse_loss, of_sparse) = gradients(&network, &sparse, &*loss);
    let bound = case.rounding::<T>();
    prop_assert!((dense_loss - sparse_loss).abs() <= bound * dense_loss.max(1.0));
    let step = |data| {
        let network = case.network(&case.parameters());
        weights_after_a_step(network, data, &*loss, &mut Sgd::new(1.0).unwrap())
    };
    for (found, expected) in [(&of_sparse, &of_dense), (&step(&sparse), &step(&dense))] {
        let off: Vec<Array2<T>> = found
            .iter()
            .zip(expected)
            .map(|(found, expected)| found - expected)
            .collect();
        let (off, length) = (norm(&off), norm(expected));
        prop_assert!(off <= bound * length, "{}: off by {} of {}", T::NAME, off, length);
    }
    Ok(())
}

/// A prediction is of a sample alone, however many come with it, up to the rounding of products of other shapes; and of a
/// view of any kind.
fn check_views<T: Element>(case: &Architecture) -> Result<(), TestCaseError> {
    let network = case.network::<T>(&case.parameters());
    let inputs = case.values::<T>();
    let all = network.predict(inputs.view()).unwrap();
    let same = |view: ArrayView2<'_, T>, expected: ArrayView2<'_, T>| {
        let copied = Array2::from_shape_vec(view.dim(), view.iter().copied().collect()).unwrap();
        let (of_view, of_copy) = (
            network.predict(view).unwrap(),
            network.predict(copied.view()).unwrap(),
        );
        prop_assert_eq!(&of_view, &of_copy);
        let off = &of_view - &expected;
        let scale = norm([&expected.to_owned()]).max(1.0);
        prop_assert!(
            norm([&off]) <= case.rounding::<T>() * scale,
            "{}: {}",
            T::NAME,
            norm([&off])
        );
        Ok(())
    };
    let backwards = Slice::new(0, None, -1);
    same(
        inputs.slice_axis(Axis(0), backwards),
        all.slice_axis(Axis(0), backwards),
    )?;
    same(inputs.slice(s![..;2, ..]), all.slice(s![..;2, ..]))?;
    same(inputs.slice(s![..1, ..]), all.slice(s![..1, ..]))?;
    let transposed = Array2::from_shape_vec(inputs.t().dim(), inputs.t().iter().copied().collect()).unwrap();
    same(transposed.t(), all.view())
}

proptest! {
    #![proptest_config(property::config(32))]

    #[test]
    fn layouts_change_no_bit(case in architecture(ALL)) {
        check_layouts::<f64>(&case)?;
        check_layouts::<f32>(&case)?;
    }

    #[test]
    fn pixels_are_the_numbers_that_they_stand_for(case in architecture(ALL)) {
        check_pixels::<f64>(&case)?;
        check_pixels::<f32>(&case)?;
    }

    #[test]
    fn zeros_that_are_left_out_change_nothing(case in architecture(ALL)) {
        check_sparse::<f64>(&case)?;
        check_sparse::<f32>(&case)?;
    }

    #[test]
    fn a_prediction_is_of_its_sample_alone(case in architecture(ALL)) {
        check_views::<f64>(&case)?;
        check_views::<f32>(&case)?;
    }
}
