//! RMSprop: the step of each weight is scaled by the running mean of its squared gradient.

use ndarray::Array2;

use super::clip::Clipping;
use super::state::StateTensors;
use super::sweep::sweep;
use super::{
    Clip, Gradients, Optimizer, OptimizerState, checked_decay, checked_decay_rate, checked_epsilon,
    checked_rate,
};
use crate::element::{Element, compiled};
use crate::error::{Error, Result};

/// RMSprop: W <- W - rate dJ/dW / (sqrt(v) + epsilon), v the running mean of the gradient's square.
///
/// In full, as PyTorch's `RMSprop`, where C is the clipped dJ/dW:
///
/// ```text
/// G <- C + decay W                        (no decay for the biases)
/// V <- alpha V + (1 - alpha) G^2          (V = 0 at first)
/// B <- momentum B + G / (sqrt(V) + epsilon)
/// W <- W - rate B
/// ```
///
/// Source: Tieleman and Hinton 2012, lecture 6.5.
///
/// ```
/// use mfnet::optimizer::RmsProp;
///
/// let plain = RmsProp::<f32>::new(0.001)?;
/// let swift = RmsProp::<f32>::new(0.001)?.alpha(0.9)?.momentum(0.9)?.weight_decay(1e-4)?;
/// assert!(RmsProp::<f32>::new(0.0).is_err());
/// # Ok::<(), mfnet::Error>(())
/// ```
#[doc(alias = "RMSprop")]
#[derive(Debug, Clone)]
pub struct RmsProp<T> {
    rate: f64,
    clipping: Clipping,
    alpha: f64,
    epsilon: f64,
    momentum: f64,
    decay: f64,
    /// V.
    squares: StateTensors<T, 1>,
    /// B, if there is momentum.
    buffers: StateTensors<T, 1>,
}

/// PyTorch's name for B.
const BUFFER: &str = "momentum_buffer";

impl<T: Element> RmsProp<T> {
    /// Creates RMSprop with this learning rate, above 0 (0.001 is a usual one); no clipping, momentum or weight decay.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a rate that is not a finite number above 0.
    pub fn new(learning_rate: f64) -> Result<Self> {
        Ok(RmsProp {
            rate: checked_rate(learning_rate)?,
            clipping: Clipping::none(),
            alpha: 0.99,
            epsilon: 1e-8,
            momentum: 0.0,
            decay: 0.0,
            squares: StateTensors::new(["square_avg"]),
            buffers: StateTensors::new([BUFFER]),
        })
    }

    /// Sets the decay rate of the running mean of the squared gradient, 0 to below 1. Default: 0.99.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for any other number.
    pub fn alpha(mut self, alpha: f64) -> Result<Self> {
        self.alpha = checked_decay_rate("RMSprop's alpha", alpha)?;
        Ok(self)
    }

    /// Sets epsilon, above 0, which keeps the division finite where all gradients were 0. Default: 1e-8.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a number that is not finite and above 0 as a `T`.
    pub fn epsilon(mut self, epsilon: f64) -> Result<Self> {
        self.epsilon = checked_epsilon::<T>("RMSprop's epsilon", epsilon)?;
        Ok(self)
    }

    /// Sets the momentum, 0 to below 1: the part of the buffer B that a step keeps. Default: 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for any other number.
    pub fn momentum(mut self, momentum: f64) -> Result<Self> {
        self.momentum = checked_decay_rate("momentum", momentum)?;
        Ok(self)
    }

    /// Sets the weight decay, at least 0: decay W is added to the gradient, but not for the biases. Default: 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a number that is negative or not finite.
    pub fn weight_decay(mut self, decay: f64) -> Result<Self> {
        self.decay = checked_decay(decay)?;
        Ok(self)
    }

    /// Sets the clipping of gradients, which comes before weight decay. Default: no clipping.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a limit that is not a finite number above 0.
    pub fn clip(mut self, clip: Clip) -> Result<Self> {
        self.clipping = Clipping::new(clip)?;
        Ok(self)
    }
}

compiled! {
    fn update<'a, 'b, T>(
        rmsprop: &'a mut RmsProp<T>,
        index: usize,
        weights: &'a mut Array2<T>,
        gradient: &'a mut Array2<T>,
    ) {
        let factor = T::from_f64(rmsprop.clipping.factor(gradient));
        let [rate, epsilon, momentum, decay] =
            [rmsprop.rate, rmsprop.epsilon, rmsprop.momentum, rmsprop.decay].map(T::from_f64);
        let [keep, take] = [rmsprop.alpha, 1.0 - rmsprop.alpha].map(T::from_f64);
        let decay_if = |decays| if decays { decay } else { T::zero() };
        let [squares] = rmsprop.squares.of(index, weights);
        if rmsprop.momentum == 0.0 {
            return sweep(
                weights,
                gradient,
                [squares],
                #[inline(always)]
                |span, decays| {
                    let decay = decay_if(decays);
                    let [squares] = span.state;
                    let numbers = span.weights.iter_mut().zip(span.gradient).zip(squares);
                    for ((weight, &gradient), square) in numbers {
                        let gradient = factor * gradient + decay * *weight;
                        *square = keep * *square + take * gradient * gradient;
                        *weight -= rate * (gradient / (square.sqrt() + epsilon));
                    }
                },
            );
        }
        let [buffers] = rmsprop.buffers.of(index, weights);
        sweep(
            weights,
            gradient,
            [squares, buffers],
            #[inline(always)]
            |span, decays| {
                let decay = decay_if(decays);
                let [squares, buffers] = span.state;
                let numbers = span
                    .weights
                    .iter_mut()
                    .zip(span.gradient)
                    .zip(squares)
                    .zip(buffers);
                for (((weight, &gradient), square), buffer) in numbers {
                    let gradient = factor * gradient + decay * *weight;
                    *square = keep * *square + take * gradient * gradient;
                    *buffer = momentum * *buffer + gradient / (square.sqrt() + epsilon);
                    *weight -= rate * *buffer;
                }
            },
        );
    }
}

impl<T: Element> Optimizer<T> for RmsProp<T> {
    fn name(&self) -> &'static str {
        "RMSprop"
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    fn reset(&mut self) {
        self.squares.reset();
        self.buffers.reset();
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("alpha", self.alpha.to_string()),
            ("epsilon", self.epsilon.to_string()),
            ("momentum", self.momentum.to_string()),
            ("weight decay", self.decay.to_string()),
            ("gradient clipping", self.clipping.describe()),
        ]
    }

    fn start_step(&mut self, gradients: &Gradients<'_, T>) -> Result<()> {
        self.squares.check("RMSprop", gradients)?;
        if self.momentum > 0.0 {
            self.buffers.check("RMSprop", gradients)?;
        }
        self.clipping.start_step(gradients);
        Ok(())
    }

    fn update(&mut self, index: usize, weights: &mut Array2<T>, gradient: &mut Array2<T>) {
        update(self, index, weights, gradient);
    }

    /// Returns V as `0.square_avg`, and with momentum B as `0.momentum_buffer`, and so on, PyTorch's names.
    fn state(&self) -> OptimizerState<T> {
        OptimizerState {
            tensors: [self.squares.save(), self.buffers.save()].concat(),
            ..OptimizerState::default()
        }
    }

    fn restore(&mut self, state: OptimizerState<T>) -> Result<()> {
        let fail = |problem| Err(Error::data("the state of RMSprop", problem));
        if state.steps > 0 {
            return fail(format!("it counts no steps, and is given {}", state.steps));
        }
        let tensors = state.tensors.into_iter();
        let (buffers, squares): (Vec<_>, Vec<_>) = tensors.partition(|(name, _)| name.ends_with(BUFFER));
        let expected = if self.momentum == 0.0 { 0 } else { squares.len() };
        if buffers.len() != expected {
            let found = buffers.len();
            return fail(format!(
                "{found} tensors of its momentum, where {expected} belong to it"
            ));
        }
        let negative = squares
            .iter()
            .find(|(_, tensor)| tensor.iter().any(|&square| square < T::zero()));
        if let Some((name, _)) = negative {
            return fail(format!("`{name}`, a mean of squares, holds a negative number"));
        }
        let mut restored = (self.squares.clone(), self.buffers.clone());
        restored.0.restore("RMSprop", squares)?;
        restored.1.restore("RMSprop", buffers)?;
        (self.squares, self.buffers) = restored;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::NetworkId;
    use ndarray::array;

    /// Starts a step of a network with this gradient.
    fn start(rmsprop: &mut RmsProp<f64>, network: NetworkId, gradient: &Array2<f64>) {
        let gradients = [vec![gradient.clone()]];
        rmsprop.start_step(&Gradients::new(network, &gradients)).unwrap();
    }

    fn steps(mut rmsprop: RmsProp<f64>, gradients: &[f64]) -> Array2<f64> {
        let (mut weights, network) = (array![[1.0, 0.0], [2.0, 4.0]], NetworkId::next());
        for &gradient in gradients {
            let mut gradient = array![[0.0, 0.0], [gradient, gradient]];
            start(&mut rmsprop, network, &gradient);
            rmsprop.update(0, &mut weights, &mut gradient);
        }
        weights
    }

    fn assert_close(found: &Array2<f64>, bias: f64, weight: f64) {
        let error = found - &array![[1.0, 0.0], [bias, weight]];
        assert!(error.iter().all(|error| error.abs() < 1e-7), "{found}");
    }

    fn quarter() -> RmsProp<f64> {
        RmsProp::new(0.5).unwrap().alpha(0.75).unwrap()
    }

    #[test]
    fn steps_by_hand() {
        // V = 9/4, its root 3/2: a step of twice the rate.
        assert_close(&steps(quarter(), &[3.0]), 1.0, 3.0);
        assert_close(&steps(quarter(), &[-3.0]), 3.0, 5.0);
        assert_close(&steps(quarter(), &[0.0]), 2.0, 4.0);
        // V = 27/16 + 0: no step.
        assert_close(&steps(quarter(), &[3.0, 0.0]), 1.0, 3.0);
        // With momentum 0.5, half of the first step.
        let swift = quarter().momentum(0.5).unwrap();
        assert_close(&steps(swift, &[3.0, 0.0]), 0.5, 2.5);
    }

    #[test]
    fn clipping_comes_before_decay_which_is_for_the_weights_alone() {
        // (4, 4) is shortened to (2, 2); 0.5 4 comes to the weight's. alpha = 0: a step of gradient / (|gradient| + 2).
        let clipped = quarter().clip(Clip::Global(8.0_f64.sqrt())).unwrap();
        let plain = clipped.alpha(0.0).unwrap().epsilon(2.0).unwrap();
        let decayed = plain.weight_decay(0.5).unwrap();
        assert_close(
            &steps(decayed, &[4.0]),
            2.0 - 0.5 * 2.0 / 4.0,
            4.0 - 0.5 * 4.0 / 6.0,
        );
    }

    #[test]
    fn a_restored_state_continues_as_if_never_interrupted() {
        let gradient = |step: u32| array![[0.0, 0.0], [0.1 * f64::from(step), 0.3 - f64::from(step)]];
        for momentum in [0.0, 0.9] {
            let make = || quarter().momentum(momentum).unwrap();
            let run = |interrupted: bool| {
                let mut rmsprop = make();
                let (mut weights, network) = (array![[1.0, 0.0], [2.0, 4.0]], NetworkId::next());
                for step in 0..6 {
                    if interrupted && step == 3 {
                        let state = rmsprop.state();
                        rmsprop = make();
                        rmsprop.restore(state).unwrap();
                    }
                    let mut gradient = gradient(step);
                    start(&mut rmsprop, network, &gradient);
                    rmsprop.update(0, &mut weights, &mut gradient);
                }
                weights
            };
            assert_eq!(run(true), run(false));
        }
    }

    #[test]
    fn invalid_states_are_refused() {
        let state = |names: &[&str], steps, value| OptimizerState {
            steps,
            tensors: names
                .iter()
                .map(|name| ((*name).to_owned(), array![[0.0], [value]]))
                .collect(),
        };
        let restore = |momentum, state| quarter().momentum(momentum).unwrap().restore(state);
        let both = ["0.square_avg", "0.momentum_buffer"];
        assert!(restore(0.0, state(&both[..1], 0, 1.0)).is_ok());
        assert!(restore(0.5, state(&both, 0, 1.0)).is_ok());
        assert!(restore(0.0, state(&both, 0, 1.0)).is_err());
        assert!(restore(0.5, state(&both[..1], 0, 1.0)).is_err());
        assert!(restore(0.5, state(&["0.square_avg", "1.momentum_buffer"], 0, 1.0)).is_err());
        assert!(restore(0.0, state(&both[..1], 3, 1.0)).is_err());
        assert!(restore(0.0, state(&both[..1], 0, -1.0)).is_err());
        assert!(restore(0.0, state(&["0.exp_avg"], 0, 1.0)).is_err());
        assert!(restore(0.5, OptimizerState::default()).is_ok());
    }

    #[test]
    fn invalid_options_are_refused() {
        let rmsprop = || RmsProp::<f32>::new(0.1).unwrap();
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(RmsProp::<f32>::new(odd).is_err());
            assert!(rmsprop().epsilon(odd).is_err());
            assert!(rmsprop().clip(Clip::PerTensor(odd)).is_err());
        }
        assert!(rmsprop().epsilon(1e-50).is_err(), "0 as a f32");
        for odd in [-0.1, 1.0, f64::NAN] {
            assert!(rmsprop().alpha(odd).is_err());
            assert!(rmsprop().momentum(odd).is_err());
        }
        for odd in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(rmsprop().weight_decay(odd).is_err());
        }
    }
}
