//! The report's worked example (Appendix A): one training step of a 2-3-2-1 ReLU network, in numbers small enough
//! to follow by hand. Prints the report's numbers next to ours.
//!
//! Two of the report's givens are misprinted: it has (1, 2) as the second sample, and (1, 0, 0) as the last row of
//! W1. Only (1, 3) and (1, 1, 0) lead to what it goes on to compute, so these are used here. Its gradients are
//! half of ours: it takes 1/m where the derivative of its own loss has 2/m. The weights of which its numbers fix
//! too little are ours.
//!
//! ```text
//! cargo run --release --example 02_appendix_a
//! ```

use mfnet::layer::Linear;
use mfnet::{DataLoader, Dataset, MseLoss, NeuralNetwork, Sgd, Shuffle, Workspace};
use ndarray::{Array2, array};

fn main() -> mfnet::Result<()> {
    let inputs = array![[1.0, 2.0], [1.0, 3.0], [2.0, 2.0], [2.0, 3.0]];
    let targets = array![[1.0], [1.0], [2.0], [2.0]];
    // Without the constant row, and with the biases apart; the network puts them together as the report does.
    let w1 = Linear::from_weights(
        array![[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]].view(),
        &[0.0, 0.0, 1.0],
    )?;
    let w2 = Linear::from_weights(array![[1.0, 0.0, 1.0], [1.0, 2.0, -2.0]].view(), &[1.0, 0.0])?;
    let w3 = Linear::from_weights(array![[1.0, -1.0]].view(), &[1.0])?;
    let mut network = NeuralNetwork::<f64>::builder(2)
        .layer(Box::new(w1))
        .relu()
        .layer(Box::new(w2))
        .relu()
        .layer(Box::new(w3))
        .build()?;

    println!("{}, row 0 being the bias feature\n", network.architecture());
    show("Inputs, a sample a row", &inputs, None);
    show("Targets", &targets, None);
    for (layer, weights) in (1..).zip(network.parameters()) {
        show(&format!("W{layer}, the bias in column 0"), weights, None);
    }

    let prediction = network.predict(inputs.view())?;
    show(
        "Prediction",
        &prediction,
        Some(&array![[2.0], [0.0], [3.0], [1.0]]),
    );

    let data = Dataset::regression(inputs, targets)?;
    let loader = DataLoader::new(&data, 4, Shuffle::None, 0)?;
    let mut workspace = Workspace::new(&network, 4)?;
    for batch in loader.batches() {
        let loss = network.forward_backward(&batch, &MseLoss::default(), &mut workspace)?;
        println!("Loss: {loss}; the report's: 1\n");
        network.gradients(&mut workspace)?;
        for (layer, (ours, report)) in (1..).zip(workspace.gradients().zip(&report_gradients())) {
            show(
                &format!("dJ/dW{layer}, halved as the report's"),
                &(ours / 2.0),
                Some(report),
            );
        }
        network.apply_gradients(&mut Sgd::new(2.0)?, &mut workspace)?;
    }
    for (layer, weights) in (1..).zip(network.parameters()) {
        show(&format!("W{layer} after a step of eta = 2"), weights, None);
    }
    println!("The last row of W1 is the report's, (1 1 6), its misprint mended.");
    Ok(())
}

/// dJ/dW of each layer as the report prints them.
fn report_gradients() -> [Array2<f64>; 3] {
    [
        array![
            [0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0],
            [0.0, 0.0, 1.0],
            [0.0, 0.0, -1.5]
        ],
        array![[0.0, 0.0, 0.0, 0.0], [0.0, -0.5, -0.5, 0.0], [0.0, 0.5, 0.5, 0.0]],
        array![[0.0, 0.0, 0.0], [0.0, -0.5, -1.5]],
    ]
}

/// Prints a matrix, and next to it what the report has.
fn show(title: &str, ours: &Array2<f64>, report: Option<&Array2<f64>>) {
    let verdict = match report {
        None => "",
        Some(report) if report == ours => "   | the report's: the same",
        Some(_) => "   | the report's: DIFFERENT",
    };
    println!("{title}{verdict}");
    for row in 0..ours.nrows() {
        let line = |matrix: &Array2<f64>| -> String {
            let numbers = matrix.row(row);
            numbers.iter().map(|number| format!("{number:>5}")).collect()
        };
        match report {
            None => println!("{}", line(ours)),
            Some(report) => println!("{}   |{}", line(ours), line(report)),
        }
    }
    println!();
}
