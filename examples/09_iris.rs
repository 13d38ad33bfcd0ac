//! Iris: a network of two layers that ends in a softmax, a search for its learning rate and width, and a logger that
//! keeps every run.
//!
//! 4-n-3 with ReLU and softmax, the cross-entropy of probabilities, gradient descent with momentum. Each combination has
//! a folder under `experiments`: hyper-parameters, learned weights and the loss of every iteration as a picture. A run
//! never overwrites an earlier one, but gets a number. The combination is chosen by its loss on a validation set; the
//! test set has no say.
//!
//! Some copies of `iris.data` lack a few measures. The library refuses them; this example goes on with the mean of
//! the training samples in their place, and says so.
//!
//! ```text
//! cargo run --release --example 09_iris [EPOCHS [FOLDER OF EXPERIMENTS]]
//! ```

use mfnet::data::known::{self, Source};
use mfnet::data::read::{CsvOptions, read_csv};
use mfnet::data::{Batch, Columns, Fitted, Imputation, Preparation, RawSamples, Schema, Task};
use mfnet::loss::ProbabilityCrossEntropyLoss;
use mfnet::report::{Curves, Panel, Series, curves};
use mfnet::{
    DataLoader, Dataset, Error, Evaluation, NeuralNetwork, Position, Sgd, Shuffle, Workspace, argmax,
};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const LEARNING_RATES: [f64; 3] = [0.2, 0.05, 0.01];
const WIDTHS: [usize; 3] = [4, 8, 16];
const MOMENTUM: f64 = 0.9;
const BATCH_SIZE: usize = 16;
const SEED: u64 = 0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let epochs = arguments.next().map_or(Ok(60), |text| text.parse())?;
    let folder = PathBuf::from(arguments.next().unwrap_or("experiments".to_owned()));
    let (all, schema) = match iris() {
        Err(error @ Error::Unavailable { .. }) => {
            eprintln!("SKIPPED: {error}");
            return Ok(());
        }
        answer => answer?,
    };
    let (rest, test) = all.split(0.2, SEED, &schema)?;
    let (train, validation) = rest.split(0.2, SEED, &schema)?;
    let preparation = Preparation {
        imputation: Some(Imputation::Mean),
        ..Preparation::default()
    };
    let Fitted { schema, train, .. } = schema.fit(train, &preparation)?;
    let (validation, test) = (schema.apply(validation)?, schema.apply(test)?);

    println!("learning rate  width  validation loss  validation error  test error");
    let error = |evaluation: &Evaluation| 1.0 - evaluation.accuracy.unwrap_or_default();
    let mut best: Option<(Evaluation, Evaluation, PathBuf)> = None;
    let mut least = f64::INFINITY;
    for learning_rate in LEARNING_RATES {
        for width in WIDTHS {
            let mut model = TwoLayers::new(&train, width, learning_rate)?;
            let losses = model.learn(&train, epochs)?;
            let [judged, tested] = [&validation, &test].map(|data| model.evaluate(data));
            let (judged, tested) = (judged?, tested?);
            println!(
                "{learning_rate:>13}  {width:>5}  {:>15.4}  {:>14.1} %  {:>8.1} %",
                judged.loss,
                100.0 * error(&judged),
                100.0 * error(&tested)
            );
            let place = log(
                &folder,
                &format!("iris-rate{learning_rate}-width{width}"),
                |place| {
                    let settings = format!(
                        "layers = [4, {width}, 3]\nlearning-rate = {learning_rate}\nmomentum = {MOMENTUM}\n\
                     batch-size = {BATCH_SIZE}\nepochs = {epochs}\nseed = {SEED}\n"
                    );
                    std::fs::write(place.join("hyper-parameters.toml"), settings)?;
                    model.network.save(place.join("weights.safetensors"))?;
                    let points = (1..)
                        .zip(&losses)
                        .map(|(iteration, &loss)| (f64::from(iteration), loss));
                    let train = Series {
                        name: "batch",
                        points: points.collect(),
                    };
                    let picture = curves(&Curves {
                        title: &format!("Iris, width {width}, learning rate {learning_rate}"),
                        over: "iteration",
                        panels: vec![Panel::loss("cross-entropy", vec![train])],
                        ..Curves::default()
                    })?;
                    picture.save(place.join("loss"))?;
                    Ok(())
                },
            )?;
            least = least.min(error(&tested));
            if best.as_ref().is_none_or(|(before, ..)| judged.loss < before.loss) {
                best = Some((judged, tested, place));
            }
        }
    }
    if let Some((_, tested, place)) = best {
        println!(
            "\nChosen by the validation loss: {}, test error {:.1} %; the best test error of all: {:.1} %",
            place.display(),
            100.0 * error(&tested),
            100.0 * least
        );
        let network = NeuralNetwork::<f64>::load(place.join("weights.safetensors"))?;
        let first = network.predict(test.to_values().slice(ndarray::s![..3, ..]))?;
        let flowers = argmax(first.view())?;
        let names = flowers.iter().map(|&class| known::IRIS_CLASSES[class as usize]);
        println!(
            "The first flowers of the test set, by its saved weights: {}",
            names.collect::<Vec<_>>().join(", ")
        );
    }
    Ok(())
}

/// A hidden layer with ReLU, an output layer with softmax, and all that training takes.
struct TwoLayers {
    network: NeuralNetwork<f64>,
    loss: ProbabilityCrossEntropyLoss,
    sgd: Sgd<f64>,
    workspace: Workspace<f64>,
}

impl TwoLayers {
    fn new(train: &Dataset<f64>, width: usize, learning_rate: f64) -> mfnet::Result<Self> {
        let network = NeuralNetwork::builder(train.features())
            .linear(width)
            .relu()
            .linear(train.outputs())
            .softmax()
            .seed(SEED)
            .build()?;
        Ok(TwoLayers {
            workspace: Workspace::new(&network, BATCH_SIZE)?,
            loss: ProbabilityCrossEntropyLoss::default(),
            sgd: Sgd::new(learning_rate)?.momentum(MOMENTUM)?,
            network,
        })
    }

    /// Learns for some epochs, and gives the loss of each iteration.
    fn learn(&mut self, train: &Dataset<f64>, epochs: u64) -> mfnet::Result<Vec<f64>> {
        let mut loader = DataLoader::new(train, BATCH_SIZE, Shuffle::Samples, SEED)?;
        let mut losses = Vec::new();
        for epoch in 1..=epochs {
            loader.start_epoch(epoch);
            for batch in loader.batches() {
                losses.push(self.forward_and_back(&batch)?);
                self.network.apply_gradients(&mut self.sgd, &mut self.workspace)?;
            }
        }
        Ok(losses)
    }

    /// The probabilities of the classes, then the way back from their loss, which is returned.
    fn forward_and_back(&mut self, batch: &Batch<'_, f64>) -> mfnet::Result<f64> {
        self.network
            .forward_backward(batch, &self.loss, &mut self.workspace)
    }

    fn evaluate(&self, data: &Dataset<f64>) -> mfnet::Result<Evaluation> {
        self.network.evaluate(data, &self.loss)
    }
}

/// Makes a folder that is new, numbered if the name is taken, and has something written into it.
fn log(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&Path) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<PathBuf, Box<dyn std::error::Error>> {
    std::fs::create_dir_all(folder)?;
    let mut place = folder.join(name);
    for number in 2.. {
        match std::fs::create_dir(&place) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                place = folder.join(format!("{name}-{number}"));
            }
            made => {
                made?;
                break;
            }
        }
    }
    write(&place)?;
    Ok(place)
}

/// The published data set, or one that lacks some measures, and the meaning of its columns.
fn iris() -> mfnet::Result<(RawSamples<f64>, Schema<f64>)> {
    match known::iris(&Source::default(), &mut |_| {}) {
        Err(Error::InvalidFile {
            path,
            position: position @ Position::Cell { .. },
            problem,
        }) => {
            eprintln!(
                "{}: {position}: {problem}; this is not the file that UCI publishes.\nThe mean of the training \
                 samples stands in for every missing value.",
                path.display()
            );
            let options = CsvOptions {
                header: Some(false),
                delimiter: Some(b','),
                ..CsvOptions::default()
            };
            let columns = Columns {
                task: Some(Task::Classification),
                ..Columns::default()
            };
            let examples = read_csv(&path, &options)?.examples(&columns)?;
            Ok((examples.samples, examples.schema))
        }
        answer => {
            let all = answer?;
            let schema = Schema::of(&all);
            Ok((all.into(), schema))
        }
    }
}
