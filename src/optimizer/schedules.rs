//! The table of the learning-rate schedules, by the names that users write.

use super::Schedule;
use crate::error::Result;
use crate::names::{self, Named};

/// The numbers of the learning-rate schedules. Each schedule ignores those that it does not have.
///
/// Default: a factor of 0.1, a patience of 10 epochs, a minimum of 0, a power of 0.5, and 1 epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ScheduleOptions {
    /// The number of epochs of the training: the length of the cosine.
    pub epochs: usize,
    /// The number of epochs between two changes of a step schedule.
    pub every: usize,
    /// The factor of the rate of step and plateau.
    pub factor: f64,
    /// The number of epochs without improvement that a plateau tolerates.
    pub patience: usize,
    /// The minimum rate of cosine and plateau.
    pub minimum: f64,
    /// The power of inverse scaling.
    pub power: f64,
}

impl Default for ScheduleOptions {
    fn default() -> Self {
        ScheduleOptions {
            epochs: 1,
            every: 1,
            factor: 0.1,
            patience: 10,
            minimum: 0.0,
            power: 0.5,
        }
    }
}

/// A function that creates a schedule with these numbers.
type Make = fn(&ScheduleOptions) -> Schedule;

/// All schedules, by the names that users write.
const TABLE: [(Named, Make); 8] = [
    (Named::new("constant", "The same rate in every epoch"), |_| {
        Schedule::Constant
    }),
    (
        Named::new("step", "Times a factor every so many epochs"),
        |&ScheduleOptions { every, factor, .. }| Schedule::Step { every, factor },
    ),
    (
        Named::new("cosine", "Half a cosine down to the least rate"),
        |&ScheduleOptions { epochs, minimum, .. }| Schedule::Cosine { epochs, minimum },
    ),
    (
        Named::new("cosine-per-step", "As cosine, with a new rate for each step"),
        |&ScheduleOptions { epochs, minimum, .. }| Schedule::CosinePerStep { epochs, minimum },
    ),
    (
        Named::new(
            "one-cycle",
            "Up to the rate in 30 % of the steps, then down to almost 0",
        ),
        |options| Schedule::one_cycle(options.epochs),
    ),
    (
        Named::new(
            "plateau",
            "Times a factor when the validation loss, or without one the training loss, stops falling",
        ),
        |options| Schedule::Plateau {
            factor: options.factor,
            patience: options.patience,
            threshold: 1e-4,
            minimum: options.minimum,
        },
    ),
    (
        Named::new(
            "inverse-scaling",
            "Divided by a power of the number of samples trained on",
        )
        .with_aliases(&["invscaling"]),
        |options| Schedule::InverseScaling { power: options.power },
    ),
    (
        Named::new(
            "adaptive",
            "Divided by 5 where a tolerance or early stopping would end the training, down to 1e-6",
        ),
        |_| Schedule::Adaptive,
    ),
];

impl Schedule {
    /// The names of all schedules.
    pub fn names() -> Vec<Named> {
        TABLE.map(|(named, _)| named).to_vec()
    }

    /// Creates the schedule of this name, with these numbers. Their ranges are checked when a training begins.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`](crate::Error::InvalidData) for an unknown name, with the known ones.
    ///
    /// ```
    /// use mfnet::Schedule;
    /// use mfnet::optimizer::ScheduleOptions;
    ///
    /// let mut options = ScheduleOptions::default();
    /// options.every = 30;
    /// assert_eq!(Schedule::by_name("step", &options)?, Schedule::step(30));
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn by_name(name: &str, options: &ScheduleOptions) -> Result<Self> {
        let (make, _) = names::find("learning-rate schedule", name, &TABLE)?;
        Ok(make(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_schedules_of_their_constructors() {
        let options = ScheduleOptions {
            epochs: 7,
            every: 3,
            ..ScheduleOptions::default()
        };
        let made: Vec<Schedule> = Schedule::names()
            .iter()
            .map(|named| Schedule::by_name(named.name, &options).unwrap())
            .collect();
        assert_eq!(
            made,
            [
                Schedule::Constant,
                Schedule::step(3),
                Schedule::cosine(7),
                Schedule::cosine_per_step(7),
                Schedule::one_cycle(7),
                Schedule::plateau(),
                Schedule::inverse_scaling(),
                Schedule::Adaptive
            ]
        );
        assert!(Schedule::by_name("cosines", &options).is_err());
    }
}
