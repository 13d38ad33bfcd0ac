//! Stochastic gradient descent.

use ndarray::Array2;

use super::clip::{factor, squared_norm};
use super::{Clip, Optimizer};
use crate::element::Element;
use crate::error::{Error, Result};

/// W <- W - rate dJ/dW, the gradient clipped if asked.
///
/// Source: report, section 5.
///
/// ```
/// use mfnet::{Clip, Sgd};
///
/// let plain = Sgd::new(0.001)?;
/// let clipped = Sgd::new(0.001)?.clip(Clip::PerTensor(1.0))?;
/// assert!(Sgd::new(f64::NAN).is_err());
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sgd {
    learning_rate: f64,
    clip: Option<Clip>,
    /// What the gradients of this step are multiplied by, where they are clipped together.
    global_factor: f64,
}

impl Sgd {
    /// Plain gradient descent with this learning rate, above 0; no clipping.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a rate that is not a finite number above 0.
    pub fn new(learning_rate: f64) -> Result<Self> {
        if !(learning_rate > 0.0 && learning_rate.is_finite()) {
            return Err(Error::option(
                "learning rate",
                learning_rate,
                "a finite number above 0",
            ));
        }
        Ok(Sgd {
            learning_rate,
            clip: None,
            global_factor: 1.0,
        })
    }

    /// Clips gradients. Default: no clipping.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a limit that is not a finite number above 0.
    pub fn clip(mut self, clip: Clip) -> Result<Self> {
        let limit = clip.limit();
        if !(limit > 0.0 && limit.is_finite()) {
            return Err(Error::option("clip norm", limit, "a finite number above 0"));
        }
        self.clip = Some(clip);
        Ok(self)
    }
}

impl<T: Element> Optimizer<T> for Sgd {
    fn plain_rate(&self) -> Option<f64> {
        self.clip.is_none().then_some(self.learning_rate)
    }

    fn start_step(&mut self, gradients: &mut dyn Iterator<Item = &Array2<T>>) {
        if let Some(Clip::Global(limit)) = self.clip {
            self.global_factor = factor(limit, gradients.map(squared_norm).sum());
        }
    }

    fn update(&mut self, _index: usize, weights: &mut Array2<T>, gradient: &mut Array2<T>) {
        let factor = match self.clip {
            None => 1.0,
            Some(Clip::PerTensor(limit)) => factor(limit, squared_norm(gradient)),
            Some(Clip::Global(_)) => self.global_factor,
        };
        weights.scaled_add(T::from_f64(-self.learning_rate * factor), gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn step(mut sgd: Sgd, gradients: [Array2<f64>; 2]) -> [f64; 2] {
        let mut gradients = gradients;
        sgd.start_step(&mut gradients.iter());
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

    #[test]
    fn odd_options_are_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Sgd::new(rate).is_err());
            assert!(Sgd::new(1.0).unwrap().clip(Clip::Global(rate)).is_err());
        }
    }
}
