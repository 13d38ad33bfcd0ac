//! The library in fifteen lines: draws digits, trains a network on them, and says how many of others it knows.
//!
//! ```text
//! cargo run --release --example 01_fifteen_lines [EPOCHS]
//! ```

use mfnet::data::digits::digits;
use mfnet::{CrossEntropyLoss, NeuralNetwork, Sets, Sgd, TrainOptions, Trainer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let epochs = std::env::args().nth(1).map_or(Ok(20), |text| text.parse())?;
    let options = TrainOptions::default().with_epochs(epochs).with_batch_size(128);
    let (train, test) = digits::<f32>(7, 20_000, 5_000)?;
    let network = NeuralNetwork::builder(784)
        .linear(128)
        .relu()
        .linear(10)
        .build()?;
    let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), Sgd::new(0.2)?).options(options);
    let history = trainer.fit(Sets::from(&train).with_test(&test))?;
    let accuracy = history.test().and_then(|test| test.accuracy);
    println!(
        "{}: {:.1} % of the test digits are recognised",
        trainer.network().architecture(),
        100.0 * accuracy.unwrap_or(0.0)
    );
    Ok(())
}
