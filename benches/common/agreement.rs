//! The plain implementation is right; what is timed must agree with it.

use mfnet::{DataLoader, Dataset, Element, NeuralNetwork, Shuffle, Workspace, plain};

use super::common::assert_close;
use mfnet::internal::jobs::Job;
use mfnet::internal::jobs::twin::{self, Twin};

/// Takes one step on the first samples in both implementations, and compares its loss, the weights after it and the loss
/// of those.
pub fn check<T: Element>(job: &Job, data: &Dataset<T>) {
    const SAMPLES: usize = 200;
    let indices: Vec<usize> = (0..data.samples().min(SAMPLES)).collect();
    let data = data.select(&indices).unwrap();
    // The numbers of f32 carry seven digits, of which sums lose a few.
    let tolerance = if T::NAME == "f32" { 1e-4 } else { 1e-10 };
    let what = format!("{} {}", job.name, T::NAME);

    let mut network: NeuralNetwork<T> = job.network(data.features(), data.outputs(), 7).unwrap();
    let loss = job.loss();
    let mut twin = Twin::new(job, &network, &data).unwrap();
    let loader = DataLoader::new(&data, data.samples(), Shuffle::None, 0).unwrap();
    let batch = loader.batches().next().unwrap();
    let mut workspace = Workspace::new(&network, data.samples()).unwrap();
    let found = network.forward_backward(&batch, &*loss, &mut workspace).unwrap();
    network
        .apply_gradients(&mut *job.optimizer::<T>().unwrap(), &mut workspace)
        .unwrap();
    let expected = twin.step(&indices).unwrap();
    assert_close(&what, &[found], &[expected], tolerance);

    for (weights, (expected, _)) in network.parameters().zip(twin.network().layers()) {
        let weights: Vec<f64> = weights.iter().map(|value| value.as_f64()).collect();
        assert_close(&what, &weights, expected.values(), tolerance);
    }
    let (inputs, targets) = (twin::inputs(&data).unwrap(), twin::targets(&data).unwrap());
    let mean = plain::Reduction::Mean;
    let expected = twin.network().loss(&inputs, &targets, twin.loss(), mean).unwrap();
    let found = network.evaluate(&data, &*loss).unwrap().loss;
    assert_close(&what, &[found], &[expected], tolerance);
}
