//! The settings that suit the known data sets; for any other data, the defaults of the options themselves hold.

use toml::{Table, toml};

/// The settings for a data set, MNIST where none is named; without a rate and a reduction where another optimizer is
/// chosen than they are meant for.
pub(super) fn of(source: Option<&str>, optimizer: Option<&str>) -> Table {
    let mut settings = match source.unwrap_or("mnist") {
        // The report's, whose learning rate was meant for summed gradients.
        "mnist" | "fashion-mnist" | "digits" => toml! {
            [model]
            hidden = [512]
            [training]
            epochs = 100
            batch-size = 1024
            optimizer = "sgd"
            lr = 0.001
            reduction = "sum"
        },
        "california-housing" => toml! {
            [model]
            hidden = [512]
            [training]
            epochs = 500
            batch-size = 1024
            optimizer = "sgd"
            lr = 0.001
        },
        "circle" => toml! {
            [model]
            hidden = [25, 25, 25]
            activation = ["relu", "relu", "tanh"]
            [training]
            epochs = 150
            batch-size = 20
            optimizer = "sgd"
            lr = 0.1
            loss = "mse"
        },
        _ => Table::new(),
    };
    if optimizer.is_some_and(|optimizer| optimizer != "sgd")
        && let Some(training) = settings
            .get_mut("training")
            .and_then(|section| section.as_table_mut())
    {
        training.remove("lr");
        training.remove("reduction");
    }
    settings
}
