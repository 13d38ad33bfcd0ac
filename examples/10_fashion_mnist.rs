//! Fashion-MNIST with dense layers: 784-512-256-10, dropout, Adam, a learning rate that falls along a cosine. Fetches the
//! data set where it is not yet on this machine.
//!
//! A tenth of the training images is kept for validation; what the pictures call train and validation is judged after
//! each epoch, without dropout. The test images are looked at once, in the end.
//!
//! ```text
//! cargo run --release --example 10_fashion_mnist [EPOCHS [FOLDER FOR PICTURES]]
//! ```

#[path = "common/save_pictures.rs"]
mod save_pictures;

use mfnet::data::known::{self, FASHION_MNIST_CLASSES, Source};
use mfnet::data::train_test_split;
use mfnet::metrics::confusion_matrix;
use mfnet::optimizer::Schedule;
use mfnet::report::{Curves, Panel, Series, confusion, curves};
use mfnet::{Adam, CrossEntropyLoss, Error, NeuralNetwork, Sets, Targets, TrainOptions, Trainer, argmax};
use save_pictures::save_pictures;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let epochs = arguments.next().map_or(Ok(12), |text| text.parse())?;
    let (all, test) = match known::fashion_mnist::<f32>(&Source::default(), &mut |_| {}) {
        Err(error @ Error::Unavailable { .. }) => {
            eprintln!("SKIPPED: {error}");
            return Ok(());
        }
        answer => answer?,
    };
    let (train, validation) = train_test_split(&all, 0.1, 0)?;
    let network = NeuralNetwork::builder(train.features())
        .linear(512)
        .relu()
        .dropout(0.2)
        .linear(256)
        .relu()
        .dropout(0.2)
        .linear(train.outputs())
        .build()?;
    println!("{}\n", network.architecture());
    let options = TrainOptions::default()
        .with_epochs(epochs)
        .with_batch_size(128)
        .with_schedule(Schedule::cosine(epochs));
    let loss = CrossEntropyLoss::default();
    let mut trainer = Trainer::new(network, loss.clone(), Adam::new(0.001)?).options(options);

    let mut lines: [Vec<(f64, f64)>; 4] = Default::default();
    let sets = Sets::from(&train).with_validation(&validation);
    println!("epoch  train loss  accuracy  validation loss  accuracy");
    let mut run = trainer.start(sets)?;
    while let Some(record) = run.epoch()? {
        let learned = run.network().evaluate(&train, &loss)?;
        let Some(judged) = record.validation else {
            break;
        };
        let parts = [learned, judged].map(|evaluation| evaluation.accuracy.unwrap_or_default());
        let percent = parts.map(|part| 100.0 * part);
        println!(
            "{:>5}  {:>10.4}  {:>6.2} %  {:>15.4}  {:>6.2} %",
            record.epoch, learned.loss, percent[0], judged.loss, percent[1]
        );
        let numbers = [learned.loss, judged.loss, parts[0], parts[1]];
        for (line, number) in lines.iter_mut().zip(numbers) {
            line.push((record.epoch as f64, number));
        }
    }
    let network = trainer.into_network();
    let accuracy = network.evaluate(&test, &loss)?.accuracy.unwrap_or_default();
    println!("\n{:.2} % of the test images are recognised", 100.0 * accuracy);

    let [loss, judged_loss, accuracy, judged_accuracy] = lines;
    let train = |points| Series {
        name: "train",
        points,
    };
    let validation = |points| Series {
        name: "validation",
        points,
    };
    let progress = curves(&Curves {
        title: "Fashion-MNIST: 784-512-256-10",
        panels: vec![
            Panel::loss("cross-entropy", vec![train(loss), validation(judged_loss)]),
            Panel::accuracy("accuracy", vec![train(accuracy), validation(judged_accuracy)]),
        ],
        ..Curves::default()
    })?;
    let mut pictures = vec![("fashion-curves", progress)];
    if let Targets::Classes {
        labels,
        classes: count,
    } = test.targets()
    {
        let predicted = argmax(network.predict_dataset(&test)?.view())?;
        let counts = confusion_matrix(&predicted, labels, *count)?;
        let title = "Fashion-MNIST, test images";
        pictures.push((
            "fashion-confusion",
            confusion(title, counts.view(), &FASHION_MNIST_CLASSES)?,
        ));
    }
    save_pictures(arguments.next().as_deref(), &pictures)
}
