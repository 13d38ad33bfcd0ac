//! Figures 2 to 7 of the report: learning curves of the mean, of a linear model and of a network on California Housing;
//! loss and accuracy of both MNIST models; the confusion matrix of the better one. Fetches the data sets where they are
//! not yet on this machine.
//!
//! All with the report's settings: batches of 1024, learning rate 0.001, 500 epochs for California Housing and 100 for
//! MNIST, where its results are those of the gradients' sum.
//!
//! ```text
//! cargo run --release --example 11_report_figures [MNIST'S EPOCHS [FOLDER FOR PICTURES]]
//! ```

#[path = "common/lines.rs"]
mod lines;
#[path = "common/save_pictures.rs"]
mod save_pictures;

use lines::line;
use mfnet::baseline::mean_predictor;
use mfnet::data::Normalization;
use mfnet::data::known::{self, DIGIT_CLASSES, Source};
use mfnet::data::train_test_split;
use mfnet::metrics::confusion_matrix;
use mfnet::report::{Curves, Panel, Picture, Series, confusion, curves};
use mfnet::{
    CrossEntropyLoss, Dataset, Error, MseLoss, NeuralNetwork, Reduction, Sets, Sgd, Targets, TrainOptions,
    Trainer, argmax,
};
use ndarray::ArrayView2;
use save_pictures::save_pictures;

/// What goes wrong in here.
type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let epochs: usize = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let mut pictures = Vec::new();
    match known::california_housing(&Source::default(), &mut |_| {}) {
        Err(error @ Error::Unavailable { .. }) => eprintln!("SKIPPED: {error}"),
        answer => pictures.extend(california_housing(&answer?, 5 * epochs)?),
    }
    match known::mnist(&Source::default(), &mut |_| {}) {
        Err(error @ Error::Unavailable { .. }) => eprintln!("SKIPPED: {error}"),
        answer => {
            let (train, test) = answer?;
            pictures.extend(mnist((&train, &test), epochs)?);
        }
    }
    save_pictures(arguments.next().as_deref(), &pictures)
}

/// Figures 2 to 4.
fn california_housing(all: &Dataset<f64>, epochs: usize) -> Result<[(&'static str, Picture); 3], Failure> {
    let (train, test) = train_test_split(all, 0.2, 0)?;
    let of_inputs = Normalization::of(train.to_values().view())?;
    let of_targets = Normalization::of(values(&train))?;
    let normalized = |data: &Dataset<f64>| -> mfnet::Result<Dataset<f64>> {
        let inputs = of_inputs.apply(data.to_values().view())?;
        Dataset::regression(inputs, of_targets.apply(values(data))?)
    };
    let (train, test) = (normalized(&train)?, normalized(&test)?);
    let loss = MseLoss::default();
    let draw = |title: String, lines| {
        curves(&Curves {
            title: &title,
            panels: vec![Panel::loss("mean squared error", lines)],
            ..Curves::default()
        })
    };

    let mean = mean_predictor(&train)?;
    let level = |name, data| -> mfnet::Result<Series<'_>> {
        let loss = mean.evaluate(data, &loss)?.loss;
        Ok(Series {
            name,
            points: vec![(1.0, loss), (epochs.max(2) as f64, loss)],
        })
    };
    let of_mean = draw(
        "California Housing: the mean".to_owned(),
        vec![level("train", &train)?, level("test", &test)?],
    )?;

    let learned = |network: mfnet::Result<NeuralNetwork<f64>>| -> mfnet::Result<Picture> {
        let options = TrainOptions::default().with_epochs(epochs);
        let mut trainer = Trainer::new(network?, loss, Sgd::new(0.001)?).options(options);
        let history = trainer.fit(Sets::from(&train).with_test(&test))?;
        let lines = vec![
            line("train", history, |record| Some(record.train_loss)),
            line("test", history, |record| Some(record.test?.loss)),
        ];
        let architecture = trainer.network().architecture();
        draw(format!("California Housing: {architecture}"), lines)
    };
    let features = train.features();
    let linear = NeuralNetwork::builder(features).linear(1).build();
    let hidden = NeuralNetwork::builder(features)
        .linear(512)
        .relu()
        .linear(1)
        .build();
    Ok([
        ("figure-2-mean", of_mean),
        ("figure-3-linear", learned(linear)?),
        ("figure-4-network", learned(hidden)?),
    ])
}

/// Figures 5 to 7.
fn mnist(
    (train, test): (&Dataset<f32>, &Dataset<f32>),
    epochs: usize,
) -> Result<[(&'static str, Picture); 3], Failure> {
    let learned =
        |network: mfnet::Result<NeuralNetwork<f32>>| -> mfnet::Result<(NeuralNetwork<f32>, Picture)> {
            let loss = CrossEntropyLoss::default().with_reduction(Reduction::Sum);
            let options = TrainOptions::default().with_epochs(epochs);
            let mut trainer = Trainer::new(network?, loss, Sgd::new(0.001)?).options(options);
            let history = trainer.fit(Sets::from(train).with_test(test))?;
            let losses = vec![
                line("train", history, |record| Some(record.train_loss)),
                line("test", history, |record| Some(record.test?.loss)),
            ];
            let accuracies = vec![line("test", history, |record| record.test?.accuracy)];
            let network = trainer.into_network();
            let picture = curves(&Curves {
                title: &format!("MNIST: {}", network.architecture()),
                panels: vec![
                    Panel::loss("cross-entropy", losses),
                    Panel::accuracy("accuracy", accuracies),
                ],
                ..Curves::default()
            })?;
            Ok((network, picture))
        };
    let (_, of_linear) = learned(NeuralNetwork::builder(784).linear(10).build())?;
    let (network, of_hidden) = learned(NeuralNetwork::builder(784).linear(512).relu().linear(10).build())?;
    let labels = match test.targets() {
        Targets::Classes { labels, .. } => labels,
        Targets::Values(_) => unreachable!("digits have classes"),
    };
    let predicted = argmax(network.predict_dataset(test)?.view())?;
    let counts = confusion_matrix(&predicted, labels, DIGIT_CLASSES.len())?;
    let title = format!("MNIST, test images: {}", network.architecture());
    let of_digits = confusion(&title, counts.view(), &DIGIT_CLASSES)?;
    Ok([
        ("figure-5-mnist-linear", of_linear),
        ("figure-6-mnist-network", of_hidden),
        ("figure-7-confusion", of_digits),
    ])
}

/// The targets of a data set for regression.
fn values(data: &Dataset<f64>) -> ArrayView2<'_, f64> {
    match data.targets() {
        Targets::Values(values) => values.view(),
        Targets::Classes { .. } => unreachable!("house prices are numbers"),
    }
}
