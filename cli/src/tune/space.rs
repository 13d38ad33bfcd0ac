//! The configurations to try: every option of a training, some with several candidates.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;

use clap::builder::{
    NonEmptyStringValueParser, PossibleValue, PossibleValuesParser, Resettable, TypedValueParser,
};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::candidate::{Candidate, Spacing};
use crate::settings::{Settings, takes_momentum};
use crate::usage;

/// The most configurations that are tried one by one.
const MOST: usize = 10_000;

/// The kind of the candidates of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Names out of the option's own list.
    Name,
    /// Something for each hidden layer, with this letter where `mfnet train` has a comma.
    Layers(char),
    /// Numbers, or a range of them.
    Number(Spacing),
}

/// The options that take several values, with what `--help` says of them.
const TUNABLE: [(&str, Kind, &str); 11] = [
    (
        "hidden",
        Kind::Layers('x'),
        "Hidden layers: 16,64 are two candidates of one layer each, 64x32 is one of two layers; for one layer also a range \
         as 8..256",
    ),
    (
        "activation",
        Kind::Layers('/'),
        "Activation functions of the hidden layers: one for all, or one for each, as relu/tanh",
    ),
    (
        "dropout",
        Kind::Number(Spacing::Even),
        "Dropout: probabilities with which an output of a hidden layer is left out in training, as 0,0.2 or 0..0.5",
    ),
    ("initializer", Kind::Name, "Initialization of the weights"),
    ("epochs", Kind::Number(Spacing::Whole), "Number of epochs"),
    (
        "batch_size",
        Kind::Number(Spacing::Whole),
        "Batch size: samples of a training step, as 32,128 or 16..256",
    ),
    ("optimizer", Kind::Name, "Optimizer"),
    (
        "lr",
        Kind::Number(Spacing::Decades),
        "Learning rates, as 0.3,0.1 or 0.001..0.3",
    ),
    (
        "momentum",
        Kind::Number(Spacing::Even),
        "Momentum; where optimizers are compared, those that have their own go without",
    ),
    (
        "weight_decay",
        Kind::Number(Spacing::Decades),
        "Weight decay, as 0,1e-4 or 1e-6..1e-2",
    ),
    ("lr_schedule", Kind::Name, "Learning-rate schedule"),
];

/// All that was asked for, as arguments of `mfnet train`.
#[derive(Debug, Clone)]
pub(super) struct Space {
    source: Option<OsString>,
    /// Options with one value.
    fixed: Vec<OsString>,
    axes: Vec<Axis>,
    /// None if the option was not given.
    seeds: Vec<u64>,
}

/// An option and what it may be.
#[derive(Debug, Clone)]
struct Axis {
    key: String,
    kind: Kind,
    candidates: Vec<Candidate>,
}

/// The value chosen on each axis; none where the option does not apply.
type Choice = Vec<Option<String>>;

/// One of the trainings to compare.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    /// The values of the [varying](Space::varying) options, as they were given; none where an option does not apply.
    pub(super) chosen: Vec<Option<String>>,
    pub(super) settings: Settings,
    /// The reason why an option changes nothing here, if there is such an option.
    pub(super) without_effect: Option<String>,
}

impl Space {
    /// The options that differ among configurations.
    pub(super) fn varying(&self) -> Vec<&str> {
        let axes = self.axes.iter().filter(|axis| axis.varies());
        axes.map(|axis| axis.key.as_str()).collect()
    }

    /// The seeds that each configuration is trained with.
    pub(super) fn seeds(&self, settings: &Settings) -> Vec<u64> {
        if self.seeds.is_empty() {
            vec![settings.training.seed]
        } else {
            self.seeds.clone()
        }
    }

    /// All configurations, or so many of them by chance.
    pub(super) fn configurations(
        &self,
        trials: Option<usize>,
        file: Option<&Path>,
    ) -> anyhow::Result<Vec<Configuration>> {
        let choices = match (trials, self.size()) {
            (None, None) => {
                return Err(usage(
                    "a range has too many values to try all: choose how many to draw with --trials N"
                        .to_owned(),
                )
                .into());
            }
            (None, Some(size)) if size > MOST => {
                return Err(usage(format!(
                    "there are more than {MOST} combinations: draw some of them with --trials N"
                ))
                .into());
            }
            (Some(trials), Some(size)) if trials >= size => self.grid(),
            (None, Some(_)) => self.grid(),
            (Some(trials), _) => {
                let first = self
                    .axes
                    .iter()
                    .map(|axis| axis.candidates.first().map(Candidate::first));
                let (settings, _) = self.settings(&self.applicable(first.collect()), file)?;
                self.drawn(trials, settings.training.seed)
            }
        };
        let configuration = |choice: Choice| {
            let (settings, without_effect) = self.settings(&choice, file)?;
            let varying = self.axes.iter().zip(choice).filter(|(axis, _)| axis.varies());
            Ok(Configuration {
                chosen: varying.map(|(_, value)| value).collect(),
                settings,
                without_effect,
            })
        };
        choices.into_iter().map(configuration).collect()
    }

    /// The number of combinations; none where a range makes them countless.
    fn size(&self) -> Option<usize> {
        let is_value = |candidate: &Candidate| matches!(candidate, Candidate::Value(_));
        self.axes.iter().try_fold(1_usize, |size, axis| {
            let finite = axis.candidates.iter().all(is_value);
            finite.then(|| size.saturating_mul(axis.candidates.len()))
        })
    }

    /// All combinations, the last option changing fastest.
    fn grid(&self) -> Vec<Choice> {
        let mut choices: Vec<Choice> = vec![Vec::new()];
        for axis in &self.axes {
            let longer = |choice: Choice| {
                let values = axis.candidates.iter().map(Candidate::first);
                values.map(move |value| [&choice[..], &[Some(value)]].concat())
            };
            choices = choices.into_iter().flat_map(longer).collect();
        }
        let mut seen = HashSet::new();
        let choices = choices.into_iter().map(|choice| self.applicable(choice));
        choices.filter(|choice| seen.insert(choice.clone())).collect()
    }

    /// Different combinations by chance; fewer where there are not so many.
    fn drawn(&self, trials: usize, seed: u64) -> Vec<Choice> {
        let mut random = generator(seed);
        let mut seen = HashSet::new();
        let mut choices = Vec::new();
        // Ranges may hold few numbers, and what is left of them be rare.
        for _ in 0..trials.saturating_mul(100).saturating_add(1000) {
            if choices.len() == trials {
                break;
            }
            let mut draw = |axis: &Axis| {
                let place = random.random_range(0..axis.candidates.len() as u64) as usize;
                Some(axis.candidates[place].draw(&mut random))
            };
            let choice = self.applicable(self.axes.iter().map(&mut draw).collect());
            if seen.insert(choice.clone()) {
                choices.push(choice);
            }
        }
        choices
    }

    /// A choice without the momentum of optimizers that have their own, where optimizers are compared.
    fn applicable(&self, mut choice: Choice) -> Choice {
        if self.has_own_momentum(&choice) {
            for (value, _) in choice
                .iter_mut()
                .zip(&self.axes)
                .filter(|(_, axis)| axis.key == "momentum")
            {
                *value = None;
            }
        }
        choice
    }

    fn has_own_momentum(&self, choice: &Choice) -> bool {
        let mut optimizers = choice
            .iter()
            .zip(&self.axes)
            .filter(|(_, axis)| axis.key == "optimizer");
        optimizers.any(|(value, axis)| axis.varies() && !value.as_deref().is_some_and(takes_momentum))
    }

    /// The settings that `mfnet train` would make of a choice, and an option that changes nothing there.
    fn settings(&self, choice: &Choice, file: Option<&Path>) -> anyhow::Result<(Settings, Option<String>)> {
        let mut arguments = self.fixed.clone();
        if self.has_own_momentum(choice) {
            arguments.retain(|argument| argument != "--nesterov");
        }
        for (axis, value) in self.axes.iter().zip(choice) {
            if let Some(value) = value {
                arguments.push(format!("--{}={}", axis.key, axis.kind.written(value)).into());
            }
        }
        if let Some(seed) = self.seeds.first() {
            arguments.push(format!("--seed={seed}").into());
        }
        if let Some(source) = &self.source {
            arguments.extend(["--".into(), source.clone()]);
        }
        let command = Settings::augment_args(Command::new("mfnet tune").no_binary_name(true));
        let matches = command.try_get_matches_from(arguments).map_err(|error| {
            let text = error.to_string();
            let message = text.split("\n\n").next().unwrap_or_default();
            usage(message.trim_start_matches("error: ").to_owned())
        })?;
        let settings = Settings::layered(&matches, file)?;
        let without_effect = settings.option_without_effect(&matches)?;
        Ok((settings, without_effect))
    }
}

impl Axis {
    fn varies(&self) -> bool {
        self.candidates.len() > 1 || matches!(self.candidates[..], [Candidate::Range(_)])
    }
}

impl Kind {
    /// A value as `mfnet train` takes it.
    fn written(self, value: &str) -> String {
        match self {
            Kind::Layers(letter) => value.replace(letter, ","),
            Kind::Name | Kind::Number(_) => value.to_owned(),
        }
    }
}

/// ChaCha8 with a key that none of the library's streams has.
fn generator(seed: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[24..].copy_from_slice(b"mf:tune:");
    ChaCha8Rng::from_seed(key)
}

impl Args for Space {
    fn augment_args(command: Command) -> Command {
        let mut command = Settings::augment_args(command);
        for (id, kind, help) in TUNABLE {
            command = command.mut_arg(id, |option| {
                let names = option.get_possible_values();
                let of = match kind {
                    Kind::Layers('/') => format!(
                        " [of {}]",
                        names
                            .iter()
                            .map(PossibleValue::get_name)
                            .collect::<Vec<_>>()
                            .join(", ")
                    ),
                    _ => String::new(),
                };
                let option = option
                    .help(format!("{help}{of} [default: as mfnet train]"))
                    .action(ArgAction::Append)
                    .value_delimiter(',')
                    .default_value(Resettable::Reset);
                match kind {
                    Kind::Name => option
                        .value_name("NAME[,NAME...]")
                        .value_parser(PossibleValuesParser::new(names).map(Candidate::Value)),
                    Kind::Layers('x') => option
                        .value_name("N[xN...][,...]")
                        .value_parser(|text: &str| Candidate::parse(text, Spacing::Whole)),
                    Kind::Layers(_) => option
                        .value_name("NAME[/NAME...][,...]")
                        .value_parser(NonEmptyStringValueParser::new().map(Candidate::Value)),
                    Kind::Number(spacing) => option
                        .value_name("X[,X...]|LOW..HIGH")
                        .value_parser(move |text: &str| Candidate::parse(text, spacing)),
                }
            });
        }
        command
            .mut_arg("seed", |option| {
                let help = "Random seed; with several, each configuration is trained with each and ranked by the mean, while data \
                            are split and drawn with the first";
                option
                    .help(help)
                    .value_name("N[,N...]")
                    .action(ArgAction::Append)
                    .value_delimiter(',')
                    .value_parser(value_parser!(u64))
            })
            .mut_arg("validation", |option| {
                let help = "Validation samples, by which trials are ranked: a part of the training samples, or a file [default: 0.2]";
                option.help(help).conflicts_with("folds")
            })
            .mut_arg("test", |option| {
                option.help(
                    "Samples to test the best configuration with, once: a part of the data such as 0.2, or a file \
                     [default: the test set that belongs to the data, a fifth of california-housing and iris, none of a \
                     file of one's own]",
                )
            })
            .mut_arg("early_stopping", |option| {
                option.help(
                    "End a training after so many epochs without a better loss on a tenth of its samples, which is set \
                     apart for it [default: all epochs]",
                )
            })
            .mut_arg("threads", |option| {
                option.help(
                    "Threads to work with, on so many trials side by side; results do not depend on their number \
                     [default: one for each core]",
                )
            })
            .mut_arg("test_interval", |option| option.hide(true))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Space::augment_args(command)
    }
}

impl FromArgMatches for Space {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let tunable = |id: &str| TUNABLE.iter().find(|(tunable, ..)| *tunable == id);
        let mut space = Space {
            source: None,
            fixed: Vec::new(),
            axes: Vec::new(),
            seeds: Vec::new(),
        };
        let command = Settings::augment_args(Command::new("mfnet tune"));
        for option in command.get_arguments() {
            let id = option.get_id().as_str();
            let raw = || matches.get_raw(id).into_iter().flatten().map(ToOwned::to_owned);
            match option.get_long() {
                _ if !given(id) => {}
                None => space.source = raw().next(),
                Some("seed") => space.seeds = matches.get_many(id).into_iter().flatten().copied().collect(),
                Some(long) => match tunable(id) {
                    Some((_, kind, _)) => space.axes.push(Axis {
                        key: long.to_owned(),
                        kind: *kind,
                        candidates: matches.get_many(id).into_iter().flatten().cloned().collect(),
                    }),
                    None if matches!(option.get_action(), ArgAction::SetTrue) => {
                        space.fixed.push(format!("--{long}").into());
                    }
                    None => space.fixed.extend(raw().map(|value| {
                        let mut argument = OsString::from(format!("--{long}="));
                        argument.push(value);
                        argument
                    })),
                },
            }
        }
        Ok(space)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Space::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(arguments: &str) -> Result<Space, clap::Error> {
        let folds = clap::Arg::new("folds").long("folds");
        let command = Space::augment_args(Command::new("tune").no_binary_name(true).arg(folds));
        Space::from_arg_matches(&command.try_get_matches_from(arguments.split(' '))?)
    }

    fn chosen(arguments: &str, trials: Option<usize>) -> Vec<String> {
        let configurations = space(arguments).unwrap().configurations(trials, None).unwrap();
        let text = |configuration: &Configuration| {
            let cells = configuration.chosen.iter();
            let cells: Vec<&str> = cells.map(|value| value.as_deref().unwrap_or("-")).collect();
            cells.join(" ")
        };
        configurations.iter().map(text).collect()
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        assert_eq!(
            chosen("iris --lr 0.3,0.1 --hidden 16,64x32,16", None),
            ["16 0.3", "16 0.1", "64x32 0.3", "64x32 0.1"]
        );
        assert_eq!(chosen("iris --lr 0.3", None), [""]);
        let optimizers =
            "iris --optimizer sgd,adam --momentum 0,0.9 --nesterov --activation relu/tanh --hidden 3x3";
        assert_eq!(chosen(optimizers, None), ["sgd 0", "sgd 0.9", "adam -"]);
        let space = space("iris --hidden 64x32 --activation relu/tanh --seed 3,4 --dropout 0").unwrap();
        let configurations = space.configurations(None, None).unwrap();
        let settings = &configurations[0].settings;
        assert_eq!(settings.model.hidden(), [64, 32]);
        assert_eq!(settings.model.activation.len(), 2);
        assert_eq!(space.seeds(settings), [3, 4]);
        assert_eq!(settings.training.seed, 3);
    }

    #[test]
    fn draws_are_different_and_of_the_seed() {
        let few = chosen("iris --lr 1,2,3,4 --hidden 1,2,3,4", Some(10));
        assert_eq!(few.len(), 10);
        assert_eq!(few.iter().collect::<HashSet<_>>().len(), 10);
        assert_eq!(few[..3], chosen("iris --lr 1,2,3,4 --hidden 1,2,3,4", Some(3)));
        assert_ne!(
            few,
            chosen("iris --lr 1,2,3,4 --hidden 1,2,3,4 --seed 1", Some(10))
        );
        assert_eq!(
            chosen("iris --lr 1,2 --hidden 1,2", Some(9)),
            ["1 1", "1 2", "2 1", "2 2"]
        );
        assert_eq!(chosen("iris --hidden 1..3", Some(9)).len(), 3, "all there are");
        for text in chosen("iris --lr 0.001..0.1", Some(50)) {
            assert!((0.001..=0.1).contains(&text.parse::<f64>().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (arguments, part) in [
            ("iris --lr 0.1..x", "two numbers"),
            ("iris --optimizer sgd,adm", "adm"),
            ("iris --validation 0.2 --folds 3", "cannot be used with"),
            ("iris --linear --hidden 3", "cannot be used with"),
            ("iris --nesterov", "--momentum"),
        ] {
            let message = space(arguments).unwrap_err().to_string();
            assert!(message.contains(part), "{arguments}: {message}");
        }
        for (arguments, part) in [
            ("iris --lr 0.1,x", "invalid value 'x' for '--lr"),
            ("iris --lr 0", "above 0"),
            ("iris --hidden 3y4", "whole number"),
            ("iris --activation relu,tan", "possible values: relu"),
            ("iris --activation relu/tanh --hidden 4,4x4x4", "one for each"),
            ("iris --lr 0.1..0.2", "--trials N"),
        ] {
            let error = space(arguments).unwrap().configurations(None, None).unwrap_err();
            assert!(error.is::<crate::Usage>(), "{arguments}: {error}");
            assert!(error.to_string().contains(part), "{arguments}: {error}");
        }
        let ten = ["1"; 11].join(",").replace('1', "0.1,0.2");
        let many = format!("iris --lr {ten} --dropout {ten} --momentum {ten} --weight-decay {ten}");
        let error = space(&many).unwrap().configurations(None, None).unwrap_err();
        assert!(error.to_string().contains("more than 10000"), "{error}");
    }
}
