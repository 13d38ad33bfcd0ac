//! The settings of a training where nothing else is said, and how helps tell them.

use toml::{Table, Value, toml};

use super::known::{self, SETS};

/// For files of one's own: no worse than scikit-learn's networks on tables of many kinds, see docs/DEFAULTS.md. The options'
/// own defaults are the rest of these settings.
fn own() -> Table {
    toml! {
        [training]
        optimizer = "adamw"
        weight-decay = 0.1
    }
}

/// The settings for a data set, MNIST where none is named; without rate, reduction and weight decay where another optimizer
/// is chosen than they are meant for.
pub(super) fn of(source: Option<&str>, optimizer: Option<&str>) -> Table {
    let set = known::find(source.unwrap_or("mnist"));
    let mut settings = set.map_or_else(own, |set| (set.settings)());
    if let Some(training) = settings.get_mut("training").and_then(Value::as_table_mut)
        && optimizer
            .is_some_and(|optimizer| training.get("optimizer").and_then(Value::as_str) != Some(optimizer))
    {
        for key in ["lr", "reduction", "weight-decay"] {
            training.remove(key);
        }
    }
    settings
}

/// The help of an option with its defaults: the general one, and those of the data sets that have their own.
pub(super) fn help(text: &str, section: &str, key: &str, general: &str) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for set in SETS {
        let settings = (set.settings)();
        let Some(value) = settings.get(section).and_then(|section| section.get(key)) else {
            continue;
        };
        let value = in_words(value);
        match groups.iter_mut().find(|(other, _)| *other == value) {
            Some((_, names)) => names.push(set.name()),
            None => groups.push((value, vec![set.name()])),
        }
    }
    let groups = groups.iter().map(|(value, names)| match names.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("; {} and {last}: {value}", others.join(", ")),
        names => format!("; {}: {value}", names.concat()),
    });
    format!("{text} [default: {general}{}]", groups.collect::<String>())
}

/// A value as an option takes it.
fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(in_words).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helps_tell_the_defaults_of_the_data_sets() {
        assert_eq!(
            help("Epochs", "training", "epochs", "200"),
            "Epochs [default: 200; mnist, fashion-mnist and digits: 100; california-housing: 500; iris: 200; circle: 150]"
        );
        assert_eq!(
            help("Units", "model", "hidden", "100"),
            "Units [default: 100; mnist, fashion-mnist, digits and california-housing: 512; iris: 100; circle: 25,25,25]"
        );
        assert_eq!(help("Seed", "training", "seed", "0"), "Seed [default: 0]");
    }
}
