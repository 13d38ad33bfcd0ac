//! Learning-rate schedules: rates that change from epoch to epoch or from step to step, and warm-up.

use std::f64::consts::PI;
use std::fmt;

use super::checked_rate;
use crate::error::{Error, Result};

/// A learning-rate schedule, which starts from the optimizer's own rate, the base rate.
///
/// The rate changes from epoch to epoch, or, with [`Schedule::CosinePerStep`] and [`Schedule::OneCycle`], from step to step:
/// t is then the step, counted from 0 through all epochs, and N the number of steps of the schedule's epochs. A warm-up
/// ([`Scheduler::with_warmup`]) may be added to each schedule. Default: [`Schedule::Constant`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Schedule {
    /// The base rate in every epoch.
    #[default]
    Constant,
    /// Multiplies the rate by `factor` every `every` epochs: rate = base factor^((epoch - 1) div every). As PyTorch's
    /// `StepLR`.
    Step {
        /// The number of epochs between two changes of the rate, at least 1.
        every: usize,
        /// The factor of the rate, above 0 and at most 1; 0.1 in [`Schedule::step`].
        factor: f64,
    },
    /// Lowers the rate along half a cosine: rate = minimum + (base - minimum) (1 + cos(pi (epoch - 1) / epochs)) / 2, and
    /// the minimum in any later epoch. As PyTorch's `CosineAnnealingLR`, which would rise again. Source: Loshchilov and
    /// Hutter 2017, without restarts.
    Cosine {
        /// The epochs of the whole training, at least 1.
        epochs: usize,
        /// The rate that the training approaches, 0 to the base rate; 0 in [`Schedule::cosine`].
        minimum: f64,
    },
    /// As [`Schedule::Cosine`], but step by step: rate = minimum + (base - minimum) (1 + cos(pi t / N)) / 2, and the minimum
    /// in any step after these N. As PyTorch's `CosineAnnealingLR` with `T_max` N that steps with each batch.
    CosinePerStep {
        /// The epochs of the whole training, at least 1.
        epochs: usize,
        /// The rate that the training approaches, 0 to the base rate; 0 in [`Schedule::cosine_per_step`].
        minimum: f64,
    },
    /// Raises the rate to the base rate and lowers it again, step by step: half a cosine from base / 25 up to the base rate
    /// at t = `rise` N - 1, and another one down to base / 250,000 at t = N - 1. As PyTorch's `OneCycleLR` with `max_lr` the
    /// base rate and `pct_start` `rise`, which leaves momentum as it is (`cycle_momentum=False`). Source: Smith and Topin
    /// 2018.
    OneCycle {
        /// The epochs of the whole training, at least 1.
        epochs: usize,
        /// The fraction of the steps in which the rate rises, 0 to 1; 0.3 in [`Schedule::one_cycle`].
        rise: f64,
    },
    /// Multiplies the rate by `factor` when the observed loss has not improved for more than `patience` epochs. As PyTorch's
    /// `ReduceLROnPlateau`; like it, leaves the rate unchanged if it would change by no more than 1e-8.
    Plateau {
        /// The factor of the rate, above 0 and below 1; 0.1 in [`Schedule::plateau`].
        factor: f64,
        /// The number of epochs without improvement that are tolerated; 10 in [`Schedule::plateau`].
        patience: usize,
        /// The relative improvement that counts, 0 to below 1: a loss must be below best (1 - threshold); 1e-4 in
        /// [`Schedule::plateau`].
        threshold: f64,
        /// The least rate, 0 to the base rate; 0 in [`Schedule::plateau`].
        minimum: f64,
    },
    /// Divides the rate by a power of the samples trained on, epoch by epoch: rate = base / (t + 1)^power, where t is the number
    /// of samples of all epochs before. As scikit-learn's `learning_rate="invscaling"`.
    InverseScaling {
        /// The power, a finite number of at least 0; 0.5 in [`Schedule::inverse_scaling`].
        power: f64,
    },
    /// Divides the rate by 5 where [a tolerance](crate::train::Tolerance) or early stopping would end the training, which goes on then;
    /// they end it when the rate is at most 1e-6. As scikit-learn's `learning_rate="adaptive"`.
    Adaptive,
}

impl Schedule {
    /// Divides the rate by 10 every `every` epochs.
    pub fn step(every: usize) -> Self {
        Schedule::Step { every, factor: 0.1 }
    }

    /// Lowers the rate to 0 within these epochs, along half a cosine.
    pub fn cosine(epochs: usize) -> Self {
        Schedule::Cosine { epochs, minimum: 0.0 }
    }

    /// Lowers the rate to 0 within these epochs, along half a cosine, step by step.
    pub fn cosine_per_step(epochs: usize) -> Self {
        Schedule::CosinePerStep { epochs, minimum: 0.0 }
    }

    /// Raises the rate in the first 30 % of these epochs and lowers it in the others, step by step.
    pub fn one_cycle(epochs: usize) -> Self {
        Schedule::OneCycle { epochs, rise: 0.3 }
    }

    /// Divides the rate by 10 when the loss has not improved by a ten-thousandth for more than 10 epochs.
    pub fn plateau() -> Self {
        Schedule::Plateau {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            minimum: 0.0,
        }
    }

    /// Divides the rate by the root of the number of samples trained on.
    pub fn inverse_scaling() -> Self {
        Schedule::InverseScaling { power: 0.5 }
    }

    /// Refuses numbers that are out of range for this base rate.
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
            Schedule::Constant | Schedule::Adaptive => Ok(()),
            Schedule::InverseScaling { power } => {
                let fits = power >= 0.0 && power.is_finite();
                within(
                    "power of the samples",
                    power,
                    fits,
                    "a finite number of at least 0",
                )
            }
            Schedule::Step { every, factor } => {
                count("epochs between two steps of the learning rate", every)?;
                within(
                    FACTOR,
                    factor,
                    factor > 0.0 && factor <= 1.0,
                    "above 0 and at most 1",
                )
            }
            Schedule::Cosine { epochs, minimum } | Schedule::CosinePerStep { epochs, minimum } => {
                count("epochs of the learning rate's cosine", epochs)?;
                least(minimum)
            }
            Schedule::OneCycle { epochs, rise } => {
                count("epochs of the learning rate's cycle", epochs)?;
                let fits = (0.0..=1.0).contains(&rise);
                within("rise of the learning rate's cycle", rise, fits, "0 to 1")
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

impl fmt::Display for Schedule {
    /// Writes the schedule with its numbers. Checkpoints store this text, so it must not change from release to release.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Constant => write!(f, "constant"),
            Schedule::Step { every, factor } => write!(f, "times {factor} every {every} epochs"),
            Schedule::Cosine { epochs, minimum } => write!(f, "cosine over {epochs} epochs to {minimum}"),
            Schedule::CosinePerStep { epochs, minimum } => {
                write!(f, "cosine per step over {epochs} epochs to {minimum}")
            }
            Schedule::InverseScaling { power } => write!(f, "inverse scaling with power {power}"),
            Schedule::Adaptive => write!(f, "adaptive"),
            Schedule::OneCycle { epochs, rise } => write!(f, "one cycle over {epochs} epochs, rise {rise}"),
            Schedule::Plateau {
                factor,
                patience,
                threshold,
                minimum,
            } => write!(
                f,
                "times {factor} on a plateau of {patience} epochs, threshold {threshold}, to {minimum}"
            ),
        }
    }
}

/// The state of a scheduler, which a checkpoint stores. It changes with [`Schedule::Plateau`] and [`Schedule::Adaptive`] only.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    feature = "save",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct ScheduleState {
    /// The best loss so far; `None` before the first.
    pub best: Option<f64>,
    /// The number of epochs since the best loss, or since the last change of the rate.
    pub bad_epochs: u64,
    /// The current rate of a plateau or adaptive schedule.
    pub rate: f64,
}

/// Computes the learning rate of each epoch or step, by a schedule and the losses of the epochs so far.
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
    warmup_epochs: usize,
    /// The number of samples of an epoch.
    samples: usize,
    state: ScheduleState,
}

/// The rate on half a cosine from one rate to another, after a fraction `part`, 0 to 1, of its length.
fn cosine(from: f64, to: f64, part: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * part).cos()) / 2.0
}

/// The smallest change of a plateau's rate: PyTorch's `eps`. A smaller one is not made.
const LEAST_CHANGE: f64 = 1e-8;

/// An adaptive rate of at most this much does not fall any more.
const LEAST_ADAPTIVE_RATE: f64 = 1e-6;

impl Scheduler {
    /// Creates a scheduler before its first epoch, for an optimizer with this learning rate.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a rate that is not a finite number above 0, and for numbers of the schedule that are out
    /// of their range.
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
            warmup_epochs: 0,
            samples: 1,
            state,
        })
    }

    /// Adds a linear warm-up: in the W steps of the first `epochs` epochs, the schedule's rate is multiplied by (t + 1) / W,
    /// t the step counted from 0. No warm-up by default.
    ///
    /// As PyTorch's `LinearLR(start_factor=1/W, total_iters=W-1)` that steps with each batch, times the schedule's factor.
    pub fn with_warmup(mut self, epochs: usize) -> Self {
        self.warmup_epochs = epochs;
        self
    }

    /// Sets the number of samples of an epoch, for [`Schedule::InverseScaling`]. Default: 1.
    pub fn with_samples(mut self, samples: usize) -> Self {
        self.samples = samples;
        self
    }

    /// The learning rate that the schedule starts from.
    pub(crate) fn base_rate(&self) -> f64 {
        self.base_rate
    }

    /// The learning rate of an epoch, counted from 1. With a schedule or a warm-up that changes the rate step by step, the
    /// epochs are those of one batch each.
    pub fn rate(&self, epoch: usize) -> f64 {
        self.step_rate(epoch, 0, 1)
    }

    /// The learning rate of a step: that of the batch with index `batch`, counted from 0, in an epoch, counted from 1, of
    /// `batches` batches.
    ///
    /// ```
    /// use mfnet::optimizer::{Schedule, Scheduler};
    ///
    /// let scheduler = Scheduler::new(Schedule::Constant, 0.8)?.with_warmup(2);
    /// // The warm-up takes two epochs of two batches.
    /// let rates = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0)].map(|(epoch, batch)| scheduler.step_rate(epoch, batch, 2));
    /// assert_eq!(rates, [0.2, 0.4, 0.6000000000000001, 0.8, 0.8]);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn step_rate(&self, epoch: usize, batch: usize, batches: usize) -> f64 {
        let done = epoch.saturating_sub(1);
        let step = done.saturating_mul(batches).saturating_add(batch);
        let rate = self.scheduled_rate(done, step, batches);
        let warmup = self.warmup_epochs.saturating_mul(batches);
        if step < warmup {
            return rate * ((step + 1) as f64 / warmup as f64);
        }
        rate
    }

    /// The rate without warm-up after `done` epochs and `step` steps.
    fn scheduled_rate(&self, done: usize, step: usize, batches: usize) -> f64 {
        match self.schedule {
            Schedule::Constant => self.base_rate,
            Schedule::Step { every, factor } => self.base_rate * factor.powf((done / every) as f64),
            Schedule::Cosine { epochs, minimum } => {
                let part = done.min(epochs) as f64 / epochs as f64;
                cosine(self.base_rate, minimum, part)
            }
            Schedule::CosinePerStep { epochs, minimum } => {
                let steps = epochs.saturating_mul(batches);
                let part = step.min(steps) as f64 / steps as f64;
                cosine(self.base_rate, minimum, part)
            }
            Schedule::OneCycle { epochs, rise } => {
                let last = epochs.saturating_mul(batches) as f64 - 1.0;
                let top = rise * (last + 1.0) - 1.0;
                let step = (step as f64).min(last);
                let first_rate = self.base_rate / 25.0;
                if step < top {
                    return cosine(first_rate, self.base_rate, step / top);
                }
                // A cycle of one step, or one that only rises, ends at the top.
                let part = if last > top {
                    (step - top) / (last - top)
                } else {
                    0.0
                };
                cosine(self.base_rate, first_rate / 1e4, part)
            }
            Schedule::InverseScaling { power } => {
                let seen = self.samples as f64 * done as f64;
                self.base_rate / (seen + 1.0).powf(power)
            }
            Schedule::Plateau { .. } | Schedule::Adaptive => self.state.rate,
        }
    }

    /// Reports the loss after an epoch: the validation loss, or the training loss without a validation set.
    ///
    /// A loss of NaN is no improvement.
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
            _ if !loss.is_finite() => false,
            Some(best) => loss < best * (1.0 - threshold),
            None => true,
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

    /// Divides the rate of [`Schedule::Adaptive`] by 5, and returns `true`; returns `false` if the rate is low enough, and for
    /// any other schedule. To be called where the training would end for lack of improvement.
    pub fn lower_adaptive_rate(&mut self) -> bool {
        let lowers = self.schedule == Schedule::Adaptive && self.state.rate > LEAST_ADAPTIVE_RATE;
        if lowers {
            self.state.rate /= 5.0;
        }
        lowers
    }

    /// The state after the losses so far.
    pub fn state(&self) -> ScheduleState {
        self.state
    }

    /// Restores the state of a scheduler of the same schedule.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a best loss that is not finite, or a rate outside 0 to the base rate.
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

    /// The rates of three epochs of four batches.
    fn step_rates(schedule: Schedule, base: f64, warmup: usize) -> Vec<f64> {
        let scheduler = Scheduler::new(schedule, base).unwrap().with_warmup(warmup);
        let steps = (1..=3).flat_map(|epoch| (0..4).map(move |batch| (epoch, batch)));
        steps
            .map(|(epoch, batch)| scheduler.step_rate(epoch, batch, 4))
            .collect()
    }

    #[test]
    fn schedules_by_epoch_have_one_rate_an_epoch() {
        for schedule in [
            Schedule::Constant,
            Schedule::step(2),
            Schedule::cosine(3),
            Schedule::plateau(),
        ] {
            let scheduler = Scheduler::new(schedule, 0.5).unwrap();
            let expected: Vec<f64> = (1..=3).flat_map(|epoch| [scheduler.rate(epoch); 4]).collect();
            assert_eq!(step_rates(schedule, 0.5, 0), expected, "{schedule:?}");
        }
    }

    #[test]
    fn rates_step_by_step_by_hand() {
        // CosineAnnealingLR: eta_min + (base - eta_min) (1 + cos(pi t / T_max)) / 2 with T_max = 8.
        let half = 0.5_f64.sqrt();
        let cosine = Schedule::CosinePerStep {
            epochs: 2,
            minimum: 0.1,
        };
        let found = step_rates(cosine, 0.5, 0);
        assert_close(
            &[found[0], found[2], found[4], found[6]],
            &[0.5, 0.3 + 0.2 * half, 0.3, 0.3 - 0.2 * half],
        );
        assert_close(&found[8..], &[0.1; 4]);
        // LinearLR: (1/W + (1 - 1/W) t / (W - 1)) base = (t + 1) / W base with W = 4.
        let mut expected = vec![0.125, 0.25, 0.375];
        expected.extend([0.5; 9]);
        assert_close(&step_rates(Schedule::Constant, 0.5, 1), &expected);
        // Cosine and warm-up together.
        let warmed = step_rates(cosine, 0.5, 1);
        let expected: Vec<f64> = (1..=4)
            .zip(&found)
            .map(|(t, rate)| rate * f64::from(t) / 4.0)
            .collect();
        assert_close(&warmed[..4], &expected);
        assert_eq!(warmed[4..], found[4..]);
    }

    #[test]
    fn one_cycle_by_hand() {
        // OneCycleLR with total_steps = 12 and pct_start = 0.5: up from max/25 at t = 0 to max at t = 5, down to max/250,000
        // at t = 11; end + (start - end)/2 (1 + cos(pi p)).
        let (base, low, least) = (0.5, 0.02, 2e-6);
        let cycle = Schedule::OneCycle { epochs: 3, rise: 0.5 };
        let anneal = |from: f64, to: f64, part: f64| to + (from - to) / 2.0 * (1.0 + (PI * part).cos());
        let up = (0..5).map(|t| anneal(low, base, f64::from(t) / 5.0));
        let down = (0..7).map(|t| anneal(base, least, f64::from(t) / 6.0));
        let expected: Vec<f64> = up.chain(down).collect();
        let found = step_rates(cycle, base, 0);
        assert_close(&found, &expected);
        assert_close(
            &[found[0], found[5], found[8], found[11]],
            &[low, base, 0.250_001, least],
        );
        // After the last step the rate stays; cycles without rise or without fall have finite rates, too.
        let scheduler = Scheduler::new(cycle, base).unwrap();
        assert_close(&[scheduler.step_rate(9, 3, 4)], &[least]);
        let ends = |rise| {
            let rates = step_rates(Schedule::OneCycle { epochs: 3, rise }, base, 0);
            [rates[0], rates[11]]
        };
        assert!(ends(0.0)[0] < base && ends(0.0)[0] > 0.45, "{:?}", ends(0.0));
        assert_close(&ends(1.0), &[low, base]);
        let single = Scheduler::new(Schedule::one_cycle(1), base).unwrap();
        assert!(single.step_rate(1, 0, 1) > 0.0);
    }

    #[test]
    fn texts_are_stable_values() {
        let texts = [
            Schedule::Constant,
            Schedule::step(2),
            Schedule::cosine(3),
            Schedule::cosine_per_step(3),
            Schedule::one_cycle(4),
            Schedule::plateau(),
            Schedule::inverse_scaling(),
            Schedule::Adaptive,
        ]
        .map(|schedule| schedule.to_string());
        assert_eq!(
            texts,
            [
                "constant",
                "times 0.1 every 2 epochs",
                "cosine over 3 epochs to 0",
                "cosine per step over 3 epochs to 0",
                "one cycle over 4 epochs, rise 0.3",
                "times 0.1 on a plateau of 10 epochs, threshold 0.0001, to 0",
                "inverse scaling with power 0.5",
                "adaptive",
            ]
        );
    }

    #[test]
    fn inverse_scaling_counts_samples() {
        let scheduler = Scheduler::new(Schedule::inverse_scaling(), 0.5).unwrap();
        let scheduler = scheduler.with_samples(24);
        assert_eq!(
            [1, 2, 3].map(|epoch| scheduler.rate(epoch)),
            [0.5, 0.1, 0.5 / 7.0]
        );
        assert_eq!(
            scheduler.step_rate(2, 3, 4),
            0.1,
            "the same in each step of an epoch"
        );
        let still = Schedule::InverseScaling { power: 0.0 };
        assert_eq!(Scheduler::new(still, 0.5).unwrap().rate(9), 0.5);
    }

    #[test]
    fn an_adaptive_rate_falls_on_demand() {
        let mut scheduler = Scheduler::new(Schedule::Adaptive, 2e-5).unwrap();
        scheduler.observe(1.0);
        assert_eq!(scheduler.rate(7), 2e-5);
        assert!(scheduler.lower_adaptive_rate() && scheduler.lower_adaptive_rate());
        assert_eq!(scheduler.rate(8), 2e-5 / 5.0 / 5.0);
        assert!(!scheduler.lower_adaptive_rate());
        let state = scheduler.state();
        let mut other = Scheduler::new(Schedule::Adaptive, 2e-5).unwrap();
        other.restore(state).unwrap();
        assert_eq!(other, scheduler);
        assert!(
            !Scheduler::new(Schedule::Constant, 1.0)
                .unwrap()
                .lower_adaptive_rate()
        );
    }

    #[test]
    fn a_plateau_by_hand() {
        let plateau = Schedule::Plateau {
            factor: 0.5,
            patience: 1,
            threshold: 0.1,
            minimum: 0.15,
        };
        // Better; twice not better by a tenth: halved; better than the best; never again: halved down to the minimum.
        let losses = [2.0, 1.9, 1.85, 1.7, 1.7, f64::NAN, 1.7, 1.7, 1.7];
        assert_close(
            &rates(plateau, 0.4, &losses),
            &[0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.15, 0.15, 0.15],
        );
        // As in PyTorch: a change of no more than 1e-8 is not made.
        let patient = Schedule::Plateau {
            factor: 0.5,
            patience: 0,
            threshold: 0.0,
            minimum: 0.0,
        };
        assert_eq!(rates(patient, 3e-8, &[1.0; 4]), [3e-8, 3e-8, 1.5e-8, 1.5e-8]);
    }

    #[test]
    fn a_restored_state_continues_as_if_never_interrupted() {
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
    fn invalid_options_are_refused() {
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
            Schedule::cosine_per_step(0),
            Schedule::CosinePerStep { epochs, minimum },
            Schedule::one_cycle(0),
            Schedule::OneCycle { epochs, rise: 1.5 },
            Schedule::OneCycle {
                epochs,
                rise: f64::NAN,
            },
            Schedule::InverseScaling { power: -0.5 },
            Schedule::InverseScaling { power: f64::NAN },
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
