//! The library in fifteen lines: draws digits, trains a network on them, and says how many of others it knows.
//!
//! ```text
//! cargo run --release --example 01_fifteen_lines [EPOCHS]
//! ```

use mfnet::data::digits::digits;
use mfnet::{CrossEntropyLoss, NeuralNetwork, Sgd, TrainOptions, train};
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let epochs = std::env::args().nth(1).map_or(Ok(20), |text| text.parse())?;
    let options = TrainOptions {
        epochs,
        batch_size: 128,
        ..TrainOptions::default()
    };
    let (training_set, test_set) = digits::<f32>(7, 20_000, 5_000)?;
    let mut network = NeuralNetwork::builder(784)
        .linear(128)
        .relu()
        .linear(10)
        .build()?;
    let (loss, mut sgd) = (CrossEntropyLoss::default(), Sgd::new(0.2)?);
    train(&mut network, &training_set, &loss, &mut sgd, &options, |_| {
        ControlFlow::Continue(())
    })?;
    let test = network.evaluate(&test_set, &loss)?;
    println!(
        "{}: {:.1} % of the test digits are recognised",
        network.architecture(),
        100.0 * test.accuracy.unwrap_or(0.0)
    );
    Ok(())
}
