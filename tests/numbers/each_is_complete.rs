//! Nothing of the library is missing where tests go through each activation, layer, loss and optimizer.

use std::collections::BTreeSet;
use std::path::Path;

use mfnet::NeuralNetwork;
use mfnet::layer::activation;

use crate::each;

/// The types below `src/` that implement a trait for every element type.
fn implementors(of: &str) -> BTreeSet<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut names = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let start = format!("impl<T: Element> {of}<T> for ");
            let found = source.lines().filter_map(|line| line.strip_prefix(&start));
            names.extend(found.map(type_name));
        }
    }
    names
}

/// The name that a type, or what is printed of one, begins with.
fn type_name(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric())
        .collect()
}

fn check(of: &str, tried: BTreeSet<String>) {
    let there = implementors(of);
    assert!(there.len() >= 2, "{of}: {there:?}");
    assert_eq!(
        tried, there,
        "tests/common/each.rs has to go through every {of}: is one missing in its table of names?"
    );
}

#[test]
fn every_activation_is_tried() {
    let make = |name: &str| activation::by_name::<f32>(name).unwrap();
    let tried = each::activations().into_iter();
    check(
        "Activation",
        tried
            .map(|name| type_name(&format!("{:?}", make(name))))
            .collect(),
    );
}

#[test]
fn every_loss_is_tried() {
    let tried = each::losses::<f32>(3).into_iter();
    check(
        "Loss",
        tried.map(|(_, loss)| type_name(&format!("{loss:?}"))).collect(),
    );
}

#[test]
fn every_optimizer_is_tried() {
    let tried = each::optimizers(0.1)
        .into_iter()
        .map(|case| case.make::<f32>(0.1));
    check(
        "Optimizer",
        tried
            .map(|optimizer| type_name(&format!("{optimizer:?}")))
            .collect(),
    );
}

#[test]
fn every_layer_is_tried() {
    let mut tried = BTreeSet::new();
    for (name, add) in each::layers::<f32>() {
        let network = add(NeuralNetwork::builder(each::FEATURES)).build().unwrap();
        let records = network.records().unwrap();
        assert!(records.iter().any(|record| record.kind == name), "{name}");
        tried.insert(name.to_owned());
    }
    check("Layer", tried);
}
