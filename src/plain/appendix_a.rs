//! The report's worked example (Appendix A), number by number: one step of a 2-3-2-1 ReLU network.
//!
//! Two of its inputs are misprinted: the second sample is (1, 3), and the last row of W1 is (1, 1, 0). Its Deltas use 1/m
//! where its own loss has 2/m, which is right and used here: with it, one step of eta = 2 gives the updated weights.
//!
//! From the report come the inputs, the targets, the last row of W1 before and after, the prediction, the loss and the
//! gradients. The other weights are ours: a search over the integers from -3 to 3 finds thousands that fit. With every unit
//! active, as here, gradients and prediction fix the weights (1, -1) of W3, (1, 1) of row 2 of W1 and the last number of
//! its row 1, the difference (0, -2, 3) between rows 1 and 2 of W2, and that row 1 of W2 begins with two numbers that add
//! up to 1; of the biases they fix one sum.

use super::{Activation, Loss, Matrix, Network, Reduction, Training, train_step};

fn matrix<const COLUMNS: usize>(rows: &[[f64; COLUMNS]]) -> Matrix {
    Matrix::new(rows.len(), COLUMNS, rows.concat()).unwrap()
}

fn network() -> Network {
    let w1 = matrix(&[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]);
    let w2 = matrix(&[[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 2.0, -2.0]]);
    let w3 = matrix(&[[1.0, 0.0, 0.0], [1.0, 1.0, -1.0]]);
    Network::new(vec![
        (w1, Activation::Relu),
        (w2, Activation::Relu),
        (w3, Activation::Identity),
    ])
    .unwrap()
}

fn inputs() -> Matrix {
    matrix(&[[1.0, 2.0], [1.0, 3.0], [2.0, 2.0], [2.0, 3.0]])
}

fn targets() -> Matrix {
    matrix(&[[1.0], [1.0], [2.0], [2.0]])
}

#[test]
fn the_prediction() {
    let prediction = network().forward(&inputs()).unwrap();
    assert_eq!(prediction, matrix(&[[2.0], [0.0], [3.0], [1.0]]));
}

#[test]
fn the_loss_and_the_gradients() {
    let (loss, gradients) = network()
        .gradients(&inputs(), &targets(), Loss::Mse, Reduction::Mean)
        .unwrap();
    assert_eq!(loss, 1.0);
    let w1 = matrix(&[
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 2.0],
        [0.0, 0.0, -3.0],
    ]);
    let w2 = matrix(&[[0.0, 0.0, 0.0, 0.0], [0.0, -1.0, -1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]);
    let w3 = matrix(&[[0.0, 0.0, 0.0], [0.0, -1.0, -3.0]]);
    assert_eq!(gradients, [w1, w2, w3]);
}

#[test]
fn the_updated_weights() {
    let mut network = network();
    let training = Training::new(Loss::Mse, 2.0);
    train_step(&mut network, &inputs(), &targets(), &training).unwrap();
    let w1 = matrix(&[
        [1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.0, 1.0, -3.0],
        [1.0, 1.0, 6.0],
    ]);
    let w2 = matrix(&[[1.0, 0.0, 0.0, 0.0], [1.0, 3.0, 2.0, 1.0], [0.0, -1.0, 0.0, -2.0]]);
    let w3 = matrix(&[[1.0, 0.0, 0.0], [1.0, 3.0, 5.0]]);
    let updated: Vec<&Matrix> = network.layers().iter().map(|(weights, _)| weights).collect();
    assert_eq!(updated, [&w1, &w2, &w3]);
}
