//! The fast pipeline takes the same steps as PyTorch.

use mfnet::loss::{AbsoluteLoss, BinaryCrossEntropyLoss, HuberLoss};
use mfnet::optimizer::{Optimizer, RmsProp, Scheduler};
use mfnet::plain::{self, Matrix, Network};
use mfnet::{Adam, Clip, DataLoader, Dataset, Loss, Reduction, Schedule, Sgd, Shuffle, Workspace, argmax};
use ndarray::Array2;

use crate::goldens;
use crate::goldens::Case;
use crate::twins;

const EPOCHS: usize = 4;

fn array(matrix: &Matrix) -> Array2<f64> {
    Array2::from_shape_vec((matrix.rows(), matrix.columns()), matrix.values().to_vec()).unwrap()
}

/// Trains as the golden was trained, and compares each loss and the weights at the end.
fn check(case: &Case, optimizer: &mut dyn Optimizer<f64>, schedule: Schedule) {
    let (inputs, targets) = (array(&case.inputs()), array(&case.targets()));
    let data = match case.training.loss {
        plain::Loss::Mse => Dataset::regression(inputs, targets),
        plain::Loss::CrossEntropy => {
            Dataset::classification(inputs, argmax(targets.view()).unwrap(), targets.ncols())
        }
    };
    let loss = twins::fast_loss(&case.training);
    follow(case, &data.unwrap(), &*loss, optimizer, schedule);
}

/// As [`check`], with data and a loss that the plain implementation does not have.
fn follow(
    case: &Case,
    data: &Dataset<f64>,
    loss: &dyn Loss<f64>,
    optimizer: &mut dyn Optimizer<f64>,
    schedule: Schedule,
) {
    let layers = case.weights().into_iter().zip(case.activations.iter().copied());
    let mut network = twins::fast_network::<f64>(&Network::new(layers.collect()).unwrap());
    let mut scheduler = Scheduler::new(schedule, optimizer.learning_rate()).unwrap();
    let golden = case.golden();
    let batches = case.batches();
    let mut workspace = Workspace::new(&network, batches[0].len()).unwrap();
    let mut losses = Vec::new();
    let steps = batches.len() / EPOCHS;
    for (epoch, batches) in (1..).zip(batches.chunks(steps)) {
        optimizer.set_learning_rate(scheduler.rate(epoch));
        for batch in batches {
            let batch = data.select(batch).unwrap();
            let loader = DataLoader::new(&batch, batch.samples(), Shuffle::None, 0).unwrap();
            let batch = loader.batches().next().unwrap();
            losses.push(network.forward_backward(&batch, loss, &mut workspace).unwrap());
            network.apply_gradients(optimizer, &mut workspace).unwrap();
        }
        scheduler.observe(losses[losses.len() - steps..].iter().sum::<f64>() / steps as f64);
    }

    let expected: Vec<f64> = golden
        .losses
        .iter()
        .zip(&batches)
        .map(|(&of_batch, batch)| match loss.reduction() {
            Reduction::Mean => of_batch,
            Reduction::Sum => of_batch / batch.len() as f64,
        })
        .collect();
    goldens::assert_close(&format!("{}: losses", case.name), &losses, &expected, 1e-11);
    assert_eq!(network.parameters().count(), golden.weights.len());
    for (layer, (weights, expected)) in network.parameters().zip(&golden.weights).enumerate() {
        let what = format!("{}: weights of layer {layer}", case.name);
        goldens::assert_close(&what, &twins::rows(weights.view()), expected.values(), 1e-11);
    }
}

/// The golden with this name, of the network, data and loss of another.
fn case_like(other: &str, name: &'static str) -> Case {
    let other = goldens::cases().into_iter().find(|case| case.name == other);
    Case {
        name,
        ..other.unwrap()
    }
}

#[test]
fn every_golden_is_reproduced() {
    for case in goldens::cases() {
        let mut optimizer = twins::fast_optimizer(&case.training);
        check(&case, &mut optimizer, Schedule::Constant);
    }
}

#[test]
fn robust_losses_are_reproduced() {
    let check = |name, loss: &dyn Loss<f64>, rate| {
        let case = case_like("mse_mean", name);
        let data = Dataset::regression(array(&case.inputs()), array(&case.targets())).unwrap();
        follow(
            &case,
            &data,
            loss,
            &mut Sgd::new(rate).unwrap(),
            Schedule::Constant,
        );
    };
    let sum = Reduction::Sum;
    check("mae", &AbsoluteLoss::default(), 0.1);
    check("mae_sum", &AbsoluteLoss::default().with_reduction(sum), 0.05);
    check("huber", &HuberLoss::default().with_delta(0.4), 0.2);
    check("huber_sum", &HuberLoss::default().with_reduction(sum), 0.05);
}

#[test]
fn the_binary_cross_entropy_is_reproduced() {
    let check = |name, loss: BinaryCrossEntropyLoss, rate| {
        let case = case_like("mse_mean", name);
        let answers = array(&case.targets()).mapv(|value| f64::from(value > 0.3));
        let data = Dataset::regression(array(&case.inputs()), answers).unwrap();
        follow(
            &case,
            &data,
            &loss,
            &mut Sgd::new(rate).unwrap(),
            Schedule::Constant,
        );
    };
    check("bce", BinaryCrossEntropyLoss::default(), 0.5);
    let weighted = BinaryCrossEntropyLoss::default().with_positive_weights(vec![2.5, 0.5]);
    check("bce_sum_weighted", weighted.with_reduction(Reduction::Sum), 0.1);
}

#[test]
fn every_optimizer_is_reproduced() {
    let check = |name, mut optimizer: Box<dyn Optimizer<f64>>| {
        let case = case_like("cross_entropy_mean", name);
        check(&case, &mut *optimizer, Schedule::Constant);
    };
    let momentum = || Sgd::new(0.05).unwrap().momentum(0.9).unwrap();
    let nesterov = || momentum().nesterov(true);
    let clipped = nesterov().clip(Clip::Global(0.8)).unwrap();
    check("momentum", Box::new(momentum()));
    check("nesterov", Box::new(nesterov()));
    check(
        "nesterov_decay_clip",
        Box::new(clipped.weight_decay(0.05).unwrap()),
    );
    check(
        "sgd_decay",
        Box::new(Sgd::new(0.5).unwrap().weight_decay(0.05).unwrap()),
    );
    check("adam", Box::new(Adam::new(0.05).unwrap()));
    let other = Adam::new(0.05).unwrap().betas(0.8, 0.95).unwrap();
    let other = other.epsilon(1e-4).unwrap().weight_decay(0.05).unwrap();
    check("adam_decay", Box::new(other));
    let rmsprop = |rate| RmsProp::new(rate).unwrap();
    check("rmsprop", Box::new(rmsprop(0.01)));
    let swift = rmsprop(0.005).alpha(0.9).unwrap().epsilon(1e-4).unwrap();
    let swift = swift.momentum(0.8).unwrap().weight_decay(0.05).unwrap();
    check(
        "rmsprop_momentum",
        Box::new(swift.clip(Clip::Global(0.8)).unwrap()),
    );
    check(
        "adamw",
        Box::new(Adam::adamw(0.05).unwrap().weight_decay(0.2).unwrap()),
    );
}

#[test]
fn adamw_with_its_own_decay_is_reproduced() {
    let mut optimizer = Adam::adamw(0.02).unwrap();
    check(
        &case_like("mse_mean", "adamw_mse"),
        &mut optimizer,
        Schedule::Constant,
    );
}

#[test]
fn every_schedule_is_reproduced() {
    let step = Schedule::Step {
        every: 2,
        factor: 0.3,
    };
    let cosine = Schedule::Cosine {
        epochs: EPOCHS,
        minimum: 0.01,
    };
    let plateau = Schedule::Plateau {
        factor: 0.3,
        patience: 0,
        threshold: 0.1,
        minimum: 0.1,
    };
    for (name, schedule) in [("step", step), ("cosine", cosine), ("plateau", plateau)] {
        let case = case_like("cross_entropy_mean", name);
        check(&case, &mut Sgd::new(0.5).unwrap(), schedule);
    }
}
