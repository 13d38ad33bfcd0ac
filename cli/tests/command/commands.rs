//! The commands around a model as a user meets them: evaluate, predict, inspect, export, import, datasets, completions
//! and man.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mfnet::data::Inputs;
use mfnet::data::read::{read_npy_inputs, write_npy, write_npy_labels};
use mfnet::data::{Columns, Preparation, Schema, read};
use mfnet::{Adam, CrossEntropyLoss, Dataset, Element, Model, MseLoss, NeuralNetwork, TrainOptions, Trainer};
use ndarray::{Array2, array};
use serde_json::Value;

use crate::command;
use crate::command::{
    Parts, assert_has, assert_keys, assert_refused, json, object, parts, refused, silent, told, words,
};
use crate::folder::{self, Folder, folder_with, names};

const TREES: &str =
    "height,width,kind\n12,1,oak\n13,2,oak\n3,8,\"birch, young\"\n2,9,\"birch, young\"\n11,1,oak\n";
const PRICES: &str = "area,age,price\n50,10,100\n60,20,110\n80,5,170\n100,1,210\n";

/// A folder with a model of each task, and the files that they learned from.
struct Workshop {
    folder: Folder,
}

impl Workshop {
    fn new() -> Self {
        let workshop = Workshop {
            folder: folder_with(&[]),
        };
        workshop.put("trees.csv", TREES);
        workshop.put("prices.csv", PRICES);
        let (dataset, schema) = workshop.learnable::<f32>("trees.csv");
        let network = NeuralNetwork::builder(2)
            .linear(8)
            .tanh()
            .linear(2)
            .seed(7)
            .build()
            .unwrap();
        let trainer = Trainer::new(network, CrossEntropyLoss::default(), Adam::new(0.05).unwrap());
        fs::create_dir(workshop.path("run")).unwrap();
        fit(trainer, &dataset, schema, &workshop.path("run/model.safetensors"));
        let (dataset, schema) = workshop.learnable::<f64>("prices.csv");
        let network = NeuralNetwork::builder(2).linear(1).seed(7).build().unwrap();
        let trainer = Trainer::new(network, MseLoss::default(), Adam::new(0.05).unwrap());
        fit(trainer, &dataset, schema, &workshop.path("prices.safetensors"));
        workshop
    }

    fn learnable<T: Element>(&self, name: &str) -> (Dataset<T>, Schema<T>) {
        let table = read::read_csv(&self.path(name), &read::CsvOptions::default()).unwrap();
        let examples = table.examples::<T>(&Columns::default()).unwrap();
        let fitted = examples
            .schema
            .fit(examples.samples, &Preparation::default())
            .unwrap();
        (fitted.train, fitted.schema)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn mfnet(&self, line: &str) -> Command {
        command::mfnet(&self.folder, &words(line))
    }

    fn done(&self, line: &str) -> String {
        silent(&self.folder, line)
    }

    fn json(&self, line: &str) -> Value {
        json(&self.folder, line)
    }

    fn refused(&self, line: &str, code: i32) -> String {
        refused(&self.folder, line, code)
    }

    fn piped(&self, line: &str, input: &str) -> Parts {
        let mut command = self.mfnet(line);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        told(&child.wait_with_output().unwrap())
    }
}

fn fit<T: Element>(trainer: Trainer<T>, dataset: &Dataset<T>, schema: Schema<T>, path: &Path) {
    let mut trainer = trainer.options(TrainOptions::default().with_epochs(300).with_seed(7));
    trainer.fit(dataset).unwrap();
    Model::new(trainer.into_network(), schema)
        .unwrap()
        .save(path)
        .unwrap();
}

#[test]
fn classes_are_evaluated() {
    let workshop = Workshop::new();
    let out = workshop.done("evaluate run trees.csv");
    let expected = [
        "model             2 - 8 tanh - 2, f32\n",
        "data              trees.csv\n",
        "samples           5\n",
        "(cross-entropy)\n",
        "accuracy          100.00 %\n",
        "ROC AUC           1.0000\n",
        "average precision 1.0000 (of `oak`)\n",
        "birch, young         1.0000  1.0000  1.0000        2\n",
        "weighted average",
        "0 birch, young 2 .\n1 oak          . 3\n",
    ];
    assert_has(&out, &expected);
    // Other names, another order, and a wrong truth: nothing is right but what must be.
    let rows = "kind,width,height,remark\noak,9,2,x\noak,1,12,y\n";
    let (code, out, err) = workshop.piped("evaluate run - --json", rows);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let result = object(&out);
    let keys = "task model data samples features outputs precision loss loss_name class_weights positive_weights huber_delta label_smoothing out accuracy roc_auc average_precision threshold classes macro_average weighted_average confusion";
    assert_keys(&result, keys);
    assert_eq!(result["accuracy"], 0.5);
    assert_eq!(result["confusion"], serde_json::json!([[0, 0], [1, 1]]));
    assert_eq!(result["classes"][1]["label"], "oak");
    assert_eq!(result["data"], "standard input");
    let narrow = parts(workshop.mfnet("evaluate run trees.csv").env("COLUMNS", "10")).1;
    assert_has(&narrow, &["no class is taken for another\n"]);
}

#[test]
fn numbers_are_evaluated() {
    let workshop = Workshop::new();
    let out = workshop.done("evaluate prices.safetensors prices.csv");
    assert_has(
        &out,
        &[
            "(mse of normalised targets)",
            "target      R2    RMSE     MAE\nprice   ",
        ],
    );
    let result = workshop.json("evaluate prices.safetensors prices.csv --json --out new/scores --quiet");
    let keys = "task model data samples features outputs precision loss loss_name class_weights positive_weights huber_delta label_smoothing out targets mean_r2 unit loss_of_normalized_targets target_transform";
    assert_keys(&result, keys);
    assert_eq!(result["targets"][0]["name"], "price");
    let (r2, rmse) = (
        result["mean_r2"].as_f64().unwrap(),
        result["targets"][0]["rmse"].as_f64().unwrap(),
    );
    assert!(r2 > 0.99 && (0.5..5.0).contains(&rmse), "{result}");
    assert_eq!(names(&workshop.path("new")), ["scores"]);
    assert_eq!(
        names(&workshop.path("new/scores")),
        ["metrics.json", "predictions.png", "predictions.svg"]
    );
    let kept = folder::read(&workshop.folder, "new/scores/metrics.json");
    assert_eq!(object(&kept), result);
    let error = workshop.refused("evaluate prices.safetensors prices.csv --out new", 2);
    assert_has(&error, &["--out new: the folder is not empty"]);
}

#[test]
fn predictions_are_in_the_order_of_the_rows() {
    let workshop = Workshop::new();
    let classes = "prediction\noak\noak\n\"birch, young\"\n\"birch, young\"\noak\n";
    assert_eq!(workshop.done("predict run trees.csv"), classes);
    let (code, out, err) = workshop.piped("predict run/model.safetensors -", "width,height\n9,2\n1,12\n");
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (Some(0), "prediction\n\"birch, young\"\noak\n", "")
    );
    // Without names, columns go by their places.
    let (_, out, err) = workshop.piped("predict run - --header no", "12,1\n2,9\n");
    assert_eq!(
        (out.as_str(), err.as_str()),
        ("prediction\noak\n\"birch, young\"\n", "")
    );

    assert_eq!(workshop.done("predict run trees.csv --proba --out p.csv"), "");
    let table = folder::read(&workshop.folder, "p.csv");
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("\"birch, young\",oak"));
    for line in lines {
        let sum: f64 = line.split(',').map(|part| part.parse::<f64>().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{line}");
    }

    let prices = workshop.done("predict prices.safetensors prices.csv");
    let numbers: Vec<f64> = prices.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    let model = Model::<f64>::load(workshop.path("prices.safetensors")).unwrap();
    let design = array![[50.0, 10.0], [60.0, 20.0], [80.0, 5.0], [100.0, 1.0]];
    assert_eq!(prices.lines().next(), Some("price"));
    assert_eq!(
        numbers,
        model.predict(design.view()).unwrap().into_raw_vec_and_offset().0,
        "bit for bit"
    );
}

#[test]
fn numpys_files_go_in_and_out() {
    let workshop = Workshop::new();
    let mut content = Vec::new();
    write_npy(
        Path::new("x.npy"),
        &mut content,
        array![[2.0_f32, 9.0], [12.0, 1.0]].view(),
    )
    .unwrap();
    workshop.put("x.npy", &content);
    let mut content = Vec::new();
    write_npy_labels(Path::new("y.npy"), &mut content, &[0, 1]).unwrap();
    workshop.put("y.npy", &content);

    assert_eq!(
        workshop.done("predict run x.npy"),
        "prediction\n\"birch, young\"\noak\n"
    );
    assert_eq!(workshop.done("predict run x.npy --out labels.npy"), "");
    assert!(
        fs::read(workshop.path("labels.npy"))
            .unwrap()
            .ends_with(&[0, 0, 0, 0, 1, 0, 0, 0])
    );
    workshop.done("predict run x.npy --out p.npy --proba");
    let Inputs::Values(values) = read_npy_inputs::<f32>(&workshop.path("p.npy")).unwrap() else {
        panic!("numbers");
    };
    let model = Model::<f32>::load(workshop.path("run/model.safetensors")).unwrap();
    let expected: Array2<f32> = model
        .predict_proba(array![[2.0, 9.0], [12.0, 1.0]].view())
        .unwrap();
    assert_eq!(values, expected);
    workshop.done("predict run x.npy --out p.npz");
    assert!(fs::read(workshop.path("p.npz")).unwrap().starts_with(b"PK"));

    let result = workshop.json("evaluate run x.npy,y.npy --json");
    assert_eq!(result["accuracy"], 1.0, "classes by their places");
    let error = workshop.refused("evaluate run x.npy", 2);
    assert_has(&error, &["name two, as x.npy,Y.npy"]);
}

#[test]
fn long_tables_are_read_in_parts_and_readers_may_go() {
    let workshop = Workshop::new();
    let rows = 400_000;
    let table = "height,width\n".to_owned() + &"12,1\n2,9\n".repeat(rows / 2);
    workshop.put("long.csv", &table);
    let out = workshop.done("predict run long.csv");
    assert_eq!(
        out,
        "prediction\n".to_owned() + &"oak\n\"birch, young\"\n".repeat(rows / 2)
    );
    // A fault behind the first part: what was written stays, and the line is right.
    workshop.put("long.csv", table + "12,x\n");
    let (code, out, err) = parts(&mut workshop.mfnet("predict run long.csv"));
    assert_eq!(code, Some(1));
    assert!(out.starts_with("prediction\noak\n") && out.lines().count() <= rows + 1);
    assert_has(
        &err,
        &["error: long.csv: line 400002, column 2", "\"x\" is not a number"],
    );
    workshop.refused("predict run long.csv --out p.csv", 1);

    let mut command = workshop.mfnet("predict run long.csv");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let (code, _, err) = told(&child.wait_with_output().unwrap());
    assert_eq!((code, err.as_str()), (Some(0), ""));
}

#[test]
fn models_are_shown() {
    let workshop = Workshop::new();
    let out = workshop.done("inspect run");
    let expected = [
        "holds     a model",
        "network   2 - 8 tanh - 2\n",
        "weights   42 parameters\n",
        "classification, 2 classes",
        "2 features, normalised",
        "    0  Linear     2 -> 8          24\n    1  Tanh\n",
        "height   8.2000",
        "classes of kind: birch, young, oak\n",
    ];
    assert_has(&out, &expected);
    let result = workshop.json("inspect prices.safetensors --json");
    let keys = "file bytes kind precision architecture inputs outputs parameters layers schema output_kind loss training tensors";
    assert_keys(&result, keys);
    assert_eq!(
        (&result["kind"], &result["precision"]),
        (&"model".into(), &"f64".into())
    );
    assert_eq!(
        result["layers"][0]["tensors"]["weight"],
        serde_json::json!([1, 2])
    );
    assert_eq!(result["schema"]["target_names"], serde_json::json!(["price"]));

    let (dataset, schema) = workshop.learnable::<f64>("prices.csv");
    let network = NeuralNetwork::builder(2).linear(1).build().unwrap();
    let mut trainer = Trainer::new(network, MseLoss::default(), Adam::new(0.05).unwrap());
    trainer = trainer.options(TrainOptions::default().with_epochs(3));
    trainer.fit(&dataset).unwrap();
    trainer
        .save_checkpoint(workshop.path("c.safetensors"), Some(&schema))
        .unwrap();
    let out = workshop.done("inspect c.safetensors");
    assert_has(
        &out,
        &["a checkpoint to resume: 3 epochs trained, with Adam\n", "price"],
    );
    workshop.done("predict c.safetensors prices.csv");
}

#[test]
fn weights_of_others_become_models() {
    let workshop = Workshop::new();
    let weights: Vec<u8> = [1.0_f32, 0.0, -1.0, 0.0, 0.0, 0.0]
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    workshop.put("w.safetensors", of_pytorch(&[3, 2], &weights));

    let out = workshop.done("inspect w.safetensors");
    assert_has(
        &out,
        &[
            "not written by mfnet",
            "fc.bias    F32  3\n",
            "fc.weight  F32  3 x 2\n",
            "mfnet import",
        ],
    );
    let error = workshop.refused("predict w.safetensors trees.csv", 1);
    assert_has(
        &error,
        &["does not say what its layers are: `mfnet import w.safetensors --layers"],
    );

    let out =
        workshop.done("import w.safetensors --layers 2,3 --labels a,b,c --features x,y --out m.safetensors");
    assert_has(&out, &["2 - 3, f32", "classification"]);
    let (_, out, err) = workshop.piped("predict m.safetensors -", "y,x\n0,5\n0,-5\n");
    assert_eq!((out.as_str(), err.as_str()), ("prediction\na\nb\n", ""));
    let out = workshop.done("export m.safetensors --onnx m.onnx");
    assert_has(&out, &["input (N x 2, f32)", "label (N)"]);
    assert!(fs::read(workshop.path("m.onnx")).unwrap().len() > 100);

    assert_refused(
        &workshop.folder,
        "
        1 import w.safetensors --out n.safetensors --layers 2,4 => do not fit --layers
        1 import w.safetensors --out n.safetensors --layers 2,4 => 4 x 2
        2 import w.safetensors --out n.safetensors --layers 2 => --layers names one number
        2 import w.safetensors --out n.safetensors --layers 2,3 --labels a,b => --labels has 2 names
        2 import w.safetensors --out n.safetensors --layers 2,3 --labels a,b => takes 3
        2 import w.safetensors --out n.safetensors --layers 2,3 --activation relu,tanh
            => 2 functions for 0 hidden layers
        ",
    );
}

/// A file as PyTorch writes it: `fc.weight` of this shape, `fc.bias` of zeros.
fn of_pytorch(shape: &[usize], weight: &[u8]) -> Vec<u8> {
    let bias = shape[0] * 4;
    let header = serde_json::json!({
        "fc.bias": { "dtype": "F32", "shape": [shape[0]], "data_offsets": [0, bias] },
        "fc.weight": { "dtype": "F32", "shape": shape, "data_offsets": [bias, bias + weight.len()] },
    })
    .to_string();
    [
        &(header.len() as u64).to_le_bytes()[..],
        header.as_bytes(),
        &vec![0; bias],
        weight,
    ]
    .concat()
}

#[test]
fn data_sets_are_listed() {
    let workshop = Workshop::new();
    let out = workshop.done("datasets");
    assert_has(
        &out,
        &[
            "mnist\n",
            "california-housing\n",
            "not here\n",
            "get it: mfnet datasets iris --fetch\n",
            "circle\n",
        ],
    );
    let result = workshop.json("datasets --json");
    let entries = result["datasets"].as_array().unwrap();
    assert_eq!(entries.len(), 6);
    assert_keys(&entries[0], "name description state folder tried");
    fs::create_dir_all(workshop.path("data/iris")).unwrap();
    workshop.put("data/iris/iris.data", "5.1,3.5,1.4,0.2,Iris-setosa\n");
    let out = workshop.done("datasets iris --data-dir data");
    assert_has(&out, &["here: data/iris\n"]);
    let (code, out, err) = parts(&mut workshop.mfnet("datasets iris --data-dir data --verify"));
    assert_eq!(code, Some(1));
    assert_has(&out, &["iris.data: DAMAGED: it has only 28 bytes"]);
    assert_has(&err, &["error: damaged: iris"]);
    assert_has(
        &workshop.refused("datasets irish", 2),
        &["possible values: mnist, fashion-mnist"],
    );
    let (code, _, err) = parts(&mut workshop.mfnet("datasets mnist --verify"));
    assert_eq!(code, Some(1));
    assert_has(&err, &["mnist is not here"]);
}

#[test]
fn wrong_input_ends_with_one_message() {
    let workshop = Workshop::new();
    workshop.put("elm.csv", "height,width,kind\n12,1,elm\n");
    workshop.put("other.csv", "a,b\n1,2\n");
    workshop.put("wide.csv", "1,2,3,4\n");
    workshop.put("text.csv", "height,width\n12,x\n3,4\n");
    workshop.put("gap.csv", "height,width\n12,\n3,4\n");
    workshop.put("ragged.csv", "height,width\n12,3\n4\n");
    let model = fs::read(workshop.path("run/model.safetensors")).unwrap();
    workshop.put("cut.safetensors", &model[..model.len() - 5]);
    workshop.put("not.safetensors", "height,width\n12,3\n");
    NeuralNetwork::<f32>::builder(2)
        .linear(2)
        .build()
        .unwrap()
        .save(workshop.path("bare.safetensors"))
        .unwrap();
    fs::create_dir(workshop.path("empty")).unwrap();
    assert_refused(
        &workshop.folder,
        r#"
        1 evaluate run elm.csv => elm.csv: line 2, column 3: column `kind`: the class "elm" was not there
        1 evaluate run text.csv => the model's target `kind` is not there
        1 evaluate run mnist --no-download => is unavailable
        1 evaluate run circle
            => the classes of circle are outside, inside, and the model's birch, young, oak
        1 evaluate run digits => digits has 784 features, and the model takes 2
        1 evaluate prices.safetensors circle => circle is a classification
        1 evaluate run trees.csv --out trees.csv => --out trees.csv: cannot be used as a folder
        1 predict run other.csv => the model's feature `height` is not there
        1 predict run wide.csv => the file has 4 columns
        1 predict run text.csv => text.csv: line 2, column 2
        1 predict run gap.csv => the value is missing
        1 predict run ragged.csv => line 3: the row has 1 columns
        1 predict run trees.csv --out empty => empty: this is a folder
        1 predict run trees.csv --out no/p.csv => no/p.csv: cannot write the file
        1 predict nowhere trees.csv => nowhere: cannot open the file
        1 predict empty trees.csv => empty: there is no model.safetensors in this folder
        1 predict cut.safetensors trees.csv => cut.safetensors: byte
        1 predict not.safetensors trees.csv => it is no safetensors file
        1 predict bare.safetensors trees.csv => does not say what its data mean
        1 inspect cut.safetensors => bytes of tensors follow
        1 export run --onnx no/m.onnx => no/m.onnx: cannot write the file
        2 evaluate run mnits => no data set of this name; the data sets are mnist
        2 predict prices.safetensors prices.csv --proba => --proba is for classes
        "#,
    );
    for arguments in [
        "evaluate run",
        "predict",
        "export run",
        "import run",
        "completions",
        "completions cmd",
    ] {
        workshop.refused(arguments, 2);
    }
}

#[test]
fn help_completions_and_manual_know_every_command() {
    let workshop = Workshop::new();
    let commands =
        words("train evaluate predict inspect datasets export import completions man doctor tables tune");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert_has(&workshop.done(&format!("completions {shell}")), &commands);
    }
    assert_has(&workshop.done("man"), &[".TH mfnet 1", "mfnet\\-evaluate(1)"]);
    assert_eq!(workshop.done("man --out pages/man1"), "");
    let mut pages = vec!["mfnet.1".to_owned()];
    pages.extend(commands.iter().map(|command| format!("mfnet-{command}.1")));
    pages.sort();
    assert_eq!(names(&workshop.path("pages/man1")), pages);
    for command in commands {
        let help = workshop.done(&format!("{command} --help"));
        assert!(
            help.contains("Examples:") || help.contains("Example:"),
            "{command}: {help}"
        );
    }
}
