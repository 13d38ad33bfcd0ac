//! The fast pipeline's counterparts of what the plain implementation is told.

use mfnet::layer::Linear;
use mfnet::loss::Loss;
use mfnet::plain::{self, Activation, Clipping, Network, Training};
use mfnet::{Clip, CrossEntropyLoss, Element, MseLoss, NeuralNetwork, Reduction, Sgd};
use ndarray::{ArrayView2, s};

/// A network with the layers and weights of a plain one.
pub fn fast_network<T: Element>(plain: &Network) -> NeuralNetwork<T> {
    let mut builder = NeuralNetwork::builder(plain.inputs());
    for (weights, activation) in plain.layers() {
        let view = ArrayView2::from_shape((weights.rows(), weights.columns()), weights.values()).unwrap();
        let body = view.slice(s![1.., 1..]).mapv(T::from_f64);
        let biases = view.slice(s![1.., 0]).mapv(T::from_f64).to_vec();
        builder = builder.layer(Box::new(Linear::from_weights(body.view(), &biases).unwrap()));
        builder = match activation {
            Activation::Identity => builder,
            Activation::Relu => builder.relu(),
            Activation::Sigmoid => builder.sigmoid(),
            Activation::Tanh => builder.tanh(),
        };
    }
    builder.build().unwrap()
}

/// The loss of a plain training.
pub fn fast_loss<T: Element>(training: &Training) -> Box<dyn Loss<T>> {
    let reduction = match training.reduction {
        plain::Reduction::Mean => Reduction::Mean,
        plain::Reduction::Sum => Reduction::Sum,
    };
    match training.loss {
        plain::Loss::Mse => Box::new(MseLoss::default().with_reduction(reduction)),
        plain::Loss::CrossEntropy => Box::new(CrossEntropyLoss::default().with_reduction(reduction)),
    }
}

/// The optimizer of a plain training.
pub fn fast_optimizer<T: Element>(training: &Training) -> Sgd<T> {
    let sgd = Sgd::new(training.learning_rate).unwrap();
    match training.clipping {
        Clipping::None => sgd,
        Clipping::PerTensor(limit) => sgd.clip(Clip::PerTensor(limit)).unwrap(),
        Clipping::Global(limit) => sgd.clip(Clip::Global(limit)).unwrap(),
    }
}

/// A plain loss as the fast pipeline tells it: the mean over the samples, whatever the reduction.
pub fn mean_loss(training: &Training, loss: f64, samples: usize) -> f64 {
    match training.reduction {
        plain::Reduction::Mean => loss,
        plain::Reduction::Sum => loss / samples as f64,
    }
}

/// The numbers of a tensor as `f64`, row by row.
pub fn rows<T: Element>(tensor: ArrayView2<'_, T>) -> Vec<f64> {
    tensor.iter().map(|value| value.as_f64()).collect()
}
