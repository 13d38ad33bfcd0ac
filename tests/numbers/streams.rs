//! The random numbers of a seed are the same in every release: who changes a stream changes one of these tests, and says so
//! in the change log.
//!
//! The drawn digits, the points of `circle` and `cube` and the masks of `Dropout` have theirs beside their code.

use mfnet::data::k_folds;
use mfnet::data::train_test_split;
use mfnet::layer::Initializer;
use mfnet::{DataLoader, Dataset, Element, NeuralNetwork, Shuffle};
use ndarray::{Array2, s};

/// The weights of the first layer, two outputs of three inputs, row by row; the biases are 0.
fn first_weights<T: Element>(initializer: Initializer) -> Vec<T> {
    let builder = NeuralNetwork::builder(3).linear(2).relu().linear(1);
    let network = builder.initializer(initializer).seed(7).build().unwrap();
    let weights = network.parameters().next().unwrap();
    assert!(weights.column(0).iter().skip(1).all(|&bias| bias == T::zero()));
    weights.slice(s![1.., 1..]).iter().copied().collect()
}

#[test]
fn every_initializer_is_stable() {
    for (initializer, expected) in [
        (
            Initializer::He,
            [
                0.39836729461112064,
                -0.803004516369076,
                -0.5867058259872922,
                0.5480965815185352,
                -0.15018102239636155,
                -0.5934602642313839,
            ],
        ),
        (
            Initializer::Xavier,
            [
                0.8115312828421193,
                -0.8671995361360139,
                -0.6336091638003027,
                0.3757716558769302,
                -0.23770954176412107,
                -0.48950816745902714,
            ],
        ),
        (
            Initializer::LeCun,
            [
                0.32526553400340813,
                -0.6556504420848727,
                -0.47904330092900144,
                0.44751898482805863,
                -0.12262229130685945,
                -0.48455827666138973,
            ],
        ),
        (Initializer::Zeros, [0.0; 6]),
    ] {
        assert_eq!(first_weights::<f64>(initializer), expected, "{initializer:?}");
        let narrow = expected.map(|weight| weight as f32);
        assert_eq!(
            first_weights::<f32>(initializer),
            narrow,
            "{initializer:?}: both precisions draw the same"
        );
    }
}

/// PyTorch's bounds, which hold for the biases too.
#[test]
fn weights_and_biases_as_in_pytorch_are_stable() {
    let network = NeuralNetwork::<f64>::builder(3).linear(2).relu().linear(1);
    let network = network.initializer(Initializer::PyTorch).seed(7).build().unwrap();
    let first = network.parameters().next().unwrap().slice(s![1.., ..]);
    let expected = [
        -0.543779434598303,
        0.4277145410432367,
        -0.4570542866718831,
        -0.3339413506606108,
        0.4368354775599156,
        0.19804905211734947,
        -0.1252839289215904,
        -0.2579934570709407,
    ];
    assert_eq!(first.iter().copied().collect::<Vec<_>>(), expected);

    let many = NeuralNetwork::<f64>::builder(400).linear(300).relu().linear(1);
    let many = many.initializer(Initializer::PyTorch).seed(7).build().unwrap();
    let first = many.parameters().next().unwrap();
    let (biases, weights) = (first.slice(s![1.., 0]), first.slice(s![1.., 1..]));
    for (numbers, tolerance) in [(biases.into_dyn(), 0.1), (weights.into_dyn(), 0.01)] {
        let bound = 0.05;
        assert!(numbers.iter().all(|number| number.abs() <= bound));
        // The variance of a uniform distribution is a third of its bound's square.
        let variance = numbers.mapv(|number| number * number).mean().unwrap();
        assert!(
            (variance / (bound * bound / 3.0) - 1.0).abs() < tolerance,
            "{variance}"
        );
    }
    assert_ne!(first[[1, 0]], first[[1, 1]], "biases are draws of their own");
}

/// Up to the rounding of one LAPACK or another.
#[cfg(feature = "linalg")]
#[test]
fn orthogonal_weights_are_stable() {
    let expected = [
        0.3791528812187106,
        0.5216602890850803,
        -0.7642732727599603,
        -0.21886404818945096,
        -0.7519506401192593,
        -0.6218269560210151,
    ];
    let found = first_weights::<f64>(Initializer::Orthogonal);
    let close = found
        .iter()
        .zip(expected)
        .all(|(found, expected)| (found - expected).abs() < 1e-12);
    assert!(close, "{found:?}");
}

#[test]
fn initial_weights_are_stable() {
    let network = NeuralNetwork::<f64>::builder(2)
        .linear(2)
        .relu()
        .linear(1)
        .seed(7)
        .build()
        .unwrap();
    let weights: Vec<f64> = network.parameters().flatten().copied().collect();
    assert_eq!(
        weights,
        [
            1.0,
            0.0,
            0.0,
            0.0,
            0.45999492956014687,
            -0.9272297473723424,
            0.0,
            0.63288741776328,
            -0.1734141074154251,
            1.0,
            0.0,
            0.0,
            0.0,
            -1.800061351172908,
            0.20358710044425282
        ]
    );
    let network = NeuralNetwork::<f32>::builder(2)
        .linear(2)
        .relu()
        .linear(1)
        .seed(7)
        .build()
        .unwrap();
    let narrow: Vec<f32> = network.parameters().flatten().copied().collect();
    let rounded: Vec<f32> = weights.iter().map(|&weight| weight as f32).collect();
    assert_eq!(narrow, rounded, "both precisions draw the same");
}

fn numbered(samples: usize) -> Dataset<f64> {
    let numbers = Array2::from_shape_fn((samples, 1), |(sample, _)| sample as f64);
    Dataset::regression(numbers.clone(), numbers).unwrap()
}

fn numbers(data: &Dataset<f64>) -> Vec<usize> {
    data.to_values().iter().map(|&number| number as usize).collect()
}

#[test]
fn orders_are_stable() {
    let data = numbered(8);
    let order = |shuffle, epoch| {
        let mut loader = DataLoader::new(&data, 3, shuffle, 7).unwrap();
        loader.start_epoch(epoch);
        let batches: Vec<Vec<usize>> = loader.batches().map(|batch| batch.indices().to_vec()).collect();
        batches
    };
    assert_eq!(
        order(Shuffle::Samples, 1),
        [vec![2, 3, 6], vec![7, 1, 4], vec![5, 0]]
    );
    assert_eq!(
        order(Shuffle::Samples, 2),
        [vec![1, 7, 2], vec![5, 3, 6], vec![4, 0]]
    );
    assert_eq!(
        order(Shuffle::Batches, 1),
        [vec![6, 7], vec![0, 1, 2], vec![3, 4, 5]]
    );
    assert_eq!(
        order(Shuffle::None, 1),
        [vec![0, 1, 2], vec![3, 4, 5], vec![6, 7]]
    );
}

/// Many samples are dealt to piles and shuffled there, side by side.
#[test]
fn orders_of_many_samples_are_stable() {
    let data = numbered(200_000);
    let mut loader = DataLoader::new(&data, 200_000, Shuffle::Samples, 7).unwrap();
    loader.start_epoch(1);
    let batch = loader.batches().next().unwrap();
    assert_eq!(
        fnv(batch.indices().iter().map(|&index| index as u64)),
        "eb805c68aff4d705"
    );
}

#[test]
fn splits_are_stable() {
    let (train, test) = train_test_split(&numbered(8), 0.4, 7).unwrap();
    assert_eq!(numbers(&train), [6, 2, 3, 1, 7]);
    assert_eq!(numbers(&test), [0, 4, 5]);
    let folds = k_folds(&numbered(8), 3, 7).unwrap();
    let judged: Vec<Vec<usize>> = folds.iter().map(|(_, judged)| numbers(judged)).collect();
    assert_eq!(judged, [vec![1, 0, 5], vec![4, 7, 3], vec![2, 6]]);
}

/// What a network leaves out: the seeds of its dropouts, each drawn for its place.
#[test]
fn the_dropouts_of_a_network_are_stable() {
    let builder = NeuralNetwork::<f64>::builder(3)
        .dropout(0.5)
        .linear(2)
        .dropout(0.5);
    let network = builder.linear(1).seed(7).build().unwrap();
    let seeds: Vec<u64> = network
        .records()
        .unwrap()
        .iter()
        .filter_map(|record| record.seed)
        .collect();
    assert_eq!(seeds, [1_933_447_071_827_350_109, 13_100_786_494_745_465_694]);
}

/// FNV-1a of numbers, as hexadecimal digits.
fn fnv(numbers: impl Iterator<Item = u64>) -> String {
    let bytes = numbers.flat_map(u64::to_le_bytes);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
