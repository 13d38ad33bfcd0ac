//! The state of optimizers: tensors with the shapes of the weights, and how a checkpoint saves and restores them.

use ndarray::Array2;

use super::{Gradients, NetworkId};
use crate::element::Element;
use crate::error::{Error, Result};

/// The state of an optimizer, which a checkpoint stores besides its options.
///
/// Default: empty, as before the first step.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimizerState<T> {
    /// The number of steps taken so far; 0 for an optimizer that does not count them.
    pub steps: u64,
    /// Names and tensors. A name such as `0.momentum` or `1.exp_avg_sq` begins with the index of the weight tensor.
    ///
    /// # Shapes
    ///
    /// those of the weight tensor, row 0 being 0
    pub tensors: Vec<(String, Array2<T>)>,
}

impl<T> Default for OptimizerState<T> {
    fn default() -> Self {
        OptimizerState {
            steps: 0,
            tensors: Vec::new(),
        }
    }
}

impl<T> OptimizerState<T> {
    /// Whether there is nothing to restore.
    pub fn is_empty(&self) -> bool {
        self.steps == 0 && self.tensors.is_empty()
    }
}

/// N state tensors for each weight tensor, 0 before its first update.
#[derive(Debug, Clone)]
pub(super) struct StateTensors<T, const N: usize> {
    names: [&'static str; N],
    tensors: Vec<[Array2<T>; N]>,
    /// The network that the tensors belong to; `None` before its first step, also if they come from a checkpoint.
    network: Option<NetworkId>,
}

impl<T: Element, const N: usize> StateTensors<T, N> {
    /// Creates an empty state, whose tensors are saved under these names.
    pub(super) fn new(names: [&'static str; N]) -> Self {
        StateTensors {
            names,
            tensors: Vec::new(),
            network: None,
        }
    }

    /// Removes all tensors.
    pub(super) fn reset(&mut self) {
        self.tensors.clear();
        self.network = None;
    }

    /// Refuses the gradients of another network than the one that the tensors belong to.
    pub(super) fn check(&mut self, optimizer: &'static str, gradients: &Gradients<'_, T>) -> Result<()> {
        if self.network == Some(gradients.network()) {
            return Ok(());
        }
        let remembered = self.tensors.iter().map(|tensors| tensors[0].dim());
        let same_shapes = remembered.eq(gradients.iter().map(Array2::dim));
        if self.network.is_none() && (same_shapes || self.tensors.is_empty()) {
            self.network = Some(gradients.network());
            // For frozen layers too, which may be trained later.
            for (index, gradient) in gradients.iter().enumerate() {
                self.of(index, gradient);
            }
            return Ok(());
        }
        if same_shapes {
            let problem = "it remembers another network of the same shapes: Optimizer::reset starts it anew";
            return Err(Error::data(optimizer, problem));
        }
        let listed = |shapes: &mut dyn Iterator<Item = (usize, usize)>| {
            let shapes: Vec<String> = shapes
                .map(|(rows, columns)| format!("{rows} x {columns}"))
                .collect();
            shapes.join(", ")
        };
        Err(Error::shape(
            optimizer,
            format_args!(
                "gradients of the network it remembers ({}); Optimizer::reset starts it anew",
                listed(&mut self.tensors.iter().map(|tensors| tensors[0].dim()))
            ),
            listed(&mut gradients.iter().map(Array2::dim)),
        ))
    }

    /// The state tensors of the weight tensor with this index, in the layout of the weights; created if missing.
    pub(super) fn of(&mut self, index: usize, weights: &Array2<T>) -> [&mut Array2<T>; N] {
        while self.tensors.len() <= index {
            self.tensors
                .push(std::array::from_fn(|_| Array2::default((0, 0))));
        }
        self.tensors[index].each_mut().map(|tensor| {
            if tensor.strides() != weights.strides() || tensor.dim() != weights.dim() {
                let mut fitting = weights.mapv(|_| T::zero());
                // A tensor from a file may have another layout.
                if tensor.dim() == weights.dim() {
                    fitting.assign(tensor);
                }
                *tensor = fitting;
            }
            tensor
        })
    }

    /// Returns all tensors with their names, for a checkpoint.
    pub(super) fn save(&self) -> Vec<(String, Array2<T>)> {
        let named = |(index, tensors): (usize, &[Array2<T>; N])| {
            let names = self.names.map(|name| format!("{index}.{name}"));
            names.into_iter().zip(tensors.clone()).collect::<Vec<_>>()
        };
        self.tensors.iter().enumerate().flat_map(named).collect()
    }

    /// Restores the tensors of a checkpoint, in any order; none may be missing.
    pub(super) fn restore(&mut self, optimizer: &str, saved: Vec<(String, Array2<T>)>) -> Result<()> {
        let fail = |problem: String| Error::data(format_args!("the state of {optimizer}"), problem);
        let mut slots: Vec<[Option<Array2<T>>; N]> = Vec::new();
        let weights = saved.len().checked_div(N).unwrap_or_default();
        slots.resize_with(weights, || std::array::from_fn(|_| None));
        for (name, tensor) in saved {
            let place = self.place(&name).and_then(|(index, kind)| {
                let place = &mut slots.get_mut(index)?[kind];
                place.is_none().then_some(place)
            });
            let Some(place) = place else {
                return Err(fail(format!("there is no place for the tensor `{name}`")));
            };
            if !tensor.iter().all(|value| value.is_finite()) {
                return Err(fail(format!("`{name}` holds a number that is not finite")));
            }
            *place = Some(tensor);
        }
        let mut tensors = Vec::with_capacity(weights);
        for (index, slots) in slots.into_iter().enumerate() {
            let found: Vec<Array2<T>> = slots.into_iter().flatten().collect();
            let shape = found.first().map(Array2::dim);
            match <[Array2<T>; N]>::try_from(found) {
                Ok(found) if found.iter().all(|tensor| Some(tensor.dim()) == shape) => tensors.push(found),
                Ok(_) => return Err(fail(format!("the tensors of {index} are of unequal shapes"))),
                Err(_) => return Err(fail(format!("tensors of {index} are missing"))),
            }
        }
        self.tensors = tensors;
        self.network = None;
        Ok(())
    }

    /// Parses a tensor's name into the index of the weight tensor and that of the name among the N.
    fn place(&self, name: &str) -> Option<(usize, usize)> {
        let (index, kind) = name.split_once('.')?;
        let kind = self.names.iter().position(|&own| own == kind)?;
        Some((index.parse().ok()?, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{ShapeBuilder, array};

    fn named(names: &[&str]) -> Vec<(String, Array2<f64>)> {
        let tensor = |(value, name): (usize, &&str)| ((*name).to_owned(), array![[0.0], [value as f64]]);
        names.iter().enumerate().map(tensor).collect()
    }

    #[test]
    fn tensors_are_restored_in_the_layout_of_the_weights() {
        let mut state = StateTensors::new(["first", "second"]);
        let weights = Array2::<f64>::ones((3, 2).f());
        state.of(0, &weights)[1][[2, 1]] = 5.0;
        state.of(1, &array![[1.0, 0.0]]);
        let mut saved = state.save();
        assert_eq!(
            saved.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["0.first", "0.second", "1.first", "1.second"]
        );
        // Row-major, and in another order.
        saved.iter_mut().for_each(|(_, tensor)| {
            *tensor = Array2::from_shape_vec(tensor.dim(), tensor.iter().copied().collect()).unwrap();
        });
        saved.reverse();
        let mut again = StateTensors::new(["first", "second"]);
        again.restore("test", saved).unwrap();
        let [_, second] = again.of(0, &weights);
        assert_eq!(second.strides(), weights.strides());
        assert_eq!(second[[2, 1]], 5.0);
        assert_eq!(second.sum(), 5.0);
    }

    #[test]
    fn a_state_that_does_not_fit_is_refused() {
        let restore = |saved| StateTensors::<f64, 2>::new(["first", "second"]).restore("test", saved);
        assert!(restore(named(&["0.first", "0.second"])).is_ok());
        for names in [
            &["0.first"][..],
            &["0.first", "0.third"],
            &["0.first", "1.second"],
            &["0.first", "0.first"],
            &["0.first", "second"],
            &["x.first", "0.second"],
            &["0.first", "18446744073709551616.second"],
        ] {
            let error = restore(named(names)).unwrap_err();
            assert!(error.to_string().contains("the state of test"), "{error}");
        }
        let mut unequal = named(&["0.first", "0.second"]);
        unequal[1].1 = array![[1.0, 2.0]];
        assert!(restore(unequal).is_err());
        let mut infinite = named(&["0.first", "0.second"]);
        infinite[1].1[[1, 0]] = f64::INFINITY;
        assert!(restore(infinite).is_err());
    }

    #[test]
    fn a_tensor_of_another_shape_starts_anew() {
        let mut state = StateTensors::new(["only"]);
        state.of(0, &array![[1.0], [2.0]])[0][[1, 0]] = 3.0;
        assert_eq!(*state.of(0, &array![[1.0, 2.0]])[0], array![[0.0, 0.0]]);
    }
}
