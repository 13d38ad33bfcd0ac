//! The meaning of a model's outputs: logits, probabilities or scores of classes, logits of yes/no answers, or numbers.

use std::fmt;

use crate::data::Task;
use crate::element::Element;
use crate::loss::{LossRecord, Output};
use crate::network::NeuralNetwork;

/// The meaning of a model's outputs; [`Model::output_kind`](super::Model::output_kind) derives it from the task, the
/// network, and the loss that the network was trained with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputKind {
    /// Logits of classes: their softmax are the probabilities.
    Logits,
    /// Probabilities of classes: the network ends in a softmax.
    Probabilities,
    /// Scores of classes, the largest of which tells the class: the network was trained with a loss that neither takes a
    /// softmax of the outputs nor expects one, such as the mean squared error. No probabilities follow from scores.
    Scores,
    /// A logit of yes for each yes/no target: their sigmoids are the probabilities of yes.
    BinaryLogits,
    /// Numbers: the targets of a regression, on the raw scale.
    Numbers,
}

impl OutputKind {
    /// Derives the meaning of the outputs. Where the loss is unknown, outputs of classes are logits, unless the network
    /// ends in a softmax.
    pub(super) fn of<T: Element>(task: Task, network: &NeuralNetwork<T>, loss: Option<&LossRecord>) -> Self {
        match (task, loss.map(|loss| loss.expects)) {
            (Task::Regression, _) => OutputKind::Numbers,
            (Task::Binary, _) => OutputKind::BinaryLogits,
            _ if network.gives_probabilities() => OutputKind::Probabilities,
            (Task::Classification, Some(Output::Any)) => OutputKind::Scores,
            (Task::Classification, _) => OutputKind::Logits,
        }
    }
}

impl fmt::Display for OutputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OutputKind::Logits => "logits",
            OutputKind::Probabilities => "probabilities",
            OutputKind::Scores => "scores",
            OutputKind::BinaryLogits => "binary logits",
            OutputKind::Numbers => "numbers",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Model;
    use crate::data::{Dataset, Schema};
    use crate::loss::{BinaryCrossEntropyLoss, CrossEntropyLoss, Loss, MseLoss, ProbabilityCrossEntropyLoss};
    use ndarray::{Array2, array};

    fn model(softmax: bool) -> Model<f64> {
        let data = Dataset::classification(array![[0.0], [1.0], [2.0]], vec![0, 1, 1], 2).unwrap();
        let builder = NeuralNetwork::builder(1).linear(2).seed(7);
        let builder = if softmax { builder.softmax() } else { builder };
        Model::new(builder.build().unwrap(), Schema::of(&data)).unwrap()
    }

    /// The kind, and the probabilities of three samples if there are any, of the model and of its file.
    fn told(model: &Model<f64>) -> (OutputKind, Option<Array2<f64>>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        model.save(&path).unwrap();
        let told = |model: &Model<f64>| {
            let design = array![[0.0], [1.0], [-3.0]];
            assert_eq!(model.predict_labels(design.view()).unwrap().len(), 3);
            (model.output_kind(), model.predict_proba(design.view()).ok())
        };
        let loaded = Model::load(&path).unwrap();
        assert_eq!(loaded.loss(), model.loss());
        assert_eq!(told(&loaded), told(model));
        told(model)
    }

    #[test]
    fn the_loss_decides_the_meaning_of_the_outputs() {
        let weighted = CrossEntropyLoss::default().with_class_weights(vec![0.75, 1.5]);
        let losses: [(bool, Option<&dyn Loss<f64>>, OutputKind); 6] = [
            (false, None, OutputKind::Logits),
            (false, Some(&weighted), OutputKind::Logits),
            (false, Some(&MseLoss::default()), OutputKind::Scores),
            (true, None, OutputKind::Probabilities),
            (
                true,
                Some(&ProbabilityCrossEntropyLoss::default()),
                OutputKind::Probabilities,
            ),
            (true, Some(&MseLoss::default()), OutputKind::Probabilities),
        ];
        for (softmax, loss, expected) in losses {
            let mut model = model(softmax);
            if let Some(loss) = loss {
                model = model.trained_with(loss).unwrap();
            }
            let (kind, probabilities) = told(&model);
            assert_eq!(kind, expected);
            let design = array![[0.0], [1.0], [-3.0]];
            let outputs = model.predict(design.view()).unwrap();
            assert_eq!(probabilities.is_none(), kind == OutputKind::Scores);
            if kind == OutputKind::Probabilities {
                assert_eq!(probabilities, Some(outputs));
            }
        }
    }

    #[test]
    fn outputs_of_yes_no_targets_are_binary_logits() {
        let bce = BinaryCrossEntropyLoss::default().with_positive_weights(vec![2.0, 0.5]);
        let data = Dataset::regression(array![[0.0], [1.0]], array![[0.0, 1.0], [1.0, 1.0]]).unwrap();
        let with = |schema: Schema<f64>, activation: &str| {
            let builder = NeuralNetwork::builder(1).linear(2).activation_named(activation);
            Model::new(builder.unwrap().seed(7).build().unwrap(), schema)
        };
        let model = |schema: Schema<f64>, activation: &str| with(schema, activation).unwrap();
        let binary = || Schema::of(&data).binary().unwrap();
        let trained = model(binary(), "identity").trained_with(&bce).unwrap();
        assert_eq!(trained.output_kind(), OutputKind::BinaryLogits);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        trained.save(&path).unwrap();
        let loaded = Model::load(&path).unwrap();
        assert_eq!(
            (loaded.loss(), loaded.schema()),
            (trained.loss(), trained.schema())
        );
        let design = array![[0.0], [1.0], [-3.0]];
        let logits = loaded.predict(design.view()).unwrap();
        let probabilities = loaded.predict_proba(design.view()).unwrap();
        for (logit, probability) in logits.iter().zip(&probabilities) {
            assert!((probability - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-15);
        }
        let answers = loaded.predict_answers(design.view()).unwrap();
        assert_eq!(answers, logits.mapv(|logit| logit > 0.0));
        for error in [
            loaded.predict_labels(design.view()).map(drop).unwrap_err(),
            loaded.predict_names(design.view()).map(drop).unwrap_err(),
        ] {
            assert!(error.to_string().contains("Model::predict_answers"), "{error}");
        }
        // Without a record of the loss, the task tells.
        assert_eq!(
            model(binary(), "identity").output_kind(),
            OutputKind::BinaryLogits
        );

        let message =
            |model: Model<f64>, loss: &dyn Loss<f64>| model.trained_with(loss).unwrap_err().to_string();
        for (activation, part) in [
            ("sigmoid", "ends in a sigmoid: leave it out"),
            ("softmax", "leave out the softmax"),
        ] {
            let error = with(binary(), activation).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
            let network = model(Schema::of(&data), activation).into_parts().0;
            let error = network.evaluate(&data, &bce).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let mse = MseLoss::default();
        assert!(message(model(binary(), "identity"), &mse).contains("yes/no targets"));
        let numbers = model(Schema::of(&data), "identity");
        assert!(message(numbers, &bce).contains("Schema::binary"));
        let one = BinaryCrossEntropyLoss::default().with_positive_weights(vec![1.0]);
        assert!(message(model(binary(), "identity"), &one).contains("2 weights of positives"));
    }

    #[test]
    fn losses_that_do_not_fit_are_refused() {
        let message =
            |softmax, loss: &dyn Loss<f64>| model(softmax).trained_with(loss).unwrap_err().to_string();
        assert!(message(true, &CrossEntropyLoss::default()).contains("expects logits"));
        assert!(message(false, &ProbabilityCrossEntropyLoss::default()).contains("expects probabilities"));
        let three = CrossEntropyLoss::default().with_class_weights(vec![1.0; 3]);
        assert!(message(false, &three).contains("2 class weights"));
    }
}
