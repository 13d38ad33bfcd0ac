//! The trainings and evaluations that the benches and `mfnet tables` time: network, data, optimizer and batch size of each.

pub mod twin;

use crate::element::Element;
use crate::error::Result;
use crate::loss::{CrossEntropyLoss, Loss, MseLoss, Reduction};
use crate::network::NeuralNetwork;
use crate::optimizer::{Adam, Optimizer, Sgd};

/// The learning rate of all jobs; the report's.
pub const LEARNING_RATE: f64 = 0.001;

/// One row of the report's tables, or of ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Job {
    /// The name by which a user asks for it.
    pub name: &'static str,
    /// The network, as a table shows it.
    pub model: &'static str,
    /// The group it is asked for with.
    pub set: Set,
    /// The data set.
    pub data: Data,
    /// Training or evaluation.
    pub work: Work,
    /// The units of each hidden layer.
    pub hidden: &'static [usize],
    /// The activation of the hidden layers.
    pub activation: &'static str,
    /// The optimizer.
    pub optimizer: Rule,
    /// The samples of a batch.
    pub batch_size: usize,
    /// The reduction of the loss over a batch.
    pub reduction: Reduction,
    /// The report's number of epochs; an evaluation follows a single one, and the way to an accuracy takes so many at most.
    pub epochs: usize,
    /// The report's own times; empty for jobs that are not in its tables.
    pub report: &'static [Printed],
    /// Epochs, or evaluations, that take about a second in all: a round of the comparison with PyTorch. None for jobs that
    /// are there for their losses and not for their times.
    pub round: Option<usize>,
}

/// A time of the report's Tables 3 and 4, as printed there: on a MacBook Pro of 2019 with a quad-core Intel Core i7 of
/// 2.3 GHz.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Printed {
    /// The report's Python program mfnet, or PyTorch.
    pub implementation: &'static str,
    /// For all epochs of the job.
    pub seconds: f64,
    /// The settings that the report names with it.
    pub settings: &'static str,
}

/// The jobs that are asked for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// The report's jobs, and what belongs to them.
    Report,
    /// Networks of other shapes, most of them on drawn data.
    Further,
}

/// The data sets of the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// California Housing.
    Housing,
    /// MNIST.
    Mnist,
    /// Fashion-MNIST.
    FashionMnist,
    /// 4 numbers from 4 features, 10,000 samples.
    DrawnNumbers,
    /// 2 classes from 28 features, 100,000 samples.
    DrawnClasses,
}

/// The optimizers of the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Stochastic gradient descent.
    Sgd,
    /// Adam.
    Adam,
}

/// The ways in which a job uses its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The mean of the targets is its only prediction.
    Mean,
    /// Training for a number of epochs.
    Train,
    /// Training until 98 % of the test set are right.
    Reach,
    /// Loss and accuracy on the test set.
    Evaluate,
}

/// All jobs, in the order of the tables.
pub const JOBS: [Job; 17] = [
    Job {
        name: "housing-mean",
        model: "naive mean predictor",
        work: Work::Mean,
        epochs: 1,
        report: &report((0.0, ""), (0.0, "")),
        round: None,
        ..HOUSING
    },
    Job {
        name: "housing-linear",
        model: "linear regression 8-1",
        report: &report((1.1, "batch 1024, eta 0.001"), (58.2, "batch 1024, eta 0.001")),
        round: Some(200),
        ..HOUSING
    },
    Job {
        name: "housing-network",
        model: "network 8-512-1",
        hidden: &[512],
        report: &report(
            (238.3, "gradient norm at most 5"),
            (122.1, "batch 1024, eta 0.001"),
        ),
        round: Some(30),
        ..HOUSING
    },
    Job {
        name: "mnist-linear",
        model: "linear classification 784-10",
        report: &report((145.5, "batch 1024, eta 0.001"), (700.8, "batch 128, eta 0.01")),
        round: Some(8),
        ..MNIST
    },
    Job {
        name: "mnist-network",
        model: "network 784-512-10",
        hidden: &[512],
        report: &report((401.7, "batch 1024, eta 0.001"), (801.4, "batch 128, eta 0.01")),
        round: Some(2),
        ..MNIST
    },
    Job {
        name: "mnist-network-128",
        model: "network 784-512-10",
        hidden: &[512],
        batch_size: 128,
        round: Some(2),
        ..MNIST
    },
    Job {
        name: "mnist-linear-mean",
        model: "linear classification 784-10",
        reduction: Reduction::Mean,
        round: None,
        ..MNIST
    },
    Job {
        name: "mnist-network-mean",
        model: "network 784-512-10",
        hidden: &[512],
        reduction: Reduction::Mean,
        round: None,
        ..MNIST
    },
    Job {
        name: "evaluation",
        model: "network 784-512-10",
        work: Work::Evaluate,
        epochs: 1,
        hidden: &[512],
        round: Some(30),
        ..MNIST
    },
    Job {
        name: "mnist-98",
        model: "network 784-512-10, Adam",
        work: Work::Reach,
        hidden: &[512],
        optimizer: Rule::Adam,
        batch_size: 128,
        reduction: Reduction::Mean,
        epochs: 30,
        round: Some(30),
        ..MNIST
    },
    Job {
        name: "drawn-4-32-16-4",
        model: "network 4-32-16-4 tanh, Adam",
        data: Data::DrawnNumbers,
        hidden: &[32, 16],
        activation: "tanh",
        optimizer: Rule::Adam,
        batch_size: 10_000,
        epochs: 200,
        round: Some(200),
        ..DRAWN
    },
    Job {
        name: "drawn-28-300x5-2",
        model: "network 28-300x5-2 tanh, SGD",
        hidden: &[300; 5],
        activation: "tanh",
        batch_size: 100,
        round: Some(1),
        ..DRAWN
    },
    Job {
        name: "drawn-28-300x3-2",
        model: "network 28-300x3-2 ReLU, Adam",
        hidden: &[300; 3],
        optimizer: Rule::Adam,
        round: Some(2),
        ..DRAWN
    },
    Job {
        name: "drawn-28-64-32-2",
        model: "network 28-64-32-2 ReLU, Adam",
        hidden: &[64, 32],
        optimizer: Rule::Adam,
        batch_size: 256,
        round: Some(10),
        ..DRAWN
    },
    Job {
        name: "drawn-28-1024x2-2",
        model: "network 28-1024x2-2 ReLU, SGD",
        hidden: &[1024; 2],
        round: Some(1),
        ..DRAWN
    },
    Job {
        name: "fashion-network",
        ..FASHION_MNIST
    },
    Job {
        name: "fashion-network-128",
        batch_size: 128,
        ..FASHION_MNIST
    },
];

const HOUSING: Job = Job {
    name: "",
    model: "",
    set: Set::Report,
    data: Data::Housing,
    work: Work::Train,
    hidden: &[],
    activation: "relu",
    optimizer: Rule::Sgd,
    batch_size: 1024,
    reduction: Reduction::Mean,
    epochs: 500,
    report: &[],
    round: None,
};

/// The report's results are those of the sum's gradient.
const MNIST: Job = Job {
    data: Data::Mnist,
    reduction: Reduction::Sum,
    epochs: 100,
    ..HOUSING
};

const DRAWN: Job = Job {
    set: Set::Further,
    data: Data::DrawnClasses,
    epochs: 5,
    ..HOUSING
};

const FASHION_MNIST: Job = Job {
    model: "network 784-512-10",
    set: Set::Further,
    data: Data::FashionMnist,
    hidden: &[512],
    epochs: 5,
    round: Some(2),
    ..MNIST
};

/// The times of the report's mfnet and of PyTorch, each with its settings.
const fn report(mfnet: (f64, &'static str), pytorch: (f64, &'static str)) -> [Printed; 2] {
    [
        Printed {
            implementation: "report mfnet",
            seconds: mfnet.0,
            settings: mfnet.1,
        },
        Printed {
            implementation: "report PyTorch",
            seconds: pytorch.0,
            settings: pytorch.1,
        },
    ]
}

impl Job {
    /// The network before its training.
    pub fn network<T: Element>(
        &self,
        features: usize,
        outputs: usize,
        seed: u64,
    ) -> Result<NeuralNetwork<T>> {
        let mut builder = NeuralNetwork::builder(features).seed(seed);
        for &units in self.hidden {
            builder = builder.linear(units).activation_named(self.activation)?;
        }
        builder.linear(outputs).build()
    }

    /// The loss that suits the data.
    pub fn loss<T: Element>(&self) -> Box<dyn Loss<T>> {
        let reduction = self.reduction;
        match self.data.is_classes() {
            false => Box::new(MseLoss::default().with_reduction(reduction)),
            true => Box::new(CrossEntropyLoss::default().with_reduction(reduction)),
        }
    }

    /// The optimizer, at [`LEARNING_RATE`].
    pub fn optimizer<T: Element>(&self) -> Result<Box<dyn Optimizer<T>>> {
        Ok(match self.optimizer {
            Rule::Sgd => Box::new(Sgd::new(LEARNING_RATE)?),
            Rule::Adam => Box::new(Adam::new(LEARNING_RATE)?),
        })
    }
}

impl Data {
    /// Whether classes are learned, and not numbers.
    pub fn is_classes(self) -> bool {
        match self {
            Data::Housing | Data::DrawnNumbers => false,
            Data::Mnist | Data::FashionMnist | Data::DrawnClasses => true,
        }
    }
}
