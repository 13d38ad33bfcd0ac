//! Stochastic gradient descent, with momentum and weight decay.

use ndarray::Array2;

use super::clip::Clipping;
use super::state::StateTensors;
use super::sweep::sweep;
use super::{Clip, Gradients, Optimizer, OptimizerState, checked_decay, checked_decay_rate, checked_rate};
use crate::element::{Element, compiled};
use crate::error::{Error, Result};

/// Stochastic gradient descent: W <- W - rate dJ/dW, with optional clipping, momentum and weight decay.
///
/// In full, as PyTorch's `SGD`, where C is the clipped dJ/dW:
///
/// ```text
/// G <- C + decay W             (no decay for the biases)
/// V <- momentum V + G          (V = 0 at first)
/// W <- W - rate V              (Nesterov: W - rate (G + momentum V))
/// ```
///
/// Source: report, section 5; momentum after Sutskever et al. 2013.
///
/// ```
/// use mfnet::{Clip, Sgd};
///
/// let plain = Sgd::<f32>::new(0.001)?;
/// let clipped = Sgd::<f32>::new(0.001)?.clip(Clip::PerTensor(1.0))?;
/// let swift = Sgd::<f32>::new(0.01)?.momentum(0.9)?.nesterov(true).weight_decay(1e-4)?;
/// assert!(Sgd::<f32>::new(f64::NAN).is_err());
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sgd<T> {
    rate: f64,
    clipping: Clipping,
    momentum: f64,
    nesterov: bool,
    /// Whether the velocities are steps: gradients times the learning rate of their own step.
    velocities_are_steps: bool,
    decay: f64,
    /// V, if there is momentum.
    velocities: StateTensors<T, 1>,
}

impl<T: Element> Sgd<T> {
    /// Creates plain gradient descent with this learning rate, above 0; no clipping, momentum or weight decay.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a rate that is not a finite number above 0.
    pub fn new(learning_rate: f64) -> Result<Self> {
        Ok(Sgd {
            rate: checked_rate(learning_rate)?,
            clipping: Clipping::none(),
            momentum: 0.0,
            nesterov: false,
            velocities_are_steps: false,
            decay: 0.0,
            velocities: StateTensors::new(["momentum"]),
        })
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

    /// Sets the momentum, 0 to below 1: the part of the velocity V that a step keeps. Default: 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for any other number.
    pub fn momentum(mut self, momentum: f64) -> Result<Self> {
        self.momentum = checked_decay_rate("momentum", momentum)?;
        Ok(self)
    }

    /// Sets whether the momentum is Nesterov's. This needs a [`Sgd::momentum`] above 0, set before or after: otherwise the
    /// first step is an error. Default: `false`.
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }

    /// Sets whether velocities are steps: V <- momentum V + rate G and W <- W - V (Nesterov: W - (rate G + momentum V)), so that
    /// a new learning rate does not change the steps taken before. As scikit-learn and Sutskever et al. do; the same as
    /// PyTorch's rule while the rate does not change. Default: `false`.
    pub fn velocities_are_steps(mut self, are_steps: bool) -> Self {
        self.velocities_are_steps = are_steps;
        self
    }

    /// Sets the weight decay, at least 0: decay W is added to the gradient, but not for the biases. This is an L2 penalty of
    /// decay/2 |W|^2. Default: 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a number that is negative or not finite.
    pub fn weight_decay(mut self, decay: f64) -> Result<Self> {
        self.decay = checked_decay(decay)?;
        Ok(self)
    }
}

compiled! {
    fn update<'a, 'b, T>(
        sgd: &'a mut Sgd<T>,
        index: usize,
        weights: &'a mut Array2<T>,
        gradient: &'a mut Array2<T>,
    ) {
        // The rate is in the velocity, or in the step.
        let (inner, rate) = match sgd.velocities_are_steps {
            true => (sgd.rate, 1.0),
            false => (1.0, sgd.rate),
        };
        let factor = T::from_f64(inner * sgd.clipping.factor(gradient));
        let [rate, momentum, decay] = [rate, sgd.momentum, inner * sgd.decay].map(T::from_f64);
        let decay_if = |decays| if decays { decay } else { T::zero() };
        if sgd.momentum == 0.0 {
            return sweep(
                weights,
                gradient,
                [],
                #[inline(always)]
                |span, decays| {
                    let decay = decay_if(decays);
                    for (weight, &gradient) in span.weights.iter_mut().zip(span.gradient) {
                        *weight -= rate * (factor * gradient + decay * *weight);
                    }
                },
            );
        }
        // A step is the rate times this combination of the gradient and the velocity.
        let (of_gradient, of_velocity) = match sgd.nesterov {
            true => (T::one(), momentum),
            false => (T::zero(), T::one()),
        };
        let state = sgd.velocities.of(index, weights);
        sweep(
            weights,
            gradient,
            state,
            #[inline(always)]
            |span, decays| {
                let decay = decay_if(decays);
                let [velocities] = span.state;
                let numbers = span.weights.iter_mut().zip(span.gradient).zip(velocities);
                for ((weight, &gradient), velocity) in numbers {
                    let gradient = factor * gradient + decay * *weight;
                    *velocity = momentum * *velocity + gradient;
                    *weight -= rate * (of_gradient * gradient + of_velocity * *velocity);
                }
            },
        );
    }
}

impl<T: Element> Optimizer<T> for Sgd<T> {
    fn name(&self) -> &'static str {
        "SGD"
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    fn reset(&mut self) {
        self.velocities.reset();
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let of_steps = self
            .velocities_are_steps
            .then(|| ("velocities are steps", true.to_string()));
        let settings = vec![
            ("momentum", self.momentum.to_string()),
            ("nesterov", self.nesterov.to_string()),
            ("weight decay", self.decay.to_string()),
            ("gradient clipping", self.clipping.describe()),
        ];
        // Missing where they are not, as in checkpoints of earlier versions.
        settings.into_iter().chain(of_steps).collect()
    }

    fn plain_rate(&self) -> Option<f64> {
        let plain = self.clipping.is_none() && self.momentum == 0.0 && !self.nesterov && self.decay == 0.0;
        plain.then_some(self.rate)
    }

    fn start_step(&mut self, gradients: &Gradients<'_, T>) -> Result<()> {
        if self.momentum > 0.0 {
            self.velocities.check("SGD", gradients)?;
        } else if self.nesterov {
            return Err(Error::option("momentum", 0, "above 0 for Nesterov's momentum"));
        }
        self.clipping.start_step(gradients);
        Ok(())
    }

    fn update(&mut self, index: usize, weights: &mut Array2<T>, gradient: &mut Array2<T>) {
        update(self, index, weights, gradient);
    }

    /// Returns V as `0.momentum`, `1.momentum` and so on, if there is momentum.
    fn state(&self) -> OptimizerState<T> {
        OptimizerState {
            steps: 0,
            tensors: self.velocities.save(),
        }
    }

    fn restore(&mut self, state: OptimizerState<T>) -> Result<()> {
        if state.steps > 0 || (self.momentum == 0.0 && !state.tensors.is_empty()) {
            let problem = "it was saved by another optimizer, or with other options";
            return Err(Error::data("the state of SGD", problem));
        }
        self.velocities.restore("SGD", state.tensors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::NetworkId;
    use ndarray::array;

    /// Starts a step of a network with these gradients.
    fn start(sgd: &mut Sgd<f64>, network: NetworkId, gradients: &[Array2<f64>]) -> Result<()> {
        sgd.start_step(&Gradients::new(network, &[gradients.to_vec()]))
    }

    fn step(mut sgd: Sgd<f64>, gradients: [Array2<f64>; 2]) -> [f64; 2] {
        let mut gradients = gradients;
        start(&mut sgd, NetworkId::next(), &gradients).unwrap();
        [0, 1].map(|index| {
            let mut weights = array![[1.0], [10.0]];
            sgd.update(index, &mut weights, &mut gradients[index]);
            assert_eq!(weights[[0, 0]], 1.0, "the constant row stays");
            weights[[1, 0]]
        })
    }

    #[test]
    fn steps_by_hand() {
        let gradients = [array![[0.0], [3.0]], array![[0.0], [4.0]]];
        let sgd = Sgd::new(0.5).unwrap();
        assert_eq!(step(sgd.clone(), gradients.clone()), [8.5, 8.0]);
        assert_eq!(
            step(sgd.clone().clip(Clip::PerTensor(2.0)).unwrap(), gradients.clone()),
            [9.0, 9.0]
        );
        assert_eq!(
            step(sgd.clone().clip(Clip::Global(2.5)).unwrap(), gradients.clone()),
            [9.25, 9.0]
        );
        assert_eq!(step(sgd.clip(Clip::Global(5.0)).unwrap(), gradients), [8.5, 8.0]);
    }

    /// The weights after each of two steps with this gradient.
    fn two_steps(mut sgd: Sgd<f64>, gradient: f64) -> [Array2<f64>; 2] {
        let mut weights = array![[1.0, 0.0], [2.0, 4.0]];
        let network = NetworkId::next();
        [0, 1].map(|_| {
            let mut gradient = array![[0.0, 0.0], [gradient, gradient]];
            start(&mut sgd, network, std::slice::from_ref(&gradient)).unwrap();
            sgd.update(0, &mut weights, &mut gradient);
            weights.clone()
        })
    }

    #[test]
    fn momentum_and_decay_by_hand() {
        let sgd = || Sgd::new(0.5).unwrap();
        let weights = |bias, weight| array![[1.0, 0.0], [bias, weight]];
        // V = 2, 3.
        let momentum = sgd().momentum(0.5).unwrap();
        assert_eq!(
            two_steps(momentum.clone(), 2.0),
            [weights(1.0, 3.0), weights(-0.5, 1.5)]
        );
        // G + V/2 = 3, 3.5.
        let nesterov = momentum.nesterov(true);
        assert_eq!(
            two_steps(nesterov, 2.0),
            [weights(0.5, 2.5), weights(-1.25, 0.75)]
        );
        // 4 - 0.5 (2 + 1), and then 2.5 - 0.5 (2 + 0.625); the bias does not decay.
        let decay = sgd().weight_decay(0.25).unwrap();
        assert_eq!(
            two_steps(decay.clone(), 2.0),
            [weights(1.0, 2.5), weights(0.0, 1.1875)]
        );
        // Decay has no part in the norm: 4 (the norm is 2) is shortened to 2 before W/4 is added.
        let norm = 32.0_f64.sqrt();
        let clipped = decay.clip(Clip::PerTensor(norm / 2.0)).unwrap();
        let [first, _] = two_steps(clipped, 4.0);
        assert!((first[[1, 1]] - 2.5).abs() < 1e-15, "{first}");
    }

    #[test]
    fn a_restored_state_continues_as_if_never_interrupted() {
        let sgd = Sgd::new(0.5).unwrap().momentum(0.75).unwrap();
        let run = |interrupted: bool| {
            let (mut sgd, mut weights) = (sgd.clone(), array![[1.0, 0.0], [2.0, 4.0]]);
            for step in 0..6 {
                if interrupted && step == 3 {
                    let state = sgd.state();
                    assert_eq!(state.tensors[0].0, "0.momentum");
                    sgd = Sgd::new(0.5).unwrap().momentum(0.75).unwrap();
                    sgd.restore(state).unwrap();
                }
                let mut gradient = array![[0.0, 0.0], [0.1 * f64::from(step), 0.3]];
                sgd.update(0, &mut weights, &mut gradient);
            }
            weights
        };
        assert_eq!(run(true), run(false));

        let mut other = sgd.clone();
        other.update(0, &mut array![[1.0], [2.0]], &mut array![[0.0], [2.0]]);
        assert!(Sgd::new(0.5).unwrap().restore(other.state()).is_err());
        assert!(
            Sgd::<f64>::new(0.5)
                .unwrap()
                .restore(OptimizerState::default())
                .is_ok()
        );
    }

    #[test]
    fn invalid_options_are_refused() {
        let sgd = || Sgd::<f64>::new(1.0).unwrap();
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Sgd::<f64>::new(rate).is_err());
            assert!(sgd().clip(Clip::Global(rate)).is_err());
        }
        for odd in [-0.1, 1.0, f64::NAN] {
            assert!(sgd().momentum(odd).is_err());
        }
        for odd in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(sgd().weight_decay(odd).is_err());
        }
    }

    #[test]
    fn nesterov_needs_momentum_set_before_or_after() {
        let sgd = || Sgd::<f64>::new(0.5).unwrap();
        let gradients = [array![[0.0], [3.0]], array![[0.0], [4.0]]];
        let before = sgd().momentum(0.5).unwrap().nesterov(true);
        let after = sgd().nesterov(true).momentum(0.5).unwrap();
        assert_eq!(step(before, gradients.clone()), step(after, gradients.clone()));
        let mut lacking = sgd().nesterov(true);
        assert_eq!(lacking.plain_rate(), None, "a fused step would skip the error");
        let error = start(&mut lacking, NetworkId::next(), &gradients).unwrap_err();
        assert_eq!(
            error.to_string(),
            "momentum = 0: it must be above 0 for Nesterov's momentum"
        );
    }

    #[test]
    fn velocities_belong_to_one_network() {
        let mut sgd = Sgd::new(0.5).unwrap().momentum(0.5).unwrap();
        let (first, second) = (NetworkId::next(), NetworkId::next());
        let gradients = [array![[0.0], [2.0]]];
        let mut weights = array![[1.0], [10.0]];
        start(&mut sgd, first, &gradients).unwrap();
        sgd.update(0, &mut weights, &mut gradients[0].clone());
        start(&mut sgd, first, &gradients).unwrap();
        let error = start(&mut sgd, second, &gradients).unwrap_err().to_string();
        assert!(error.contains("another network of the same shapes"), "{error}");
        let error = start(&mut sgd, second, &[array![[0.0, 0.0], [1.0, 1.0]]]).unwrap_err();
        let expected = "SGD: expected gradients of the network it remembers (2 x 1); Optimizer::reset starts it anew, \
                        found 2 x 2";
        assert_eq!(error.to_string(), expected);

        // Without velocities nothing belongs to a network.
        let mut clipped = Sgd::new(0.5).unwrap().clip(Clip::Global(1.0)).unwrap();
        start(&mut clipped, first, &gradients).unwrap();
        start(&mut clipped, second, &gradients).unwrap();

        // Restored state belongs to the first network of its shapes.
        let mut restored = Sgd::new(0.5).unwrap().momentum(0.5).unwrap();
        restored.restore(sgd.state()).unwrap();
        assert!(start(&mut restored, first, &[array![[0.0, 0.0], [1.0, 1.0]]]).is_err());
        start(&mut restored, second, &gradients).unwrap();
        assert!(start(&mut restored, first, &gradients).is_err());

        sgd.reset();
        assert!(sgd.state().is_empty());
        start(&mut sgd, second, &gradients).unwrap();
        let mut weights = array![[1.0], [10.0]];
        sgd.update(0, &mut weights, &mut gradients[0].clone());
        assert_eq!(weights[[1, 0]], 9.0, "the first step is without momentum");
    }

    #[test]
    fn only_the_plain_step_is_fused() {
        let sgd = || Sgd::<f64>::new(0.5).unwrap();
        assert_eq!(sgd().plain_rate(), Some(0.5));
        assert_eq!(sgd().momentum(0.0).unwrap().plain_rate(), Some(0.5));
        assert_eq!(sgd().momentum(0.1).unwrap().plain_rate(), None);
        assert_eq!(sgd().weight_decay(0.1).unwrap().plain_rate(), None);
        assert_eq!(sgd().clip(Clip::Global(1.0)).unwrap().plain_rate(), None);
    }
}
