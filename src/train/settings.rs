//! The settings that decide what a training computes, as names and values. A checkpoint stores them, and is resumed with
//! the same only.

use std::collections::BTreeMap;

use super::options::TrainOptions;
use crate::data::Shuffle;
use crate::element::Element;
use crate::loss::Loss;
use crate::optimizer::Optimizer;
use crate::product::{self, Products};

/// The names and values of settings, as text.
pub(crate) type Settings = BTreeMap<String, String>;

/// The settings of a training, without those of its network: a checkpoint describes the layers. Checkpoints store these
/// names and values, so they must not change.
pub(crate) fn settings<T: Element>(
    loss: &dyn Loss<T>,
    optimizer: &dyn Optimizer<T>,
    options: &TrainOptions,
) -> Settings {
    let shuffle = match options.shuffle {
        Shuffle::Samples => "samples",
        Shuffle::Batches => "batches",
        Shuffle::None => "none",
    };
    let of_loss = loss.settings().into_iter();
    let of_optimizer = optimizer.settings().into_iter();
    let own = [
        ("loss", loss.name().to_owned()),
        ("optimizer", optimizer.name().to_owned()),
        ("learning rate", optimizer.learning_rate().to_string()),
        ("schedule", options.schedule.to_string()),
        ("warm-up epochs", options.warmup_epochs.to_string()),
        ("batch size", options.batch_size.to_string()),
        ("seed", options.seed.to_string()),
        ("shuffle", shuffle.to_owned()),
        ("drop last", options.drop_last.to_string()),
        (
            "shard size",
            options
                .shard_size
                .map_or("default".to_owned(), |size| size.to_string()),
        ),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value)).into_iter();
    let products = Some(product::products()).filter(|&products| products != Products::Auto);
    let products = products.map(|products| ("products".to_owned(), products.to_string()));
    // Missing without a penalty, as in checkpoints of earlier versions.
    let penalty = Some(options.l2_penalty).filter(|&penalty| penalty > 0.0);
    let penalty = penalty.map(|penalty| ("L2 penalty".to_owned(), penalty.to_string()));
    own.chain(products)
        .chain(penalty)
        .chain(of_loss.map(|(name, value)| (format!("loss: {name}"), value)))
        .chain(of_optimizer.map(|(name, value)| (format!("optimizer: {name}"), value)))
        .collect()
}

/// Lists the settings in which a checkpoint differs from a training, with both values; `None` if they agree.
pub(crate) fn difference(saved: &Settings, own: &Settings) -> Option<String> {
    let names = saved
        .keys()
        .chain(own.keys().filter(|name| !saved.contains_key(*name)));
    let value =
        |settings: &Settings, name: &str| settings.get(name).map_or("not set", String::as_str).to_owned();
    let differences: Vec<String> = names
        .filter(|name| saved.get(*name) != own.get(*name))
        .map(|name| {
            format!(
                "{name} is {} there and {} here",
                value(saved, name),
                value(own, name)
            )
        })
        .collect();
    (!differences.is_empty()).then(|| differences.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{CrossEntropyLoss, MseLoss};
    use crate::optimizer::{Adam, Sgd};

    #[test]
    fn names_and_texts_are_stable_values() {
        let listed = |settings: Settings| {
            let lines = settings.iter().map(|(name, value)| format!("{name} = {value}"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let loss = CrossEntropyLoss {
            class_weights: vec![1.0, 0.5],
            ..CrossEntropyLoss::default()
        };
        let adam = Adam::<f32>::new(0.003).unwrap();
        assert_eq!(
            listed(settings(&loss, &adam, &TrainOptions::default())),
            "batch size = 1024\ndrop last = false\nlearning rate = 0.003\nloss = cross-entropy\n\
             loss: class weights = 1, 0.5\nloss: label smoothing = 0\nloss: reduction = mean\noptimizer = Adam\noptimizer: betas = 0.9, 0.999\n\
             optimizer: epsilon = 0.00000001\noptimizer: gradient clipping = none\noptimizer: weight decay = 0\n\
             schedule = constant\nseed = 0\nshard size = default\nshuffle = samples\nwarm-up epochs = 0"
        );
        let sgd = Sgd::<f32>::new(0.1)
            .unwrap()
            .nesterov(true)
            .momentum(0.9)
            .unwrap();
        let of_sgd = listed(settings(&MseLoss::default(), &sgd, &TrainOptions::default()));
        assert!(
            of_sgd.contains("optimizer: momentum = 0.9\noptimizer: nesterov = true\n"),
            "{of_sgd}"
        );
    }

    #[test]
    fn differences_name_both_values() {
        let settings = |pairs: &[(&str, &str)]| -> Settings {
            let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
            pairs.iter().map(owned).collect()
        };
        let saved = settings(&[("seed", "3"), ("shuffle", "none"), ("betas", "0, 0")]);
        assert_eq!(difference(&saved, &saved), None);
        let own = settings(&[("seed", "4"), ("shuffle", "none"), ("momentum", "0.5")]);
        assert_eq!(
            difference(&saved, &own).unwrap(),
            "betas is 0, 0 there and not set here; seed is 3 there and 4 here; momentum is not set there and 0.5 here"
        );
    }
}
