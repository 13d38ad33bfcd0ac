//! Adam and AdamW: the step of each weight is scaled by the running mean of its squared gradient.

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

/// Adam and AdamW: W <- W - rate m / (sqrt(v) + epsilon), m and v the running means of the gradient and of its square.
///
/// In full, as PyTorch's `Adam` and `AdamW`, where C is the clipped dJ/dW and t the step, counted from 1:
///
/// ```text
/// W <- W - rate decay W        (AdamW; no decay for the biases)
/// G <- C + decay W             (Adam; no decay for the biases)
/// M <- beta1 M + (1 - beta1) G
/// V <- beta2 V + (1 - beta2) G^2
/// W <- W - rate / (1 - beta1^t) M / (sqrt(V) / sqrt(1 - beta2^t) + epsilon)
/// ```
///
/// Source: Kingma and Ba 2015; AdamW after Loshchilov and Hutter 2019.
///
/// ```
/// use mfnet::Adam;
///
/// let adam = Adam::<f32>::new(0.001)?;
/// let adamw = Adam::<f32>::adamw(0.001)?.betas(0.9, 0.95)?.weight_decay(0.1)?;
/// assert!(Adam::<f32>::new(0.0).is_err());
/// # Ok::<(), mfnet::Error>(())
/// ```
#[doc(alias = "AdamW")]
#[derive(Debug, Clone)]
pub struct Adam<T> {
    rate: f64,
    clipping: Clipping,
    betas: [f64; 2],
    epsilon: f64,
    /// Whether epsilon is added to the root of the uncorrected mean.
    epsilon_is_uncorrected: bool,
    decay: f64,
    /// Whether weight decay changes the weights directly, as in AdamW, and not by way of the gradient.
    decoupled: bool,
    /// The number of steps begun so far.
    steps: u64,
    /// M and V.
    means: StateTensors<T, 2>,
}

impl<T: Element> Adam<T> {
    /// Creates Adam with this learning rate, above 0 (0.001 is a usual one); no clipping and no weight decay.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a rate that is not a finite number above 0.
    pub fn new(learning_rate: f64) -> Result<Self> {
        Ok(Adam {
            rate: checked_rate(learning_rate)?,
            clipping: Clipping::none(),
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            epsilon_is_uncorrected: false,
            decay: 0.0,
            decoupled: false,
            steps: 0,
            means: StateTensors::new(["exp_avg", "exp_avg_sq"]),
        })
    }

    /// Creates AdamW: Adam with decoupled weight decay, 0.01 by default.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a rate that is not a finite number above 0.
    pub fn adamw(learning_rate: f64) -> Result<Self> {
        Ok(Adam {
            decay: 0.01,
            decoupled: true,
            ..Adam::new(learning_rate)?
        })
    }

    /// Sets the decay rates of the running means, of the gradient and of its square, each 0 to below 1. Default: 0.9 and
    /// 0.999.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for any other number.
    pub fn betas(mut self, first: f64, second: f64) -> Result<Self> {
        self.betas = [
            checked_decay_rate("Adam's first beta", first)?,
            checked_decay_rate("Adam's second beta", second)?,
        ];
        Ok(self)
    }

    /// Sets epsilon, above 0, which keeps the division finite where all gradients were 0. Default: 1e-8.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a number that is not finite and above 0 as a `T`.
    pub fn epsilon(mut self, epsilon: f64) -> Result<Self> {
        self.epsilon = checked_epsilon::<T>("Adam's epsilon", epsilon)?;
        Ok(self)
    }

    /// Sets whether epsilon is added before the correction of the bias, as in scikit-learn and in section 2 of Kingma and Ba,
    /// rather than after it, as in PyTorch: W <- W - rate sqrt(1 - beta2^t) / (1 - beta1^t) M / (sqrt(V) + epsilon).
    /// Default: `false`.
    pub fn uncorrected_epsilon(mut self, is_uncorrected: bool) -> Self {
        self.epsilon_is_uncorrected = is_uncorrected;
        self
    }

    /// Sets the weight decay, at least 0, which leaves out the biases: Adam adds decay W to the gradient, AdamW subtracts
    /// rate decay W from the weights. Default: 0 for Adam, 0.01 for AdamW.
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
        adam: &'a mut Adam<T>,
        index: usize,
        weights: &'a mut Array2<T>,
        gradient: &'a mut Array2<T>,
    ) {
        // Scalars are computed in f64, as in PyTorch. `steps` is 0 only if no step was started.
        let step = adam.steps.max(1) as f64;
        let [keep_mean, keep_square] = adam.betas;
        let corrections = [1.0 - keep_mean.powf(step), (1.0 - keep_square.powf(step)).sqrt()];
        let epsilon = match adam.epsilon_is_uncorrected {
            true => adam.epsilon / corrections[1],
            false => adam.epsilon,
        };
        let [length, correction, epsilon] =
            [adam.rate / corrections[0], corrections[1], epsilon].map(T::from_f64);
        let [take_mean, keep_square, take_square] =
            [1.0 - keep_mean, keep_square, 1.0 - keep_square].map(T::from_f64);
        let factor = T::from_f64(adam.clipping.factor(gradient));
        // Decoupled decay multiplies the weight by `keep`; coupled decay adds `decay` times the weight to the gradient.
        let (keep, decay) = match adam.decoupled {
            true => (1.0 - adam.rate * adam.decay, 0.0),
            false => (1.0, adam.decay),
        };
        let (keep, decay) = (T::from_f64(keep), T::from_f64(decay));
        let state = adam.means.of(index, weights);
        sweep(
            weights,
            gradient,
            state,
            #[inline(always)]
            |span, decays| {
                let (keep, decay) = if decays {
                    (keep, decay)
                } else {
                    (T::one(), T::zero())
                };
                let [means, squares] = span.state;
                let numbers = span.weights.iter_mut().zip(span.gradient).zip(means).zip(squares);
                for (((weight, &gradient), mean), square) in numbers {
                    let gradient = factor * gradient + decay * *weight;
                    *mean += take_mean * (gradient - *mean);
                    *square = keep_square * *square + take_square * gradient * gradient;
                    let scale = square.sqrt() / correction + epsilon;
                    *weight = keep * *weight - length * *mean / scale;
                }
            },
        );
    }
}

impl<T: Element> Optimizer<T> for Adam<T> {
    fn name(&self) -> &'static str {
        if self.decoupled { "AdamW" } else { "Adam" }
    }

    fn learning_rate(&self) -> f64 {
        self.rate
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    fn reset(&mut self) {
        self.steps = 0;
        self.means.reset();
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let [first, second] = self.betas;
        let uncorrected = self
            .epsilon_is_uncorrected
            .then(|| ("uncorrected epsilon", true.to_string()));
        let settings = vec![
            ("betas", format!("{first}, {second}")),
            ("epsilon", self.epsilon.to_string()),
            ("weight decay", self.decay.to_string()),
            ("gradient clipping", self.clipping.describe()),
        ];
        // Missing where it is corrected, as in checkpoints of earlier versions.
        settings.into_iter().chain(uncorrected).collect()
    }

    fn start_step(&mut self, gradients: &Gradients<'_, T>) -> Result<()> {
        self.means.check(Optimizer::<T>::name(self), gradients)?;
        self.steps = self.steps.saturating_add(1);
        self.clipping.start_step(gradients);
        Ok(())
    }

    fn update(&mut self, index: usize, weights: &mut Array2<T>, gradient: &mut Array2<T>) {
        update(self, index, weights, gradient);
    }

    /// Returns the means of the gradient and of its square as `0.exp_avg`, `0.exp_avg_sq` and so on, PyTorch's names.
    fn state(&self) -> OptimizerState<T> {
        OptimizerState {
            steps: self.steps,
            tensors: self.means.save(),
        }
    }

    fn restore(&mut self, state: OptimizerState<T>) -> Result<()> {
        let name = Optimizer::<T>::name(self);
        if (state.steps == 0) != state.tensors.is_empty() {
            let problem = format_args!("{} tensors of {} steps", state.tensors.len(), state.steps);
            return Err(Error::data(format_args!("the state of {name}"), problem));
        }
        if let Some((name, _)) = state
            .tensors
            .iter()
            .find(|(name, tensor)| name.ends_with(".exp_avg_sq") && tensor.iter().any(|&v| v < T::zero()))
        {
            let problem = format_args!("`{name}`, a mean of squares, holds a negative number");
            return Err(Error::data("the state of Adam", problem));
        }
        self.means.restore(name, state.tensors)?;
        self.steps = state.steps;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::NetworkId;
    use ndarray::array;

    /// Starts a step of a network with this gradient.
    fn start(adam: &mut Adam<f64>, network: NetworkId, gradient: &Array2<f64>) -> Result<()> {
        adam.start_step(&Gradients::new(network, &[vec![gradient.clone()]]))
    }

    fn steps(mut adam: Adam<f64>, gradients: &[f64]) -> Array2<f64> {
        let mut weights = array![[1.0, 0.0], [2.0, 4.0]];
        let network = NetworkId::next();
        for &gradient in gradients {
            let mut gradient = array![[0.0, 0.0], [gradient, gradient]];
            start(&mut adam, network, &gradient).unwrap();
            adam.update(0, &mut weights, &mut gradient);
        }
        weights
    }

    fn assert_close(found: &Array2<f64>, bias: f64, weight: f64) {
        let error = found - &array![[1.0, 0.0], [bias, weight]];
        assert!(error.iter().all(|error| error.abs() < 1e-8), "{found}");
    }

    #[test]
    fn steps_by_hand() {
        // The length of the first step is the rate, whatever the gradient.
        let adam = || Adam::new(0.5).unwrap();
        assert_close(&steps(adam(), &[3.0]), 1.5, 3.5);
        assert_close(&steps(adam(), &[-8.0]), 2.5, 4.5);
        assert_close(&steps(adam(), &[0.0]), 2.0, 4.0);
        // With equal gradients so is that of the second.
        assert_close(&steps(adam(), &[3.0, 3.0]), 1.0, 3.0);
        // M = (0.09 - 0.1) / 0.19 = -1/19, V = 1: a nineteenth of a step back.
        assert_close(&steps(adam(), &[1.0, -1.0]), 1.5 + 0.5 / 19.0, 3.5 + 0.5 / 19.0);
    }

    #[test]
    fn decay_is_for_the_weights_alone() {
        // Coupled: the gradient of the weight is -1 + 0.5 4 = 1.
        let coupled = Adam::new(0.5).unwrap().weight_decay(0.5).unwrap();
        assert_close(&steps(coupled, &[-1.0]), 2.5, 3.5);
        // Decoupled: 4 (1 - 0.5 0.5) = 3, and then a step up.
        let decoupled = Adam::adamw(0.5).unwrap();
        assert_close(&steps(decoupled.clone(), &[-1.0]), 2.5, 3.98 + 0.5);
        assert_close(
            &steps(decoupled.weight_decay(0.5).unwrap(), &[-1.0]),
            2.5,
            3.0 + 0.5,
        );
    }

    #[test]
    fn clipping_comes_before_decay() {
        // The gradient is shortened from (4, 4) to (2, 2), and then 0.5 4 is taken from the weight's.
        let clip = Clip::Global(8.0_f64.sqrt());
        let adam = || {
            Adam::new(0.5)
                .unwrap()
                .betas(0.0, 0.0)
                .unwrap()
                .epsilon(2.0)
                .unwrap()
        };
        let decay = adam().weight_decay(0.5).unwrap().clip(clip).unwrap();
        assert_close(&steps(decay, &[-4.0]), 2.0 + 0.5 * 2.0 / 4.0, 4.0);
    }

    #[test]
    fn a_restored_state_continues_as_if_never_interrupted() {
        let gradient = |step: u32| array![[0.0, 0.0], [0.1 * f64::from(step), 0.3 - f64::from(step)]];
        let run = |interrupted: bool| {
            let mut adam = Adam::new(0.1).unwrap();
            let mut weights = array![[1.0, 0.0], [2.0, 4.0]];
            let network = NetworkId::next();
            for step in 0..6 {
                if interrupted && step == 3 {
                    let state = adam.state();
                    assert_eq!(state.steps, 3);
                    adam = Adam::new(0.1).unwrap();
                    adam.restore(state).unwrap();
                }
                let mut gradient = gradient(step);
                start(&mut adam, network, &gradient).unwrap();
                adam.update(0, &mut weights, &mut gradient);
            }
            weights
        };
        assert_eq!(run(true), run(false));
    }

    /// The step count is reset with the means: the first step of a second network is as long as that of the first.
    #[test]
    fn means_and_steps_belong_to_one_network() {
        let mut adam = Adam::new(0.5).unwrap();
        let train = |adam: &mut Adam<f64>, network, mut gradient: Array2<f64>| {
            start(adam, network, &gradient)?;
            let mut weights = gradient.mapv(|_| 4.0);
            adam.update(0, &mut weights, &mut gradient);
            Ok::<f64, Error>(weights[[1, 0]])
        };
        let (first, second) = (NetworkId::next(), NetworkId::next());
        let (small, large) = (array![[0.0], [3.0]], array![[0.0, 0.0], [3.0, 3.0]]);
        for _ in 0..5 {
            train(&mut adam, first, small.clone()).unwrap();
        }
        assert!(train(&mut adam, second, small.clone()).is_err());
        let error = train(&mut adam, second, large.clone()).unwrap_err().to_string();
        assert!(
            error.contains("(2 x 1)") && error.ends_with("found 2 x 2"),
            "{error}"
        );
        assert_eq!(adam.state().steps, 5, "a refused step does not count");
        adam.reset();
        assert!(adam.state().is_empty());
        let weight = train(&mut adam, second, large).unwrap();
        assert!((weight - 3.5).abs() < 1e-8, "{weight}");
    }

    #[test]
    fn invalid_states_are_refused() {
        let state = |names: [&str; 2], steps, value| OptimizerState {
            steps,
            tensors: names.map(|name| (name.to_owned(), array![[0.0], [value]])).into(),
        };
        let restore = |state| Adam::<f64>::new(0.1).unwrap().restore(state);
        assert!(restore(state(["0.exp_avg", "0.exp_avg_sq"], 3, 1.0)).is_ok());
        assert!(restore(state(["0.exp_avg", "0.exp_avg_sq"], 0, 1.0)).is_err());
        assert!(restore(state(["0.exp_avg", "0.exp_avg_sq"], 3, -1.0)).is_err());
        assert!(restore(state(["0.momentum", "1.momentum"], 3, 1.0)).is_err());
        assert!(restore(OptimizerState::default()).is_ok());
    }

    #[test]
    fn invalid_options_are_refused() {
        let adam = || Adam::<f32>::new(0.1).unwrap();
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Adam::<f32>::new(odd).is_err());
            assert!(Adam::<f32>::adamw(odd).is_err());
            assert!(adam().epsilon(odd).is_err());
            assert!(adam().clip(Clip::PerTensor(odd)).is_err());
        }
        assert!(adam().epsilon(1e-50).is_err(), "0 as a f32");
        for odd in [-0.1, 1.0, f64::NAN] {
            assert!(adam().betas(odd, 0.5).is_err());
            assert!(adam().betas(0.5, odd).is_err());
        }
        for odd in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(adam().weight_decay(odd).is_err());
        }
        let name = |adam: Adam<f32>| Optimizer::name(&adam);
        assert_eq!(name(adam()), "Adam");
        assert_eq!(name(Adam::adamw(0.1).unwrap()), "AdamW");
    }
}
