//! Random networks of every layer that there is, with weights that can be moved.

use mfnet::data::Inputs;
use mfnet::layer::{BatchNorm1d, Conv2d, Dropout, Image, Layer, Linear, Window};
use mfnet::loss::Loss;
use mfnet::loss::ProbabilityCrossEntropyLoss;
use mfnet::{CrossEntropyLoss, Dataset, Element, MseLoss, NeuralNetwork, Reduction, Targets};
use ndarray::{Array2, s};
use proptest::prelude::*;

use super::each;
use super::noise::noise;

/// A layer, or its absence.
#[derive(Debug, Clone, Copy)]
enum Part {
    Linear(usize),
    /// Its output channels and its window; a linear layer where there are no images.
    Conv2d(usize, Window),
    BatchNorm,
    Dropout(f64),
}

/// What goes in.
#[derive(Debug, Clone, Copy)]
enum Input {
    Features(usize),
    Images(Image),
}

/// A network, a batch for it, and the loss.
#[derive(Debug, Clone)]
pub struct Architecture {
    input: Input,
    /// The layers, each with the name of an activation, if there is one.
    parts: Vec<(Part, Option<&'static str>)>,
    outputs: usize,
    targets: Kind,
    /// The part of the inputs that is not 0.
    density: f64,
    pub samples: usize,
    pub seed: u64,
}

/// What is learned, and so the end of the network and the loss.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Values,
    Classes,
    /// Of a network that ends in a softmax.
    Probabilities,
}

/// Which layers there may be, besides those that treat each sample by itself, wherever it stands in the batch.
#[derive(Debug, Clone, Copy)]
pub struct Layers {
    pub batch_norm: bool,
    pub dropout: bool,
}

/// Numbers on both sides of what the kernels take for narrow, 32.
fn width() -> impl Strategy<Value = usize> {
    prop_oneof![1..20_usize, 28..37_usize, 60..100_usize]
}

fn part() -> impl Strategy<Value = Part> {
    let window =
        [1..4_usize, 1..4, 1..3, 1..3, 0..2, 0..2].prop_map(|[height, width, down, right, above, left]| {
            let padding = [above.min(height - 1), left.min(width - 1)];
            Window::new([height, width])
                .stride([down, right])
                .padding(padding)
        });
    prop_oneof![
        3 => width().prop_map(Part::Linear),
        3 => (1..5_usize, window).prop_map(|(channels, window)| Part::Conv2d(channels, window)),
        2 => Just(Part::BatchNorm),
        1 => (0.1..0.6).prop_map(Part::Dropout),
    ]
}

fn activation() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        1 => Just(None),
        8 => prop::sample::select(each::activations()).prop_map(Some),
    ]
}

/// A random network of such layers, and up to so many samples for it: few, a power of two, or several blocks of them.
pub fn architecture(layers: Layers) -> impl Strategy<Value = Architecture> {
    let image = (1..4_usize, 3..8_usize, 3..8_usize).prop_map(|(channels, height, width)| {
        Input::Images(Image {
            channels,
            height,
            width,
        })
    });
    let input = prop_oneof![width().prop_map(Input::Features), image];
    let parts = prop::collection::vec((part(), activation()), 0..5);
    let targets = prop_oneof![Just(Kind::Values), Just(Kind::Classes), Just(Kind::Probabilities)];
    let samples = prop_oneof![2..20_usize, Just(64), 200..400_usize];
    let density = prop_oneof![Just(1.0), Just(0.2)];
    let all = (input, parts, 2..40_usize, targets, density, samples, 0..1000_u64);
    all.prop_map(
        move |(input, mut parts, outputs, targets, density, samples, seed)| {
            parts.retain(|(part, _)| match part {
                Part::BatchNorm => layers.batch_norm,
                Part::Dropout(_) => layers.dropout,
                Part::Linear(_) | Part::Conv2d(..) => true,
            });
            Architecture {
                input,
                parts,
                outputs,
                targets,
                density,
                samples,
                seed,
            }
        },
    )
}

impl Architecture {
    /// The features of a sample.
    pub fn inputs(&self) -> usize {
        match self.input {
            Input::Features(features) => features,
            Input::Images(Image {
                channels,
                height,
                width,
            }) => channels * height * width,
        }
    }

    /// Weights for each layer that has some, as the network wants them: [bias | W], of about the size that keeps signals as
    /// they are; and beta and gamma.
    pub fn parameters(&self) -> Vec<Array2<f64>> {
        let mut all = Vec::new();
        self.build_from::<f64>(&mut |rows, columns| {
            let random = noise::<f64>(rows, columns, self.seed + 10 + all.len() as u64);
            let scaled = random * (1.5 / (columns as f64).sqrt());
            all.push(scaled.clone());
            scaled
        });
        all
    }

    /// The network with these parameters.
    pub fn network<T: Element>(&self, parameters: &[Array2<f64>]) -> NeuralNetwork<T> {
        let mut parameters = parameters.iter();
        self.build_from(&mut |_, _| parameters.next().unwrap().clone())
    }

    /// The network with the parameters that are handed out: of such shapes, one after the other.
    fn build_from<T: Element>(&self, next: &mut dyn FnMut(usize, usize) -> Array2<f64>) -> NeuralNetwork<T> {
        let mut image = match self.input {
            Input::Features(_) => None,
            Input::Images(image) => Some(image),
        };
        let mut width = self.inputs();
        let mut builder = NeuralNetwork::builder(width);
        let last = match self.targets {
            Kind::Probabilities => Some("softmax"),
            Kind::Values | Kind::Classes => None,
        };
        let last = (Part::Linear(self.outputs), last);
        for (index, &(part, activation)) in self.parts.iter().chain([&last]).enumerate() {
            let mut values = |rows, columns| {
                let values = next(rows, columns).mapv(T::from_f64);
                (values.slice(s![.., 1..]).to_owned(), values.column(0).to_vec())
            };
            let layer: Box<dyn Layer<T>> = match (part, image) {
                (Part::Conv2d(channels, window), Some(images)) if window.places(images).is_ok() => {
                    let (weights, biases) =
                        values(channels, 1 + images.channels * window.size[0] * window.size[1]);
                    let [height, width] = window.places(images).unwrap();
                    image = Some(Image {
                        channels,
                        height,
                        width,
                    });
                    Box::new(Conv2d::from_weights(images, window, weights.view(), &biases).unwrap())
                }
                (Part::Linear(outputs) | Part::Conv2d(outputs, _), _) => {
                    image = None;
                    let (weights, biases) = values(outputs, 1 + width);
                    Box::new(Linear::from_weights(weights.view(), &biases).unwrap())
                }
                (Part::BatchNorm, _) => {
                    image = None;
                    let (gamma, beta) = values(width, 2);
                    let gamma = gamma.column(0).mapv(|gamma| T::one() + gamma).to_vec();
                    Box::new(BatchNorm1d::from_weights(&gamma, &beta).unwrap())
                }
                (Part::Dropout(probability), _) => {
                    Box::new(Dropout::new(width, probability, self.seed + index as u64).unwrap())
                }
            };
            width = layer.outputs();
            builder = builder.layer(layer);
            if let Some(name) = activation {
                builder = builder.activation_named(name).unwrap();
            }
        }
        builder.build().unwrap()
    }

    /// The inputs: samples x features, numbers of 24 bits.
    pub fn values<T: Element>(&self) -> Array2<T> {
        let shape = (self.samples, self.inputs());
        let mut values = noise::<T>(shape.0, shape.1, self.seed);
        let chances = noise::<f64>(shape.0, shape.1, self.seed + 1);
        values.zip_mut_with(&chances, |value, &chance| {
            if (chance + 1.0) / 2.0 > self.density {
                *value = T::zero();
            }
        });
        values
    }

    /// The targets, numbers or classes.
    pub fn targets<T: Element>(&self) -> Targets<T> {
        match self.targets {
            Kind::Values => Targets::Values(noise(self.samples, self.outputs, self.seed + 2)),
            Kind::Classes | Kind::Probabilities => Targets::Classes {
                labels: (0..self.samples)
                    .map(|sample| (sample * 7 % self.outputs) as u32)
                    .collect(),
                classes: self.outputs,
            },
        }
    }

    pub fn data<T: Element>(&self) -> Dataset<T> {
        Dataset::new(Inputs::Values(self.values()), self.targets()).unwrap()
    }

    /// How far the gradients of two ways to add up the same sums may be apart, as a part of all gradients' length: the
    /// roundings of sums on the way, of which n together are of the order of sqrt(n). Batch normalisation divides by
    /// deviations that may be as small as the square root of its epsilon, which is 1/316.
    pub fn rounding<T: Element>(&self) -> f64 {
        let epsilon = if T::NAME == "f32" {
            f64::from(f32::EPSILON)
        } else {
            f64::EPSILON
        };
        let norms = self
            .parts
            .iter()
            .filter(|(part, _)| matches!(part, Part::BatchNorm))
            .count();
        let widths = self.inputs() + self.outputs + 100 * self.parts.len();
        8.0 * epsilon * ((self.samples + 2 * widths) as f64).sqrt() * 316_f64.powi(norms as i32)
    }

    /// The loss, all classes counting 1; or as these weights say.
    pub fn loss<T: Element>(&self, reduction: Reduction, class_weights: Vec<f64>) -> Box<dyn Loss<T>> {
        match self.targets {
            Kind::Values => Box::new(MseLoss::default().with_reduction(reduction)),
            Kind::Classes => Box::new(
                CrossEntropyLoss::default()
                    .with_reduction(reduction)
                    .with_class_weights(class_weights),
            ),
            Kind::Probabilities => Box::new(
                ProbabilityCrossEntropyLoss::default()
                    .with_reduction(reduction)
                    .with_class_weights(class_weights),
            ),
        }
    }
}
