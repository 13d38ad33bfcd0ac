//! The network, the loss and the optimizer that the arguments ask for.

use mfnet::loss::Loss;
use mfnet::{CrossEntropyLoss, Element, MseLoss, NeuralNetwork, Reduction, Sgd};

use super::args::{ActivationName, TrainArguments};
use super::data::{Kind, Task};

pub(super) fn network<T: Element>(
    arguments: &TrainArguments,
    task: &Task<T>,
) -> mfnet::Result<NeuralNetwork<T>> {
    let mut builder = NeuralNetwork::builder(task.train.features()).seed(arguments.seed);
    let hidden = if arguments.linear {
        &[][..]
    } else {
        &arguments.hidden
    };
    for &units in hidden {
        builder = builder.linear(units);
        builder = match arguments.activation {
            ActivationName::Relu => builder.relu(),
            ActivationName::Sigmoid => builder.sigmoid(),
            ActivationName::Tanh => builder.tanh(),
            ActivationName::Identity => builder,
        };
    }
    builder.linear(task.train.outputs()).build()
}

pub(super) fn loss<T: Element>(kind: Kind, reduction: Reduction) -> Box<dyn Loss<T>> {
    match kind {
        Kind::Classification => Box::new(CrossEntropyLoss::new(reduction)),
        Kind::Regression { .. } => Box::new(MseLoss { reduction }),
    }
}

pub(super) fn optimizer<T: Element>(arguments: &TrainArguments) -> mfnet::Result<Sgd<T>> {
    let plain = Sgd::new(arguments.lr)?;
    match arguments.clip() {
        Some(clip) => plain.clip(clip),
        None => Ok(plain),
    }
}
