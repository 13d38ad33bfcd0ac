//! A training loop of one's own, with an activation and an optimizer of one's own in it.
//!
//! The library's loop is nothing but this one with an observer. What a step computes lies in the workspace:
//! nothing is allocated after the first step.
//!
//! ```text
//! cargo run --release --example 05_own_loop [EPOCHS]
//! ```

use mfnet::data::digits::digits;
use mfnet::layer::Activation;
use mfnet::optimizer::{Gradients, Optimizer};
use mfnet::{CrossEntropyLoss, DataLoader, Element, NeuralNetwork, Shuffle, Workspace};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};

const BATCH_SIZE: usize = 128;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let epochs = std::env::args().nth(1).map_or(Ok(10), |text| text.parse())?;
    let (train, test) = digits::<f32>(7, 20_000, 5_000)?;
    let mut network = NeuralNetwork::builder(train.features())
        .linear(128)
        .activation(Box::new(LeakyRelu { slope: 0.01 }))
        .linear(train.outputs())
        .build()?;
    let mut optimizer = Momentum {
        rate: 0.05,
        decay: 0.9,
        velocities: Vec::new(),
    };
    let loss = CrossEntropyLoss::default();
    let mut loader = DataLoader::new(&train, BATCH_SIZE, Shuffle::Samples, 7)?;
    let mut workspace = Workspace::new(&network, BATCH_SIZE)?;

    println!("{}\n", network.architecture());
    for epoch in 1..=epochs {
        loader.start_epoch(epoch);
        let mut sum = 0.0;
        for batch in loader.batches() {
            sum += network.forward_backward(&batch, &loss, &mut workspace)?;
            network.apply_gradients(&mut optimizer, &mut workspace)?;
        }
        let train_loss = sum / loader.batches().len() as f64;
        let test = network.evaluate(&test, &loss)?;
        let accuracy = 100.0 * test.accuracy.unwrap_or_default();
        println!("epoch {epoch:>2}: loss {train_loss:.4}, test accuracy {accuracy:.2} %");
        // A learning rate that falls, as no schedule of the library's own has it.
        optimizer.rate *= 0.9;
    }
    Ok(())
}

/// a = z above 0, and a small part of z below.
#[derive(Debug)]
struct LeakyRelu {
    slope: f64,
}

impl<T: Element> Activation<T> for LeakyRelu {
    fn name(&self) -> &'static str {
        "leaky ReLU"
    }

    fn forward(&self, mut values: ArrayViewMut2<'_, T>) {
        let slope = T::from_f64(self.slope);
        values.mapv_inplace(|z| if z < T::zero() { slope * z } else { z });
    }

    fn backward(&self, output: ArrayView2<'_, T>, mut delta: ArrayViewMut2<'_, T>) {
        let slope = T::from_f64(self.slope);
        delta.zip_mut_with(&output, |delta, &a| {
            if a < T::zero() {
                *delta *= slope;
            }
        });
    }
}

/// V <- decay V + dJ/dW, W <- W - rate V.
#[derive(Debug)]
struct Momentum<T> {
    rate: f64,
    decay: f64,
    /// One for each weight tensor; none before the first step.
    velocities: Vec<Array2<T>>,
}

impl<T: Element> Optimizer<T> for Momentum<T> {
    fn name(&self) -> &'static str {
        "momentum"
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    fn reset(&mut self) {
        self.velocities.clear();
    }

    fn start_step(&mut self, gradients: &Gradients<'_, T>) -> mfnet::Result<()> {
        if self.velocities.is_empty() {
            let zeros = |gradient: &Array2<T>| gradient.mapv(|_| T::zero());
            self.velocities = gradients.iter().map(zeros).collect();
        }
        Ok(())
    }

    fn update(&mut self, index: usize, weights: &mut Array2<T>, gradient: &mut Array2<T>) {
        let velocity = &mut self.velocities[index];
        let decay = T::from_f64(self.decay);
        velocity.zip_mut_with(gradient, |velocity, &gradient| {
            *velocity = decay * *velocity + gradient
        });
        weights.scaled_add(T::from_f64(-self.rate), velocity);
    }
}
