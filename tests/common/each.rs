//! Every activation, layer, loss and optimizer of the library, in the forms that tests try: all loops over each use these.
//!
//! What has a name in one of the library's tables is here by itself; `tests/numbers/each_is_complete.rs` fails for what
//! has none.
#![allow(dead_code, reason = "no program of tests needs all of it")]

use mfnet::layer::{Window, activation};
use mfnet::loss::{self, Loss, LossOptions};
use mfnet::optimizer::{self, Optimizer, OptimizerOptions};
use mfnet::{Builder, Clip, Element, Reduction};

/// The names of all activations; those that take a number also with another than the default.
pub fn activations() -> Vec<&'static str> {
    let mut names = Vec::new();
    for named in activation::names() {
        names.push(named.name);
        if named.parameter.is_some() {
            names.push(format!("{}:0.375", named.name).leak());
        }
    }
    names
}

/// Adds a layer to a network.
pub type Add<T> = fn(Builder<T>) -> Builder<T>;

/// The features that go into the layers below.
pub const FEATURES: usize = 6;

/// All layers by the names of their types, for six features; what comes out may have another width.
pub fn layers<T: Element>() -> Vec<(&'static str, Add<T>)> {
    vec![
        ("Linear", |builder| builder.linear(9)),
        ("BatchNorm1d", Builder::batch_norm),
        ("Dropout", |builder| builder.dropout(0.3)),
        ("Conv2d", |builder| {
            let window = Window::new([1, 2]).stride([1, 2]).padding([0, 1]);
            builder.image(2, 1, 3).conv2d(4, window)
        }),
    ]
}

/// What a loss compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Any outputs with numbers or labels.
    Numbers,
    /// Any outputs with numbers.
    Values,
    /// Logits with classes.
    Logits,
    /// Probabilities with classes.
    Probabilities,
    /// Logits with the values 0 and 1.
    Answers,
}

/// All losses, for so many outputs: with both reductions, and with each option of theirs.
pub fn losses<T: Element>(outputs: usize) -> Vec<(Takes, Box<dyn Loss<T>>)> {
    let mut losses = Vec::new();
    for named in loss::names() {
        let takes = match named.name {
            "mse" => Takes::Numbers,
            "mae" | "huber" => Takes::Values,
            "cross-entropy" => Takes::Logits,
            "bce" => Takes::Answers,
            "probability-cross-entropy" => Takes::Probabilities,
            other => panic!("say here what the loss {other} takes"),
        };
        for options in loss_options(outputs) {
            match loss::by_name(named.name, options) {
                Ok(loss) => losses.push((takes, loss)),
                Err(error) => assert!(error.to_string().contains("left out"), "{error}"),
            }
        }
    }
    losses
}

/// Each option alone and all together.
fn loss_options(outputs: usize) -> Vec<LossOptions> {
    let class_weights: Vec<f64> = (0..outputs).map(|class| 0.5 + class as f64).collect();
    let plain = LossOptions::default();
    let mut sum = plain.clone();
    sum.reduction = Reduction::Sum;
    let mut weighted = plain.clone();
    weighted.class_weights = class_weights;
    let mut smoothed = plain.clone();
    smoothed.label_smoothing = 0.1;
    let mut without_smoothing = weighted.clone();
    without_smoothing.reduction = Reduction::Sum;
    let mut all = without_smoothing.clone();
    all.label_smoothing = 0.1;
    let mut positives = plain.clone();
    positives.positive_weights = (0..outputs).map(|output| 2.5 - 0.5 * output as f64).collect();
    let mut robust = plain.clone();
    robust.huber_delta = Some(0.3);
    vec![
        plain,
        sum,
        weighted,
        smoothed,
        without_smoothing,
        all,
        positives,
        robust,
    ]
}

/// An optimizer with its options, to be made as often as a test wants.
#[derive(Debug, Clone, Copy)]
pub struct OptimizerCase {
    pub name: &'static str,
    pub options: OptimizerOptions,
}

impl OptimizerCase {
    /// One that has learned nothing yet.
    pub fn make<T: Element>(self, rate: f64) -> Box<dyn Optimizer<T>> {
        let mut options = self.options;
        options.learning_rate = Some(rate);
        optimizer::by_name(self.name, &options).unwrap()
    }
}

/// All optimizers, with gradients clipped to this: plain, with each option of theirs, and with all of them.
pub fn optimizers(limit: f64) -> Vec<OptimizerCase> {
    let mut cases = Vec::new();
    for named in optimizer::names() {
        for options in optimizer_options(limit) {
            let name = named.name;
            match optimizer::by_name::<f64>(name, &options) {
                Ok(_) => cases.push(OptimizerCase { name, options }),
                Err(error) => assert!(error.to_string().contains("left out"), "{error}"),
            }
        }
    }
    cases
}

fn optimizer_options(limit: f64) -> Vec<OptimizerOptions> {
    let plain = OptimizerOptions::default();
    let with = |change: &dyn Fn(&mut OptimizerOptions)| {
        let mut options = plain;
        change(&mut options);
        options
    };
    let decayed = |options: &mut OptimizerOptions| options.weight_decay = Some(0.01);
    let per_tensor = |options: &mut OptimizerOptions| options.clip = Some(Clip::PerTensor(limit));
    let global = |options: &mut OptimizerOptions| options.clip = Some(Clip::Global(limit));
    let swift = |options: &mut OptimizerOptions| options.momentum = Some(0.9);
    let all = |options: &mut OptimizerOptions| {
        decayed(options);
        per_tensor(options);
        swift(options);
    };
    vec![
        plain,
        with(&decayed),
        with(&per_tensor),
        with(&global),
        with(&swift),
        with(&all),
        with(&|options| {
            all(options);
            options.nesterov = true;
        }),
    ]
}
