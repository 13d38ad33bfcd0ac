//! Optimizers, which update weights by their gradients, and learning-rate schedules.

mod adam;
mod clip;
mod gradients;
mod rmsprop;
mod schedule;
mod schedules;
mod sgd;
mod state;
mod sweep;
mod table;

use std::fmt;

use ndarray::Array2;

pub use adam::Adam;
pub use clip::Clip;
pub use gradients::{Gradients, NetworkId};
pub use rmsprop::RmsProp;
pub use schedule::{Schedule, ScheduleState, Scheduler};
pub use schedules::ScheduleOptions;
pub use sgd::Sgd;
pub use state::OptimizerState;
pub use table::{OptimizerOptions, by_name, names};

use crate::element::Element;
use crate::error::{Error, Result};

/// A rule that updates weights by their gradients.
///
/// Row 0 of every tensor is constant; its gradient is 0. In each step, [`Optimizer::start_step`] is called once, then
/// [`Optimizer::update`] for each tensor, from the first layer to the last. If [`Optimizer::plain_rate`] returns a rate,
/// neither is called.
///
/// The state of an optimizer (its moments, for example) belongs to one network. A [`Trainer`](crate::Trainer) resets the
/// optimizer it is given. In a training loop of your own, the optimizers of this crate refuse a step for a second network,
/// even one of the same shapes, until [`Optimizer::reset`] is called.
///
/// ```
/// use mfnet::Element;
/// use mfnet::optimizer::Optimizer;
/// use ndarray::Array2;
///
/// /// W <- W - rate sign(dJ/dW)
/// #[derive(Debug)]
/// struct SignDescent {
///     rate: f64,
/// }
///
/// impl Optimizer<f32> for SignDescent {
///     fn name(&self) -> &'static str {
///         "sign descent"
///     }
///
///     fn learning_rate(&self) -> f64 {
///         self.rate
///     }
///
///     fn set_learning_rate(&mut self, rate: f64) {
///         self.rate = rate;
///     }
///
///     fn reset(&mut self) {}
///
///     fn update(&mut self, _index: usize, weights: &mut Array2<f32>, gradient: &mut Array2<f32>) {
///         let rate = f32::from_f64(self.rate);
///         let sign = |number: f32| if number == 0.0 { 0.0 } else { number.signum() };
///         weights.zip_mut_with(gradient, |weight, &number| *weight -= rate * sign(number));
///     }
/// }
/// ```
pub trait Optimizer<T: Element>: fmt::Debug + Send {
    /// The optimizer's name, such as `"SGD"`.
    fn name(&self) -> &'static str;

    /// The learning rate.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate, a finite number of at least 0. A [`Trainer`](crate::Trainer) sets the rate of its schedule
    /// for each step, and restores the previous rate after it.
    fn set_learning_rate(&mut self, rate: f64);

    /// Resets the state, such as moments and step counts, to that before the first step. The options stay.
    fn reset(&mut self);

    /// The options that decide what a step does, as names and values: `("momentum", "0.9")`. A checkpoint stores them, and
    /// is resumed with the same only.
    ///
    /// The learning rate need not be among them. Empty by default.
    fn settings(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The learning rate, if an update is W <- W - rate dJ/dW and nothing else; the update is then fused into the products
    /// that compute the gradient.
    ///
    /// `None` by default.
    fn plain_rate(&self) -> Option<f64> {
        None
    }

    /// Prepares a step, given all of its gradients, before the first update.
    ///
    /// # Errors
    ///
    /// For options that contradict each other, and for gradients of another network than the one the state belongs to.
    /// By default there are no errors.
    fn start_step(&mut self, _gradients: &Gradients<'_, T>) -> Result<()> {
        Ok(())
    }

    /// Updates the tensor with this index, counted from 0, by its gradient, which may be overwritten.
    ///
    /// # Shapes
    ///
    /// both alike, and laid out alike: column-major, or row-major where the layer has few outputs
    fn update(&mut self, index: usize, weights: &mut Array2<T>, gradient: &mut Array2<T>);

    /// The state that a checkpoint stores besides the options, so that a training continues as if never interrupted.
    ///
    /// Empty by default.
    fn state(&self) -> OptimizerState<T> {
        OptimizerState::default()
    }

    /// Restores the state of an optimizer with the same options.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidData`] for a state that does not fit this optimizer; by default, for any but the empty one.
    fn restore(&mut self, state: OptimizerState<T>) -> Result<()> {
        if state.is_empty() {
            return Ok(());
        }
        let tensors = state.tensors.len();
        Err(Error::data(
            format_args!("the state of {}", self.name()),
            format_args!(
                "it remembers nothing, and is given {tensors} tensors of {} steps",
                state.steps
            ),
        ))
    }
}

/// Checks an initial learning rate.
fn checked_rate(rate: f64) -> Result<f64> {
    if rate > 0.0 && rate.is_finite() {
        return Ok(rate);
    }
    Err(Error::option("learning rate", rate, "a finite number above 0"))
}

/// Checks a weight decay.
fn checked_decay(decay: f64) -> Result<f64> {
    if decay >= 0.0 && decay.is_finite() {
        return Ok(decay);
    }
    Err(Error::option(
        "weight decay",
        decay,
        "a finite number of at least 0",
    ))
}

/// Checks a momentum or the decay rate of a running mean.
fn checked_decay_rate(option: &'static str, rate: f64) -> Result<f64> {
    if (0.0..1.0).contains(&rate) {
        return Ok(rate);
    }
    Err(Error::option(option, rate, "at least 0 and below 1"))
}

/// Checks the epsilon of a division, which must not round to 0 or to infinity as a `T`.
fn checked_epsilon<T: Element>(option: &'static str, epsilon: f64) -> Result<f64> {
    let rounded = T::from_f64(epsilon);
    if rounded > T::zero() && rounded.is_finite() {
        return Ok(epsilon);
    }
    let expected = "a finite number above 0, in the precision of the weights";
    Err(Error::option(option, epsilon, expected))
}
