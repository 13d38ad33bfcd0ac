//! The meaning of a model's outputs in all commands: probabilities, scores, losses, and predictions of nothing.

use std::fs;
use std::process::Command;

use mfnet::checkpoint::OutputKind;
use mfnet::data::{Columns, Fitted, Preparation, Schema, read as reading};
use mfnet::loss::ProbabilityCrossEntropyLoss;
use mfnet::{Adam, Model, NeuralNetwork, TrainOptions, Trainer};
use ndarray::array;

use crate::command::{assert_has, command, json, refused, silent};
use crate::folder::{Folder, folder_with, read};

/// Two kinds of trees, of which one is rare.
fn trees(rows: usize) -> String {
    let mut table = "height,girth,kind\n".to_owned();
    for row in 0..rows {
        let (a, b) = ((row * 37 % 101) as f64 / 101.0, (row * 53 % 97) as f64 / 97.0);
        let (height, girth, kind) = match row % 5 {
            0 => (15.0 + 6.0 * a, 1.0 + 0.3 * b, "oak"),
            _ => (11.0 + 6.0 * a, 0.7 + 0.4 * b, "birch"),
        };
        table += &format!("{height:.3},{girth:.3},{kind}\n");
    }
    table
}

fn folder() -> Folder {
    folder_with(&[("trees.csv", &trees(100)), ("more.csv", &trees(40))])
}

#[test]
fn a_classifier_of_scores_has_classes_and_no_probabilities() {
    let at = &folder();
    let trained = json(
        at,
        "train trees.csv --loss mse --epochs 60 --validation more.csv --out run --json --quiet",
    );
    assert_eq!(trained["loss_name"], "mse");
    let evaluated = json(at, "evaluate run more.csv --json");
    assert_eq!(evaluated["loss_name"], "mse");
    let validation = &trained["final"]["validation"];
    for key in ["loss", "accuracy"] {
        assert_eq!(evaluated[key], validation[key], "{key}");
    }
    let epochs = trained["validation_loss"].as_array().unwrap();
    let (last, found) = (epochs[59].as_f64().unwrap(), evaluated["loss"].as_f64().unwrap());
    assert!((last - found).abs() < 1e-5, "{last} and {found}");
    assert_eq!(silent(at, "predict run more.csv").lines().count(), 41);
    let message = refused(at, "predict run more.csv --proba", 2);
    assert_has(&message, &["--proba", "trained with the loss mse"]);
    assert!(silent(at, "export run --onnx m.onnx").contains("output (N x 2, scores), label (N)"));
    let onnx = fs::read(at.join("m.onnx")).unwrap();
    let has = |name: &[u8]| onnx.windows(name.len()).any(|window| window == name);
    assert!(has(b"label") && !has(b"probabilities"));
    assert!(silent(at, "inspect run").contains("scores, trained with the loss mse"));
}

#[test]
fn a_network_that_ends_in_a_softmax_has_its_own_probabilities() {
    let at = &folder();
    let table = reading::read_csv(&at.join("trees.csv"), &reading::CsvOptions::default()).unwrap();
    let examples = table.examples::<f64>(&Columns::default()).unwrap();
    let fitted = examples.schema.fit(examples.samples, &Preparation::default());
    let Fitted {
        schema,
        train: scaled,
        ..
    } = fitted.unwrap();
    let network = NeuralNetwork::builder(2)
        .linear(2)
        .softmax()
        .seed(7)
        .build()
        .unwrap();
    let loss = ProbabilityCrossEntropyLoss::default();
    let mut trainer = Trainer::new(network, loss.clone(), Adam::new(0.05).unwrap());
    trainer = trainer.options(TrainOptions::default().with_epochs(300));
    trainer.fit(&scaled).unwrap();
    let expected = trainer.network().predict_dataset(&scaled).unwrap();
    let expected_loss = trainer.network().evaluate(&scaled, &loss).unwrap().loss;
    let model = trainer.into_model(schema).unwrap();
    assert_eq!(model.output_kind(), OutputKind::Probabilities);
    model.save(at.join("softmax.safetensors")).unwrap();

    let out = silent(at, "predict softmax.safetensors trees.csv --proba");
    let numbers: Vec<f64> = (out.lines().skip(1))
        .flat_map(|line| line.split(','))
        .map(|number| number.parse().unwrap())
        .collect();
    assert_eq!(numbers, expected.into_raw_vec_and_offset().0);
    let evaluated = json(at, "evaluate softmax.safetensors trees.csv --json");
    assert_eq!(evaluated["loss"], expected_loss);
    assert_eq!(evaluated["loss_name"], "probability-cross-entropy");
}

#[test]
fn a_loss_with_class_weights_is_the_same_in_train_and_evaluate() {
    let at = &folder();
    let trained = json(
        at,
        "train trees.csv --class-weight balanced --epochs 20 --validation more.csv --out run --json --quiet",
    );
    let evaluated = json(at, "evaluate run more.csv --json");
    assert_eq!(evaluated["loss"], trained["final"]["validation"]["loss"]);
    let epochs = trained["validation_loss"].as_array().unwrap();
    let (last, found) = (epochs[19].as_f64().unwrap(), evaluated["loss"].as_f64().unwrap());
    assert!((last - found).abs() < 1e-5, "{last} and {found}");
    assert_eq!(evaluated["class_weights"], trained["class_weights"]);
    assert_eq!(evaluated["class_weights"], serde_json::json!([0.625, 2.5]));
    let text = silent(at, "evaluate run more.csv");
    assert!(text.contains("(cross-entropy, weighted by class)"), "{text}");
    let text = silent(at, "train trees.csv --class-weight balanced --epochs 1 --quiet");
    assert!(
        text.contains("loss function        cross-entropy, weighted by class\n"),
        "{text}"
    );
}

#[test]
fn errors_of_targets_in_different_units_have_no_mean() {
    let at = &folder_with(&[]);
    let mut table = "x,metres,grams\n".to_owned();
    for row in 0..40 {
        let x = (row * 7 % 11) as f64;
        table += &format!("{x},{},{}\n", 0.001 * x + 1.0, 5000.0 * x);
    }
    fs::write(at.join("units.csv"), table).unwrap();
    let trained = json(
        at,
        "train units.csv --target metres,grams --linear --epochs 50 --out run --json --quiet",
    );
    let targets = &trained["final"]["train"]["targets"];
    assert_eq!(
        (&targets[0]["name"], &targets[1]["name"]),
        (&"metres".into(), &"grams".into())
    );
    let evaluated = json(at, "evaluate run units.csv --json");
    assert!(
        evaluated["mean"].is_null() && evaluated["mean_r2"].is_f64(),
        "{evaluated}"
    );
    for target in 0..2 {
        for key in ["r2", "rmse", "mae"] {
            let (one, other) = (&evaluated["targets"][target][key], &targets[target][key]);
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            assert!(
                (one - other).abs() <= 1e-3 * one.abs(),
                "{key}: {one} and {other}"
            );
        }
    }
    let text = silent(at, "evaluate run units.csv");
    let mean = text.lines().find(|line| line.starts_with("mean")).unwrap();
    assert_eq!(mean.split_whitespace().count(), 2, "{text}");
}

#[test]
fn a_file_without_rows_has_predictions_without_rows() {
    let at = &folder();
    silent(at, "train trees.csv --epochs 2 --out run --json --quiet");
    fs::write(at.join("none.csv"), "girth,height\n").unwrap();
    assert_eq!(silent(at, "predict run none.csv"), "prediction\n");
    assert_eq!(silent(at, "predict run none.csv --proba"), "birch,oak\n");
    assert_eq!(silent(at, "predict run none.csv --header yes"), "prediction\n");
    silent(at, "predict run none.csv --proba --out p.npy");
    let content = fs::read(at.join("p.npy")).unwrap();
    assert!(
        String::from_utf8_lossy(&content).contains("'shape': (0, 2)"),
        "{content:?}"
    );
    silent(at, "predict run none.csv --out p.npz");
    assert!(fs::read(at.join("p.npz")).unwrap().starts_with(b"PK"));
    // The columns are checked all the same, and samples to evaluate with must have rows.
    fs::write(at.join("other.csv"), "a,b\n").unwrap();
    assert!(refused(at, "predict run other.csv", 1).contains("\"a\" is not a number"));
    assert!(refused(at, "predict run other.csv --header yes", 1).contains("height"));
    refused(at, "evaluate run none.csv", 1);
}

#[test]
fn labels_give_no_orders_to_a_terminal() {
    let table = "a,b,kind\n1,2,\x1b[2J\n2,3,oak\n1,3,\x1b[2J\n2,4,oak\n";
    let at = &folder_with(&[("kinds.csv", table)]);
    silent(at, "train kinds.csv --epochs 1 --out run --json --quiet");
    for arguments in ["predict run kinds.csv --proba", "predict run kinds.csv"] {
        let plain = command(at, arguments);
        let program = plain.get_program().to_str().unwrap().to_owned();
        let Ok(output) = Command::new("script")
            .args(["-qec", &format!("{program} {arguments}"), "/dev/null"])
            .current_dir(at.to_path_buf())
            .output()
        else {
            eprintln!("SKIPPED: there is no `script` to make a terminal with");
            return;
        };
        assert!(output.status.success());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!text.contains('\x1b'), "{text:?}");
        if arguments.ends_with("--proba") {
            assert!(text.contains("\\u{1b}[2J"), "{text:?}");
        }
    }
    // Programs get the labels as they are.
    silent(at, "predict run kinds.csv --proba --out p.csv");
    assert!(read(at, "p.csv").starts_with("\x1b[2J,oak\n"));
}

#[test]
fn model_and_data_in_the_wrong_order_are_told() {
    let at = &folder();
    silent(at, "train trees.csv --epochs 1 --out run --json --quiet");
    for command in ["predict", "evaluate"] {
        for (model, data) in [("trees.csv", "run"), ("iris", "run/model.safetensors")] {
            let message = refused(at, &format!("{command} {model} {data}"), 2);
            let expected = format!("mfnet {command} {data} {model}");
            assert!(message.contains(&expected), "{message}");
        }
        let message = refused(at, &format!("{command} run run"), 2);
        assert!(message.contains("DATA is a model, too"), "{message}");
    }
    fs::write(at.join("net.pt"), b"PK\x03\x04 and what PyTorch keeps").unwrap();
    for arguments in [
        "predict net.pt trees.csv",
        "inspect net.pt",
        "import net.pt --layers 2,2 --out m.safetensors",
        "train trees.csv --init net.pt",
    ] {
        let message = refused(at, arguments, 1);
        assert!(
            message.contains("safetensors.torch.save_file"),
            "{arguments}: {message}"
        );
    }
}

#[test]
fn a_model_without_a_known_loss_has_logits() {
    let at = &folder();
    let data = mfnet::Dataset::classification(array![[1.0], [2.0]], vec![0, 1], 2).unwrap();
    let network = NeuralNetwork::<f64>::builder(1)
        .linear(2)
        .seed(7)
        .build()
        .unwrap();
    let model = Model::new(network, Schema::of(&data)).unwrap();
    model.save(at.join("old.safetensors")).unwrap();
    fs::write(at.join("x.csv"), "1\n2\n").unwrap();
    let out = silent(at, "predict old.safetensors x.csv --proba --header no");
    for line in out.lines().skip(1) {
        let sum: f64 = line.split(',').map(|part| part.parse::<f64>().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{line}");
    }
    assert!(silent(at, "inspect old.safetensors").contains("logits; the loss of the training is unknown"));
}
