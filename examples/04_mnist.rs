//! MNIST as the report trains it: 784-512-10, batches of 1024, learning rate 0.001. Fetches MNIST where it is not
//! yet on this machine; where it is unavailable, trains on drawn digits instead, and says so.
//!
//! The report averages the loss over a batch in its text, and sums the gradients in its code: its accuracies come
//! from the sum, so that is used here.
//!
//! ```text
//! cargo run --release --example 04_mnist [EPOCHS]
//! ```

use mfnet::data::{digits, known};
use mfnet::metrics::confusion_matrix;
use mfnet::{
    CrossEntropyLoss, Error, Event, NeuralNetwork, Reduction, Sets, Sgd, Targets, TrainOptions, Trainer,
    argmax,
};
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let epochs = std::env::args().nth(1).map_or(Ok(30), |text| text.parse())?;
    let (train, test) = match known::mnist::<f32>(&known::Source::default(), &mut |_| {}) {
        Err(error @ Error::Unavailable { .. }) => {
            println!("{error}\n\nDRAWN DIGITS INSTEAD OF MNIST: the results below are not MNIST's.\n");
            digits::digits(0, digits::DEFAULT_TRAINING_SAMPLES, digits::DEFAULT_TEST_SAMPLES)?
        }
        answer => answer?,
    };

    let network = NeuralNetwork::builder(784)
        .linear(512)
        .relu()
        .linear(10)
        .build()?;
    // The learning rate of the report is meant for the sum.
    let loss = CrossEntropyLoss::default().with_reduction(Reduction::Sum);
    let options = TrainOptions::default().with_epochs(epochs);
    println!("{} in f32\n", network.architecture());
    println!("epoch  train loss  test loss  test accuracy  seconds");
    let observer = |event: Event<'_>| {
        if let Event::Epoch(record) = event
            && let Some(test) = record.test
        {
            println!(
                "{:>5}  {:>10.4}  {:>9.4}  {:>11.2} %  {:>7.3}",
                record.epoch,
                record.train_loss,
                test.loss,
                100.0 * test.accuracy.unwrap_or_default(),
                record.seconds
            );
        }
        ControlFlow::Continue(())
    };
    let mut trainer = Trainer::new(network, loss, Sgd::new(0.001)?).options(options);
    let history = trainer.fit_with(Sets::from(&train).with_test(&test), observer)?;
    println!("\n{:.0} samples a second", history.samples_per_second());

    if let Targets::Classes {
        labels,
        classes: count,
    } = test.targets()
    {
        let predicted = argmax(trainer.network().predict_dataset(&test)?.view())?;
        println!("\nRow: the digit; column: what the network takes it for.");
        for (digit, row) in confusion_matrix(&predicted, labels, *count)?
            .rows()
            .into_iter()
            .enumerate()
        {
            let counts: String = row.iter().map(|count| format!("{count:>6}")).collect();
            println!("{digit:>3} |{counts}");
        }
    }
    Ok(())
}
