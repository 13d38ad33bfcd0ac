//! The disc of radius 1 / sqrt(2 pi) in the unit square, learned with batch normalisation and L2 regularisation; and what
//! makes such a training come out well from every seed.
//!
//! 2-100-50-20-1 with ReLU, batch normalisation behind the first three layers, 1,000 samples in batches of 64, learning
//! rate 2e-3, regularisation 0.05. The framework whose task this is (Jin, Shen and Zhu, EPFL) reports a test accuracy of
//! about 0.977, and 0.74 when unlucky. Over the seeds 0 to 19, with one thing at a time done in another way:
//!
//! | | test accuracy: mean | least | most |
//! |---|---:|---:|---:|
//! | as below: SGD with momentum 0.9, the rate falling along a cosine | 0.977 | 0.964 | 0.986 |
//! | the rate stays as it is | 0.967 | 0.951 | 0.984 |
//! | without batch normalisation | 0.798 | 0.688 | 0.921 |
//! | Adam with the penalty in its gradient | 0.978 | 0.965 | 0.991 |
//! | Adam, and the rate stays as it is | 0.810 | 0.490 | 0.934 |
//! | running statistics with a momentum of 0.01, the rate stays as it is | 0.670 | 0.606 | 0.737 |
//! | running statistics with a momentum of 0.01 | 0.982 | 0.971 | 0.992 |
//!
//! Predictions use the running statistics, which lag behind the weights for as long as these move. Decay makes that worse:
//! weights in front of a batch normalisation shrink without any effect on the loss, so that steps of the same length turn
//! them further and further. Adam with the penalty in its gradient is worst, since its steps have that length however
//! small the gradient is; AdamW, whose decay is apart, comes to 0.975 with a rate that stays. A rate that falls to 0 lets
//! the statistics catch up: that is what makes it robust, whatever the optimizer. Batch normalisation itself is what
//! gets the network there in 100 epochs of such short steps.
//!
//! ```text
//! cargo run --release --example 07_disc [EPOCHS [FOLDER FOR PICTURES]]
//! ```

#[path = "common/lines.rs"]
mod lines;
#[path = "common/regions.rs"]
mod regions;
#[path = "common/save_pictures.rs"]
mod save_pictures;

use lines::line;
use mfnet::metrics::accuracy;
use mfnet::optimizer::Schedule;
use mfnet::report::{Curves, Panel, curves};
use mfnet::{Dataset, MseLoss, NeuralNetwork, Sets, Sgd, Targets, TrainOptions, Trainer};
use ndarray::Array2;
use regions::regions;
use save_pictures::save_pictures;

const SEEDS: u64 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let epochs = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let mut last = None;
    for seed in 0..SEEDS {
        let (train, test) = mfnet::data::circle::<f32>(seed, 1_000, 1_000)?;
        let trainer = trained(seed, epochs, (&train, &test))?;
        let accuracies = [
            accuracy_on(trainer.network(), &train)?,
            accuracy_on(trainer.network(), &test)?,
        ];
        let [learned, tested] = accuracies.map(|accuracy| 100.0 * accuracy);
        println!("seed {seed}: accuracy {learned:.1} % train, {tested:.1} % test");
        last = Some((trainer, test));
    }
    let Some((trainer, test)) = last else {
        return Ok(());
    };

    let history = trainer.history();
    let lines = vec![
        line("train", history, |record| Some(record.train_loss)),
        line("test", history, |record| Some(record.test?.loss)),
    ];
    let progress = curves(&Curves {
        title: "Disc: 2-100-50-20-1 with batch normalisation",
        panels: vec![Panel::loss("squared error", lines)],
        ..Curves::default()
    })?;
    let title = "What the network takes for the disc, and the test points";
    let regions = regions(title, &test, |points| inside(trainer.network(), &points))?;
    save_pictures(
        arguments.next().as_deref(),
        &[("disc-curves", progress), ("disc-plane", regions)],
    )
}

/// Trains a network from a seed.
fn trained(
    seed: u64,
    epochs: usize,
    (train, test): (&Dataset<f32>, &Dataset<f32>),
) -> mfnet::Result<Trainer<f32>> {
    let network = NeuralNetwork::builder(2)
        .linear(100)
        .batch_norm()
        .relu()
        .linear(50)
        .batch_norm()
        .relu()
        .linear(20)
        .batch_norm()
        .relu()
        .linear(1)
        .seed(seed)
        .build()?;
    let sgd = Sgd::new(2e-3)?.momentum(0.9)?.weight_decay(0.05)?;
    let options = TrainOptions::default()
        .with_epochs(epochs)
        .with_batch_size(64)
        .with_seed(seed)
        .with_schedule(Schedule::cosine(epochs));
    let mut trainer = Trainer::new(network, MseLoss::default(), sgd).options(options);
    let (train, test) = (one_output(train)?, one_output(test)?);
    let sets = Sets::from(&train).with_test(&test);
    trainer.fit(sets)?;
    Ok(trainer)
}

/// The same points, with the class as a number to be predicted: 0 or 1.
fn one_output(data: &Dataset<f32>) -> mfnet::Result<Dataset<f32>> {
    let labels = labels(data);
    let numbers = Array2::from_shape_fn((labels.len(), 1), |(sample, _)| labels[sample] as f32);
    Dataset::regression(data.to_values(), numbers)
}

/// The predicted classes: 1 for what comes nearer to 1 than to 0.
fn inside(network: &NeuralNetwork<f32>, points: &Array2<f32>) -> mfnet::Result<Vec<u32>> {
    let answers = network.predict(points.view())?;
    Ok(answers.iter().map(|&answer| u32::from(answer > 0.5)).collect())
}

fn accuracy_on(network: &NeuralNetwork<f32>, data: &Dataset<f32>) -> mfnet::Result<f64> {
    accuracy(&inside(network, &data.to_values())?, labels(data))
}

fn labels(data: &Dataset<f32>) -> &[u32] {
    match data.targets() {
        Targets::Classes { labels, .. } => labels,
        Targets::Values(_) => unreachable!("the points have classes"),
    }
}
