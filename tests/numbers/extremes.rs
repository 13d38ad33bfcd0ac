//! Numbers at the ends of their range, in one network and one loss at a time: what comes out is exact where it is known, and
//! finite. Whole trainings are in `divergence`.

use mfnet::layer::Linear;
use mfnet::loss::Loss;
use mfnet::loss::{ProbabilityCrossEntropyLoss, softmax};
use mfnet::{
    Adam, Clip, CrossEntropyLoss, DataLoader, Dataset, Element, MseLoss, NeuralNetwork, Reduction, Sgd,
    Shuffle, Workspace,
};
use ndarray::{Array2, array};

use crate::learned::learned;
use crate::once::{fit, max, number};

/// -ln 1e-100, the most that the cross-entropy of a sample can be.
const LARGEST: f64 = 230.258_509_299_404_56;

/// The smallest number above 0, a denormal one.
fn smallest<T: Element>() -> T {
    T::from_f64(if T::NAME == "f32" {
        2_f64.powi(-149)
    } else {
        f64::from_bits(1)
    })
}

/// The loss of one sample, and dJ/d bias of the last layer, which is dJ/dZ.
fn loss_and_delta<T: Element>(
    network: &NeuralNetwork<T>,
    data: &Dataset<T>,
    loss: &dyn Loss<T>,
) -> (f64, Vec<T>) {
    let loader = DataLoader::new(data, 1, Shuffle::None, 0).unwrap();
    let mut workspace = Workspace::new(network, 1).unwrap();
    let batch = loader.batches().next().unwrap();
    let value = network.forward_backward(&batch, loss, &mut workspace).unwrap();
    network.gradients(&mut workspace).unwrap();
    let gradient = workspace.gradients().last().unwrap();
    (value, gradient.column(0).iter().skip(1).copied().collect())
}

/// A network that hands on two numbers, and maybe their softmax.
fn handed_on<T: Element>(with_softmax: bool) -> NeuralNetwork<T> {
    let layer = Linear::from_weights(Array2::eye(2).view(), &[T::zero(); 2]).unwrap();
    let builder = NeuralNetwork::builder(2).layer(Box::new(layer));
    let builder = if with_softmax { builder.softmax() } else { builder };
    builder.build().unwrap()
}

#[test]
fn huge_logits_have_exact_losses_and_gradients() {
    fn check<T: Element>() {
        let [half, one, zero] = [0.5, 1.0, 0.0].map(number::<T>);
        for huge in [number::<T>(1e4), max::<T>()] {
            let probabilities = softmax(array![[huge, -huge], [huge, huge], [-huge, -huge]].view());
            assert_eq!(probabilities, array![[one, zero], [half, half], [half, half]]);
            // Logits, loss and dJ/dZ for class 0; behind a softmax of its own there is nothing to learn from a
            // probability that is 0.
            for (logits, expected, delta, delta_of_probabilities) in [
                ([huge, -huge], 0.0, [zero, zero], [zero, zero]),
                ([-huge, huge], LARGEST, [-one, one], [zero, zero]),
                ([huge, huge], 2_f64.ln(), [-half, half], [-half, half]),
                ([-huge, -huge], 2_f64.ln(), [-half, half], [-half, half]),
            ] {
                let data = Dataset::classification(array![logits], vec![0], 2).unwrap();
                for reduction in [Reduction::Mean, Reduction::Sum] {
                    let (loss, found) = loss_and_delta(
                        &handed_on(false),
                        &data,
                        &CrossEntropyLoss::default().with_reduction(reduction),
                    );
                    assert!(
                        (loss - expected).abs() <= 1e-7,
                        "{logits:?}: {loss}, not {expected}"
                    );
                    assert_eq!(found, delta, "{logits:?}");
                    let loss = ProbabilityCrossEntropyLoss::default().with_reduction(reduction);
                    let (loss, found) = loss_and_delta(&handed_on(true), &data, &loss);
                    assert!(
                        (loss - expected).abs() <= 1e-7,
                        "{logits:?}: {loss}, not {expected}"
                    );
                    assert_eq!(found, delta_of_probabilities, "{logits:?}");
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn sigmoid_and_tanh_saturate_to_their_limits() {
    fn check<T: Element>() {
        let [one, zero] = [1.0, 0.0].map(number::<T>);
        // The last argument is infinite: twice the largest number.
        for (input, weight) in [(number::<T>(1e4), one), (max(), one), (max(), number(2.0))] {
            let linear = || {
                let layer = Linear::from_weights(array![[weight]].view(), &[zero]).unwrap();
                NeuralNetwork::builder(1).layer(Box::new(layer))
            };
            let inputs = array![[input], [-input]];
            let targets = array![[one], [one]];
            let data = Dataset::regression(inputs.clone(), targets).unwrap();
            for (network, low) in [(linear().sigmoid(), zero), (linear().tanh(), -one)] {
                let mut network = network.build().unwrap();
                assert_eq!(network.predict(inputs.view()).unwrap(), array![[one], [low]]);
                let (_, delta) = loss_and_delta(&network, &data, &MseLoss::default());
                assert_eq!(delta, [zero]);
                // No slope, nothing to learn; not even from an input as large as can be.
                let before = learned(&network);
                let loss = fit(
                    &mut network,
                    &data,
                    Box::new(MseLoss::default()),
                    Box::new(Sgd::new(1.0).unwrap()),
                )
                .unwrap()
                .train_loss();
                assert_eq!(loss, Some(((one - low) * (one - low)).as_f64() / 2.0));
                assert_eq!(learned(&network), before);
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// Numbers too small to be normal are kept as they are: none is taken for 0, as some CPUs can be told to.
#[test]
fn denormal_numbers_underflow_gradually() {
    fn check<T: Element>(outputs: usize, inputs: usize) {
        let what = format!("{}, {outputs} x {inputs}", T::NAME);
        let (tiny, one, half) = (smallest::<T>(), T::one(), number::<T>(0.5));
        let network = |weight: T| {
            let weights = Array2::from_elem((outputs, inputs), weight);
            let layer = Linear::from_weights(weights.view(), &vec![T::zero(); outputs]).unwrap();
            let builder = NeuralNetwork::builder(inputs).layer(Box::new(layer));
            builder.build().unwrap()
        };
        let samples = |value: T| Array2::from_elem((3, inputs), value);
        // A sum of inputs, each of which is as small as can be; or of such weights.
        let expected = Array2::from_elem((3, outputs), number::<T>(inputs as f64) * tiny);
        for (weight, input) in [(one, tiny), (tiny, one)] {
            let found = network(weight).predict(samples(input).view()).unwrap();
            assert_eq!(found, expected, "{what}, weights of {weight}");
        }
        assert_eq!(
            network(tiny).predict(samples(half).view()).unwrap(),
            Array2::zeros((3, outputs)),
            "{what}: halves are rounded to the even number, 0"
        );

        // The gradient is 3 x where 2 (p - y) is 1 of each sample: p is 0, as the product of two that small is.
        let targets = Array2::from_elem((3, outputs), -half);
        let data = Dataset::regression(samples(tiny), targets).unwrap();
        let loss = MseLoss::default().with_reduction(Reduction::Sum);
        let clipped = || Sgd::new(1.0).unwrap().clip(Clip::Global(1e30)).unwrap();
        for optimizer in [Sgd::new(1.0).unwrap(), clipped()] {
            let mut trained = network(tiny);
            fit(&mut trained, &data, Box::new(loss), Box::new(optimizer.clone())).unwrap();
            let weights = trained.parameters().next().unwrap();
            assert_eq!(weights[[1, 0]], number(-3.0), "{what}, {optimizer:?}");
            assert_eq!(
                weights[[outputs, inputs]],
                number::<T>(-2.0) * tiny,
                "{what}, {optimizer:?}"
            );
        }
        // Adam's means of such gradients are 0: nothing moves.
        let mut trained = network(tiny);
        let before = learned(&trained);
        let equal = Dataset::regression(samples(tiny), Array2::zeros((3, outputs))).unwrap();
        let adam = Box::new(Adam::new(0.1).unwrap());
        fit(&mut trained, &equal, Box::new(loss), adam).unwrap();
        assert_eq!(learned(&trained), before, "{what}, Adam");
    }
    // Few outputs, few inputs, and products by BLAS.
    for (outputs, inputs) in [(2, 50), (50, 2), (50, 50)] {
        check::<f32>(outputs, inputs);
        check::<f64>(outputs, inputs);
    }
}
