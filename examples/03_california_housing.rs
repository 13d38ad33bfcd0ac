//! California Housing: what a network gains over models that need no training, or little.
//!
//! Inputs and targets are normalised by the statistics of the training part, so that 1 is the variance that there
//! is to explain. Fetches the data set where it is not yet on this machine.
//!
//! ```text
//! cargo run --release --features linalg --example 03_california_housing [EPOCHS]
//! ```

use mfnet::baseline::mean_predictor;
use mfnet::data::Normalization;
use mfnet::data::known::{self, Source};
use mfnet::data::train_test_split;
use mfnet::{Dataset, Error, MseLoss, NeuralNetwork, Sets, Sgd, Targets, TrainOptions, Trainer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let epochs = std::env::args().nth(1).map_or(Ok(500), |text| text.parse())?;
    let all = match known::california_housing::<f64>(&Source::default(), &mut |_| {}) {
        Err(error @ Error::Unavailable { .. }) => {
            eprintln!("SKIPPED: {error}");
            return Ok(());
        }
        answer => answer?,
    };
    let (train, test) = train_test_split(&all, 0.2, 0)?;
    let of_inputs = Normalization::of(train.to_values().view())?;
    let of_targets = Normalization::of(values(&train)?)?;
    let normalised = |data: &Dataset<f64>| -> mfnet::Result<Dataset<f64>> {
        let inputs = of_inputs.apply(data.to_values().view())?;
        Dataset::regression(inputs, of_targets.apply(values(data)?)?)
    };
    let (train, test) = (normalised(&train)?, normalised(&test)?);

    println!("{:<28} {:>10} {:>10}", "mean squared error", "training", "test");
    let report = |name: &str, network: &NeuralNetwork<f64>| -> mfnet::Result<()> {
        let [train, test] = [&train, &test].map(|data| network.evaluate(data, &MseLoss::default()));
        println!("{name:<28} {:>10.4} {:>10.4}", train?.loss, test?.loss);
        Ok(())
    };
    report("mean predictor", &mean_predictor(&train)?)?;
    #[cfg(feature = "linalg")]
    report("least squares", &mfnet::baseline::least_squares(&train)?)?;

    let options = TrainOptions::default()
        .with_epochs(epochs)
        .with_test_interval(epochs);
    let linear = NeuralNetwork::builder(train.features()).linear(1);
    let hidden = NeuralNetwork::builder(train.features())
        .linear(512)
        .relu()
        .linear(1);
    for builder in [linear, hidden] {
        let mut trainer = Trainer::new(builder.build()?, MseLoss::default(), Sgd::new(0.001)?);
        trainer = trainer.options(options.clone());
        trainer.fit(Sets::from(&train).with_test(&test))?;
        let (network, history) = (trainer.network(), trainer.history());
        report(&network.architecture(), network)?;
        eprintln!(
            "  ({} epochs in {:.1} s)",
            history.epochs.len(),
            history.seconds()
        );
    }
    Ok(())
}

/// The targets of a data set for regression.
fn values(data: &Dataset<f64>) -> mfnet::Result<ndarray::ArrayView2<'_, f64>> {
    match data.targets() {
        Targets::Values(values) => Ok(values.view()),
        Targets::Classes { .. } => unreachable!("California Housing is a data set for regression"),
    }
}
