//! The rows of the tables: what is trained, on what, and in what portions.
//!
//! The benches use this file as well: it knows nothing but the library.

use mfnet::loss::Loss;
use mfnet::{CrossEntropyLoss, Element, MseLoss, NeuralNetwork, Reduction};

/// The learning rate of all jobs; the report's.
pub(crate) const LEARNING_RATE: f64 = 0.001;

/// One row of the report's tables, or of ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Job {
    /// As the user writes it.
    pub(crate) name: &'static str,
    /// As a table shows it.
    pub(crate) model: &'static str,
    pub(crate) data: Data,
    pub(crate) work: Work,
    pub(crate) hidden: &'static [usize],
    pub(crate) batch_size: usize,
    pub(crate) reduction: Reduction,
    /// The report's; an evaluation follows a single one.
    pub(crate) epochs: usize,
    /// The report's own times; empty for jobs that are not in its tables.
    pub(crate) report: &'static [Printed],
    /// Epochs, or evaluations, that take about a second in all: a round of the comparison with PyTorch. None for jobs that
    /// are there for their losses and not for their times.
    pub(crate) round: Option<usize>,
}

/// A time of the report's Tables 3 and 4, as printed there: on a MacBook Pro of 2019 with a quad-core Intel Core i7 of
/// 2.3 GHz.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Printed {
    /// The report's Python program mfnet, or PyTorch.
    pub(crate) implementation: &'static str,
    /// For all epochs of the job.
    pub(crate) seconds: f64,
    pub(crate) settings: &'static str,
}

/// What is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    Housing,
    Mnist,
}

/// What is done with the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// The mean of the targets is its only prediction.
    Mean,
    Train,
    /// Loss and accuracy on the test set.
    Evaluate,
}

/// All jobs, in the order of the tables.
pub(crate) const JOBS: [Job; 9] = [
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
];

const HOUSING: Job = Job {
    name: "",
    model: "",
    data: Data::Housing,
    work: Work::Train,
    hidden: &[],
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
    pub(crate) fn network<T: Element>(
        &self,
        features: usize,
        outputs: usize,
        seed: u64,
    ) -> mfnet::Result<NeuralNetwork<T>> {
        let mut builder = NeuralNetwork::builder(features).seed(seed);
        for &units in self.hidden {
            builder = builder.linear(units).relu();
        }
        builder.linear(outputs).build()
    }

    pub(crate) fn loss<T: Element>(&self) -> Box<dyn Loss<T>> {
        let reduction = self.reduction;
        match self.data {
            Data::Housing => Box::new(MseLoss::default().with_reduction(reduction)),
            Data::Mnist => Box::new(CrossEntropyLoss::default().with_reduction(reduction)),
        }
    }
}
