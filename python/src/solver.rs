//! The optimizers of the library with scikit-learn's rules, step by step.

use mfnet::optimizer::OptimizerState;
use mfnet::{Adam, Clip, Error, Optimizer, Result, Sgd};

use crate::arrays::Number;
use crate::settings::Settings;

/// An optimizer and the options that change from step to step.
#[derive(Debug)]
pub(crate) struct Solver<T> {
    /// Taken out while its options change; always there otherwise.
    rule: Option<Rule<T>>,
    alpha: f64,
    epsilon: f64,
    second_beta: f64,
    /// The number of steps so far.
    steps: u64,
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
            let adam = adam.betas(first, second)?.epsilon(settings.epsilon)?;
            match clip {
                Some(clip) => adam.clip(clip),
                None => Ok(adam),
            }
        };
        let rule = match &*settings.solver {
            "sgd" => {
                let sgd = Sgd::new(rate)?.momentum(settings.momentum)?;
                // Nesterov's momentum of 0 is plain descent.
                let sgd = sgd.nesterov(settings.nesterov && settings.momentum > 0.0);
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
            epsilon: settings.epsilon,
            second_beta: settings.betas[1],
            steps: 0,
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
        self.steps += 1;
        let penalty = self.alpha / weight;
        // scikit-learn adds epsilon to the root of the uncorrected mean, as Kingma and Ba's section 2, the library to that of the
        // corrected one.
        let correction = (1.0 - self.second_beta.powf(self.steps as f64)).sqrt();
        let epsilon = self.epsilon / correction;
        let rule = match self.rule.take() {
            Some(Rule::Sgd(sgd)) => Rule::Sgd(sgd.weight_decay(penalty)?),
            Some(Rule::Adam(adam)) => Rule::Adam(adam.weight_decay(penalty)?.epsilon(epsilon)?),
            Some(Rule::AdamW(adam)) => Rule::AdamW(adam.epsilon(epsilon)?),
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
    ///
    /// # Errors
    ///
    /// Those of [`Optimizer::restore`].
    pub(crate) fn set_rate(&mut self, rate: f64) -> Result<()> {
        let Some(rule) = &mut self.rule else { return Ok(()) };
        let optimizer = rule.optimizer();
        let before = optimizer.learning_rate();
        if rate == before {
            return Ok(());
        }
        optimizer.set_learning_rate(rate);
        // The velocities of scikit-learn are steps, which the new rate does not change; those of the library are sums of
        // gradients.
        if matches!(rule, Rule::Sgd(_)) {
            let optimizer = rule.optimizer();
            let mut state = optimizer.state();
            let factor = T::from_f64(before / rate);
            for (_, velocity) in &mut state.tensors {
                velocity.mapv_inplace(|number| factor * number);
            }
            optimizer.restore(state)?;
        }
        Ok(())
    }

    /// The learning rate.
    pub(crate) fn rate(&self) -> f64 {
        self.rule.as_ref().map_or(f64::NAN, |rule| match rule {
            Rule::Sgd(sgd) => Optimizer::<T>::learning_rate(sgd),
            Rule::Adam(adam) | Rule::AdamW(adam) => Optimizer::<T>::learning_rate(adam),
        })
    }

    /// The number of steps, and the optimizer's own state.
    pub(crate) fn state(&self) -> (u64, OptimizerState<T>) {
        let state = match &self.rule {
            Some(Rule::Sgd(sgd)) => sgd.state(),
            Some(Rule::Adam(adam) | Rule::AdamW(adam)) => adam.state(),
            None => OptimizerState::default(),
        };
        (self.steps, state)
    }

    /// Restores a state.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for the state of another optimizer.
    pub(crate) fn restore(&mut self, rate: f64, steps: u64, state: OptimizerState<T>) -> Result<()> {
        self.steps = steps;
        match &mut self.rule {
            Some(rule) => {
                rule.optimizer().set_learning_rate(rate);
                rule.optimizer().restore(state)
            }
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
