//! The table of the optimizers, by the names that users write.

use super::{Adam, Clip, Optimizer, RmsProp, Sgd};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::names::{self, Named};

/// The options of the optimizers. An optimizer created [by name](by_name) refuses options that it does not have.
///
/// Default: each optimizer's own.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct OptimizerOptions {
    /// The learning rate; by default 0.01 for SGD, 0.001 for the others.
    pub learning_rate: Option<f64>,
    /// The momentum of SGD and RMSprop.
    pub momentum: Option<f64>,
    /// Whether the momentum of SGD is Nesterov's.
    pub nesterov: bool,
    /// The weight decay.
    pub weight_decay: Option<f64>,
    /// The clipping of gradients.
    pub clip: Option<Clip>,
}

impl OptimizerOptions {
    /// Refuses a momentum.
    fn without_momentum(&self) -> Result<()> {
        const EXPECTED: &str = "left out with an optimizer that has a momentum of its own";
        match self.momentum {
            Some(momentum) => Err(Error::option("momentum", momentum, EXPECTED)),
            None => self.without_nesterov(),
        }
    }

    /// Refuses Nesterov's momentum.
    fn without_nesterov(&self) -> Result<()> {
        match self.nesterov {
            true => Err(Error::option("nesterov", true, "left out with this optimizer")),
            false => Ok(()),
        }
    }
}

/// A function that creates an optimizer with these options.
type Make<T> = fn(&OptimizerOptions) -> Result<Box<dyn Optimizer<T>>>;

/// All optimizers, by the names that users write.
fn table<T: Element>() -> [(Named, Make<T>); 4] {
    [
        (
            Named::new("sgd", "Stochastic gradient descent, with momentum if asked for"),
            sgd,
        ),
        (
            Named::new("adam", "Adam, whose weight decay is an L2 penalty"),
            |options| adam(Adam::new(options.learning_rate.unwrap_or(0.001))?, options),
        ),
        (
            Named::new("adamw", "Adam with decoupled weight decay, 0.01 by default"),
            |options| adam(Adam::adamw(options.learning_rate.unwrap_or(0.001))?, options),
        ),
        (
            Named::new("rmsprop", "RMSprop, with momentum if asked for"),
            rmsprop,
        ),
    ]
}

fn sgd<T: Element>(options: &OptimizerOptions) -> Result<Box<dyn Optimizer<T>>> {
    let mut sgd = Sgd::new(options.learning_rate.unwrap_or(0.01))?;
    if let Some(momentum) = options.momentum {
        sgd = sgd.momentum(momentum)?;
    }
    sgd = sgd.nesterov(options.nesterov);
    if options.nesterov && options.momentum.is_none_or(|momentum| momentum == 0.0) {
        return Err(Error::option("momentum", 0, "above 0 for Nesterov's momentum"));
    }
    if let Some(decay) = options.weight_decay {
        sgd = sgd.weight_decay(decay)?;
    }
    if let Some(clip) = options.clip {
        sgd = sgd.clip(clip)?;
    }
    Ok(Box::new(sgd))
}

fn adam<T: Element>(mut adam: Adam<T>, options: &OptimizerOptions) -> Result<Box<dyn Optimizer<T>>> {
    options.without_momentum()?;
    if let Some(decay) = options.weight_decay {
        adam = adam.weight_decay(decay)?;
    }
    if let Some(clip) = options.clip {
        adam = adam.clip(clip)?;
    }
    Ok(Box::new(adam))
}

fn rmsprop<T: Element>(options: &OptimizerOptions) -> Result<Box<dyn Optimizer<T>>> {
    options.without_nesterov()?;
    let mut rmsprop = RmsProp::new(options.learning_rate.unwrap_or(0.001))?;
    if let Some(momentum) = options.momentum {
        rmsprop = rmsprop.momentum(momentum)?;
    }
    if let Some(decay) = options.weight_decay {
        rmsprop = rmsprop.weight_decay(decay)?;
    }
    if let Some(clip) = options.clip {
        rmsprop = rmsprop.clip(clip)?;
    }
    Ok(Box::new(rmsprop))
}

/// The names of all optimizers.
pub fn names() -> Vec<Named> {
    table::<f32>().map(|(named, _)| named).to_vec()
}

/// Creates the optimizer of this name, with these options.
///
/// # Errors
///
/// [`Error::InvalidData`] for an unknown name, with the known ones; [`Error::InvalidOption`] for an option that the
/// optimizer does not have, and for a number that is out of its range.
///
/// ```
/// use mfnet::optimizer::{self, OptimizerOptions};
///
/// let mut options = OptimizerOptions::default();
/// options.momentum = Some(0.9);
/// let sgd = optimizer::by_name::<f32>("sgd", &options)?;
/// assert_eq!((sgd.name(), sgd.learning_rate()), ("SGD", 0.01));
/// assert!(optimizer::by_name::<f32>("adam", &options).is_err());
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn by_name<T: Element>(name: &str, options: &OptimizerOptions) -> Result<Box<dyn Optimizer<T>>> {
    let (make, _) = names::find("optimizer", name, &table())?;
    make(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_makes_an_optimizer_with_its_options() {
        let options = OptimizerOptions {
            learning_rate: Some(0.125),
            weight_decay: Some(0.375),
            clip: Some(Clip::Global(0.625)),
            ..OptimizerOptions::default()
        };
        for named in names() {
            let optimizer = by_name::<f64>(named.name, &options).unwrap();
            assert_eq!(optimizer.learning_rate(), 0.125, "{named}");
            let all = format!("{optimizer:?}");
            assert!(all.contains("0.375") && all.contains("0.625"), "{all}");
            for odd in [
                OptimizerOptions {
                    learning_rate: Some(-1.0),
                    ..options
                },
                OptimizerOptions {
                    weight_decay: Some(-1.0),
                    ..options
                },
                OptimizerOptions {
                    clip: Some(Clip::Global(-1.0)),
                    ..options
                },
                OptimizerOptions {
                    nesterov: true,
                    ..options
                },
                OptimizerOptions {
                    momentum: Some(1.0),
                    ..options
                },
            ] {
                assert!(by_name::<f64>(named.name, &odd).is_err(), "{named} {odd:?}");
            }
        }
    }

    #[test]
    fn a_momentum_is_kept_or_refused() {
        let swift = OptimizerOptions {
            momentum: Some(0.875),
            nesterov: true,
            ..OptimizerOptions::default()
        };
        let sgd = by_name::<f32>("sgd", &swift).unwrap();
        let all = format!("{sgd:?}");
        assert!(all.contains("0.875") && all.contains("nesterov: true"), "{all}");
        for adaptive in ["adam", "adamw"] {
            assert!(by_name::<f32>(adaptive, &swift).is_err());
        }
    }
}
