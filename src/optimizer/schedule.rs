//! Learning rates that change from epoch to epoch.

use std::f64::consts::PI;

use super::checked_rate;
use crate::error::{Error, Result};

/// How the learning rate goes from epoch to epoch, starting at the optimizer's own, the base rate.
///
/// Default: [`Schedule::Constant`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Schedule {
    /// The base rate in every epoch.
    #[default]
    Constant,
    /// Times `factor` after every so many epochs: rate = base factor^((epoch - 1) div every). As PyTorch's `StepLR`.
    Step {
        /// The epochs between two steps, at least 1.
        every: usize,
        /// What the rate is multiplied by, above 0 and at most 1; 0.1 in [`Schedule::step`].
        factor: f64,
    },
    /// Down half a cosine: rate = minimum + (base - minimum) (1 + cos(pi (epoch - 1) / epochs)) / 2, and the minimum in
    /// any epoch after these. As PyTorch's `CosineAnnealingLR`, which would go up again. Source: Loshchilov and Hutter
    /// 2017, without restarts.
    Cosine {
        /// The epochs of the whole training, at least 1.
        epochs: usize,
        /// The rate that the training approaches, 0 to the base rate; 0 in [`Schedule::cosine`].
        minimum: f64,
    },
    /// Times `factor` when the observed loss has not improved for more than `patience` epochs. As PyTorch's
    /// `ReduceLROnPlateau`, which leaves the rate alone where it would change by no more than 1e-8.
    Plateau {
        /// What the rate is multiplied by, above 0 and below 1; 0.1 in [`Schedule::plateau`].
        factor: f64,
        /// The epochs without improvement that are put up with; 10 in [`Schedule::plateau`].
        patience: usize,
        /// The part of the best loss, 0 to below 1, that one must be below it to be better; 1e-4 in
        /// [`Schedule::plateau`].
        threshold: f64,
        /// The least rate, 0 to the base rate; 0 in [`Schedule::plateau`].
        minimum: f64,
    },
}

impl Schedule {
    /// A tenth after every so many epochs.
    pub fn step(every: usize) -> Self {
        Schedule::Step { every, factor: 0.1 }
    }

    /// Down to 0 within so many epochs.
    pub fn cosine(epochs: usize) -> Self {
        Schedule::Cosine { epochs, minimum: 0.0 }
    }

    /// A tenth when the loss has not improved by a ten-thousandth for more than 10 epochs.
    pub fn plateau() -> Self {
        Schedule::Plateau {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            minimum: 0.0,
        }
    }

    /// Refuses what is out of range for a training that starts with this rate.
    fn check(self, base_rate: f64) -> Result<()> {
        let count = |name, count| match count {
            0 => Err(Error::option(name, 0, "at least 1")),
            _ => Ok(()),
        };
        let within = |name, value: f64, fits: bool, expected| match fits {
            true => Ok(()),
            false => Err(Error::option(name, value, expected)),
        };
        let least = |minimum: f64| {
            let fits = (0.0..=base_rate).contains(&minimum);
            within("least learning rate", minimum, fits, "0 to the learning rate")
        };
        const FACTOR: &str = "factor of the learning rate";
        match self {
            Schedule::Constant => Ok(()),
            Schedule::Step { every, factor } => {
                count("epochs between two steps of the learning rate", every)?;
                within(
                    FACTOR,
                    factor,
                    factor > 0.0 && factor <= 1.0,
                    "above 0 and at most 1",
                )
            }
            Schedule::Cosine { epochs, minimum } => {
                count("epochs of the learning rate's cosine", epochs)?;
                least(minimum)
            }
            Schedule::Plateau {
                factor,
                threshold,
                minimum,
                ..
            } => {
                within(
                    FACTOR,
                    factor,
                    factor > 0.0 && factor < 1.0,
                    "above 0 and below 1",
                )?;
                let fits = (0.0..1.0).contains(&threshold);
                within(
                    "threshold of a plateau",
                    threshold,
                    fits,
                    "at least 0 and below 1",
                )?;
                least(minimum)
            }
        }
    }
}

/// What a scheduler learns from the epochs, for a checkpoint to keep. Only [`Schedule::Plateau`] learns anything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScheduleState {
    /// The best loss so far; none before the first.
    pub best: Option<f64>,
    /// The epochs since then, or since the rate was last changed.
    pub bad_epochs: u64,
    /// The rate that the losses so far have led to.
    pub rate: f64,
}

/// A schedule at work: the rate before each epoch, the loss after it.
///
/// ```
/// use mfnet::optimizer::{Schedule, Scheduler};
///
/// let mut scheduler = Scheduler::new(Schedule::Step { every: 2, factor: 0.5 }, 0.8)?;
/// let mut rates = Vec::new();
/// for epoch in 1..=5 {
///     rates.push(scheduler.rate(epoch));
///     scheduler.observe(1.0);
/// }
/// assert_eq!(rates, [0.8, 0.8, 0.4, 0.4, 0.2]);
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scheduler {
    schedule: Schedule,
    base_rate: f64,
    state: ScheduleState,
}

/// A plateau's rate that would change by no more is left as it is: PyTorch's `eps`.
const LEAST_CHANGE: f64 = 1e-8;

impl Scheduler {
    /// A schedule before its first epoch, for an optimizer with this learning rate.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a rate that is not a finite number above 0, and for a schedule's number that is out
    /// of its range.
    pub fn new(schedule: Schedule, base_rate: f64) -> Result<Self> {
        schedule.check(checked_rate(base_rate)?)?;
        let state = ScheduleState {
            best: None,
            bad_epochs: 0,
            rate: base_rate,
        };
        Ok(Scheduler {
            schedule,
            base_rate,
            state,
        })
    }

    /// The learning rate of an epoch, counted from 1.
    pub fn rate(&self, epoch: usize) -> f64 {
        let done = epoch.saturating_sub(1);
        match self.schedule {
            Schedule::Constant => self.base_rate,
            Schedule::Step { every, factor } => self.base_rate * factor.powf((done / every) as f64),
            Schedule::Cosine { epochs, minimum } => {
                let part = done.min(epochs) as f64 / epochs as f64;
                minimum + (self.base_rate - minimum) * (1.0 + (PI * part).cos()) / 2.0
            }
            Schedule::Plateau { .. } => self.state.rate,
        }
    }

    /// Takes note of the loss after an epoch: the validation loss, or the training loss where there is none.
    ///
    /// One that is not a number is no improvement.
    pub fn observe(&mut self, loss: f64) {
        let Schedule::Plateau {
            factor,
            patience,
            threshold,
            minimum,
        } = self.schedule
        else {
            return;
        };
        let state = &mut self.state;
        let improved = match state.best {
            Some(best) => loss < best * (1.0 - threshold),
            None => loss < f64::INFINITY,
        };
        if improved {
            state.best = Some(loss);
            state.bad_epochs = 0;
        } else {
            state.bad_epochs = state.bad_epochs.saturating_add(1);
        }
        if state.bad_epochs > patience as u64 {
            let rate = (state.rate * factor).max(minimum);
            if state.rate - rate > LEAST_CHANGE {
                state.rate = rate;
            }
            state.bad_epochs = 0;
        }
    }

    /// What was learned from the losses so far.
    pub fn state(&self) -> ScheduleState {
        self.state
    }

    /// Goes on from a state that a scheduler of the same schedule once had.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a best loss that is not finite, or a rate beyond 0 to the base rate.
    pub fn restore(&mut self, state: ScheduleState) -> Result<()> {
        let in_range = (0.0..=self.base_rate).contains(&state.rate);
        if !in_range || state.best.is_some_and(|best| !best.is_finite()) {
            return Err(Error::data(
                "the state of the learning rate's schedule",
                format_args!(
                    "rate {}, best loss {:?}, and the rate began at {}",
                    state.rate, state.best, self.base_rate
                ),
            ));
        }
        self.state = state;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: Schedule, base: f64, losses: &[f64]) -> Vec<f64> {
        let mut scheduler = Scheduler::new(schedule, base).unwrap();
        let rate = |(epoch, &loss): (usize, &f64)| {
            let rate = scheduler.rate(epoch + 1);
            scheduler.observe(loss);
            rate
        };
        losses.iter().enumerate().map(rate).collect()
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        let close = |(found, expected): (&f64, &f64)| (found - expected).abs() < 1e-15;
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(close),
            "{found:?}, not {expected:?}"
        );
    }

    #[test]
    fn rates_by_hand() {
        let losses = [1.0; 5];
        assert_eq!(rates(Schedule::Constant, 0.5, &losses), [0.5; 5]);
        assert_close(
            &rates(Schedule::step(2), 0.5, &losses),
            &[0.5, 0.5, 0.05, 0.05, 0.005],
        );
        let half = 0.5_f64.sqrt();
        let cosine = Schedule::Cosine {
            epochs: 4,
            minimum: 0.1,
        };
        assert_close(
            &rates(cosine, 0.5, &[1.0; 6]),
            &[0.5, 0.3 + 0.2 * half, 0.3, 0.3 - 0.2 * half, 0.1, 0.1],
        );
        assert_close(&rates(Schedule::cosine(1), 0.5, &[1.0; 2]), &[0.5, 0.0]);
    }

    #[test]
    fn a_plateau_by_hand() {
        let plateau = Schedule::Plateau {
            factor: 0.5,
            patience: 1,
            threshold: 0.1,
            minimum: 0.15,
        };
        // Better; no tenth better, twice: halved; better than the best; neither: down to the least.
        let losses = [2.0, 1.9, 1.85, 1.7, 1.7, f64::NAN, 1.7, 1.7, 1.7];
        assert_close(
            &rates(plateau, 0.4, &losses),
            &[0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.15, 0.15, 0.15],
        );
        // As PyTorch: a change of no more than 1e-8 is none.
        let patient = Schedule::Plateau {
            factor: 0.5,
            patience: 0,
            threshold: 0.0,
            minimum: 0.0,
        };
        assert_eq!(rates(patient, 3e-8, &[1.0; 4]), [3e-8, 3e-8, 1.5e-8, 1.5e-8]);
    }

    #[test]
    fn a_restored_state_goes_on_as_if_never_interrupted() {
        let plateau = Schedule::Plateau {
            factor: 0.5,
            patience: 2,
            threshold: 0.0,
            minimum: 0.0,
        };
        let losses = [3.0, 3.0, 3.0, 3.0, 2.0, 2.0, 2.0, 2.0];
        let whole = rates(plateau, 1.0, &losses);
        assert_eq!(whole[7], 0.5);
        for interruption in 0..losses.len() {
            let mut scheduler = Scheduler::new(plateau, 1.0).unwrap();
            let mut found = Vec::new();
            for (index, &loss) in losses.iter().enumerate() {
                if index == interruption {
                    let state = scheduler.state();
                    scheduler = Scheduler::new(plateau, 1.0).unwrap();
                    scheduler.restore(state).unwrap();
                }
                found.push(scheduler.rate(index + 1));
                scheduler.observe(loss);
            }
            assert_eq!(found, whole);
        }
        let mut scheduler = Scheduler::new(plateau, 1.0).unwrap();
        let state = scheduler.state();
        assert!(scheduler.restore(ScheduleState { rate: 2.0, ..state }).is_err());
        let rate = f64::NAN;
        assert!(scheduler.restore(ScheduleState { rate, ..state }).is_err());
        let best = Some(f64::NAN);
        assert!(scheduler.restore(ScheduleState { best, ..state }).is_err());
    }

    #[test]
    fn odd_options_are_refused() {
        let plateau = |factor, threshold, minimum| Schedule::Plateau {
            factor,
            patience: 0,
            threshold,
            minimum,
        };
        let (epochs, minimum) = (5, 0.6);
        for schedule in [
            Schedule::step(0),
            Schedule::Step {
                every: 1,
                factor: 0.0,
            },
            Schedule::Step {
                every: 1,
                factor: 1.1,
            },
            Schedule::Step {
                every: 1,
                factor: f64::NAN,
            },
            Schedule::cosine(0),
            Schedule::Cosine { epochs, minimum },
            plateau(1.0, 0.0, 0.0),
            plateau(0.0, 0.0, 0.0),
            plateau(0.5, 1.0, 0.0),
            plateau(0.5, f64::NAN, 0.0),
            plateau(0.5, 0.0, -1.0),
        ] {
            assert!(Scheduler::new(schedule, 0.5).is_err(), "{schedule:?}");
        }
        assert!(Scheduler::new(Schedule::plateau(), 0.5).is_ok());
        assert!(Scheduler::new(Schedule::Constant, 0.0).is_err());
    }
}
