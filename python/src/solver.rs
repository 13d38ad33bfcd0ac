//! The optimizers of the library with scikit-learn's rules, step by step.

use mfnet::optimizer::OptimizerState;
use mfnet::{Adam, Clip, Error, Optimizer, Result, Sgd};

use crate::arrays::Number;
use crate::settings::Settings;

/// An optimizer, whose penalty changes from step to step.
#[derive(Debug)]
pub(crate) struct Solver<T> {
    /// Taken out while its penalty changes; always there otherwise.
    rule: Option<Rule<T>>,
    alpha: f64,
}

#[derive(Debug)]
enum Rule<T> {
    Sgd(Sgd<T>),
    Adam(Adam<T>),
    /// With a weight decay of its own instead of the penalty.
    AdamW(Adam<T>),
}

impl<T: Number> Solver<T> {
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for options out of their range.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let (rate, clip) = (settings.learning_rate, settings.clip_norm.map(Clip::Global));
        let adam = |adam: Adam<T>| {
            let [first, second] = settings.betas;
            let adam = adam
                .betas(first, second)?
                .epsilon(settings.epsilon)?
                .uncorrected_epsilon(true);
            match clip {
                Some(clip) => adam.clip(clip),
                None => Ok(adam),
            }
        };
        let rule = match &*settings.solver {
            "sgd" => {
                let sgd = Sgd::new(rate)?.momentum(settings.momentum)?;
                // Nesterov's momentum of 0 is plain descent.
                let sgd = sgd
                    .nesterov(settings.nesterov && settings.momentum > 0.0)
                    .velocities_are_steps(true);
                Rule::Sgd(match clip {
                    Some(clip) => sgd.clip(clip)?,
                    None => sgd,
                })
            }
            "adam" => Rule::Adam(adam(Adam::new(rate)?)?),
            "adamw" => Rule::AdamW(adam(Adam::adamw(rate)?.weight_decay(settings.weight_decay)?)?),
            other => {
                return Err(Error::InvalidOption {
                    option: "solver",
                    value: other.to_owned(),
                    expected: "sgd, adam or adamw",
                });
            }
        };
        Ok(Solver {
            rule: Some(rule),
            alpha: settings.alpha,
        })
    }

    /// The L2 penalty alpha: its part of the loss of a batch is alpha/2 |W|^2 over the batch's weight.
    pub(crate) fn alpha(&self) -> f64 {
        match self.rule {
            Some(Rule::AdamW(_)) => 0.0,
            _ => self.alpha,
        }
    }

    /// Returns the optimizer for the next step, on a batch of this weight: its number of samples, or the sum of their weights.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for numbers that are beyond the precision.
    pub(crate) fn next_step(&mut self, weight: f64) -> Result<&mut dyn Optimizer<T>> {
        let penalty = self.alpha / weight;
        let rule = match self.rule.take() {
            Some(Rule::Sgd(sgd)) => Rule::Sgd(sgd.weight_decay(penalty)?),
            Some(Rule::Adam(adam)) => Rule::Adam(adam.weight_decay(penalty)?),
            Some(Rule::AdamW(adam)) => Rule::AdamW(adam),
            None => {
                return Err(Error::InvalidData {
                    what: "the solver".to_owned(),
                    problem: "an earlier step failed".to_owned(),
                });
            }
        };
        Ok(self.rule.insert(rule).optimizer())
    }

    /// Sets the learning rate.
    pub(crate) fn set_rate(&mut self, rate: f64) {
        if let Some(rule) = &mut self.rule {
            rule.optimizer().set_learning_rate(rate);
        }
    }

    /// The learning rate.
    pub(crate) fn rate(&self) -> f64 {
        self.rule.as_ref().map_or(f64::NAN, |rule| match rule {
            Rule::Sgd(sgd) => Optimizer::<T>::learning_rate(sgd),
            Rule::Adam(adam) | Rule::AdamW(adam) => Optimizer::<T>::learning_rate(adam),
        })
    }

    /// The optimizer's own state.
    pub(crate) fn state(&self) -> OptimizerState<T> {
        match &self.rule {
            Some(Rule::Sgd(sgd)) => sgd.state(),
            Some(Rule::Adam(adam) | Rule::AdamW(adam)) => adam.state(),
            None => OptimizerState::default(),
        }
    }

    /// Restores a learning rate and a state.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for the state of another optimizer.
    pub(crate) fn restore(&mut self, rate: f64, state: OptimizerState<T>) -> Result<()> {
        self.set_rate(rate);
        match &mut self.rule {
            Some(rule) => rule.optimizer().restore(state),
            None => Ok(()),
        }
    }
}

impl<T: Number> Rule<T> {
    fn optimizer(&mut self) -> &mut dyn Optimizer<T> {
        match self {
            Rule::Sgd(sgd) => sgd,
            Rule::Adam(adam) | Rule::AdamW(adam) => adam,
        }
    }
}
