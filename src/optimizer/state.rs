//! What optimizers remember from step to step: tensors shaped as the weights, and how a checkpoint gets them.

use ndarray::Array2;

use super::{Gradients, NetworkId};
use crate::element::Element;
use crate::error::{Error, Result};

/// All that an optimizer knows besides its options, for a checkpoint to keep.
///
/// Default: nothing, as before the first step.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimizerState<T> {
    /// The steps taken so far, by an optimizer that counts them; 0 for the others.
    pub steps: u64,
    /// Names such as `0.momentum` or `1.exp_avg_sq`, the weight tensor's index first, and what is remembered of it.
    ///
    /// # Shapes
    ///
    /// as the weight tensor's, row 0 being 0
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

/// N tensors for each weight tensor, 0 before its first update.
#[derive(Debug, Clone)]
pub(super) struct Memory<T, const N: usize> {
    names: [&'static str; N],
    tensors: Vec<[Array2<T>; N]>,
    /// The network that the tensors are of; none before its first step, also where they come from a checkpoint.
    network: Option<NetworkId>,
}

impl<T: Element, const N: usize> Memory<T, N> {
    /// Nothing yet, to be saved under these names.
    pub(super) fn new(names: [&'static str; N]) -> Self {
        Memory {
            names,
            tensors: Vec::new(),
            network: None,
        }
    }

    /// Forgets all tensors.
    pub(super) fn reset(&mut self) {
        self.tensors.clear();
        self.network = None;
    }

    /// Refuses the gradients of another network than the one whose tensors are remembered.
    pub(super) fn check(&mut self, optimizer: &'static str, gradients: &Gradients<'_, T>) -> Result<()> {
        if self.network == Some(gradients.network()) {
            return Ok(());
        }
        let remembered = self.tensors.iter().map(|tensors| tensors[0].dim());
        let same_shapes = remembered.eq(gradients.iter().map(Array2::dim));
        if self.network.is_none() && (same_shapes || self.tensors.is_empty()) {
            self.network = Some(gradients.network());
            // Also those of layers that are frozen, and learn perhaps later.
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

    /// What is remembered of the tensor with this index, laid out as its weights; made with its first update.
    pub(super) fn of(&mut self, index: usize, weights: &Array2<T>) -> [&mut Array2<T>; N] {
        while self.tensors.len() <= index {
            self.tensors
                .push(std::array::from_fn(|_| Array2::default((0, 0))));
        }
        self.tensors[index].each_mut().map(|tensor| {
            if tensor.strides() != weights.strides() || tensor.dim() != weights.dim() {
                let mut fitting = weights.mapv(|_| T::zero());
                // From a file, it may be laid out otherwise.
                if tensor.dim() == weights.dim() {
                    fitting.assign(tensor);
                }
                *tensor = fitting;
            }
            tensor
        })
    }

    /// For a checkpoint.
    pub(super) fn save(&self) -> Vec<(String, Array2<T>)> {
        let named = |(index, tensors): (usize, &[Array2<T>; N])| {
            let names = self.names.map(|name| format!("{index}.{name}"));
            names.into_iter().zip(tensors.clone()).collect::<Vec<_>>()
        };
        self.tensors.iter().enumerate().flat_map(named).collect()
    }

    /// From a checkpoint: the tensors in any order, none missing.
    pub(super) fn restore(&mut self, optimizer: &str, saved: Vec<(String, Array2<T>)>) -> Result<()> {
        let fail = |problem: String| Error::data(format_args!("the state of {optimizer}"), problem);
        let mut places: Vec<[Option<Array2<T>>; N]> = Vec::new();
        let weights = saved.len().checked_div(N).unwrap_or_default();
        places.resize_with(weights, || std::array::from_fn(|_| None));
        for (name, tensor) in saved {
            let place = self.place(&name).and_then(|(index, kind)| {
                let place = &mut places.get_mut(index)?[kind];
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
        for (index, places) in places.into_iter().enumerate() {
            let found: Vec<Array2<T>> = places.into_iter().flatten().collect();
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

    /// The weight tensor's index, and which of the N.
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
    fn what_was_saved_is_restored_in_the_layout_of_the_weights() {
        let mut memory = Memory::new(["first", "second"]);
        let weights = Array2::<f64>::ones((3, 2).f());
        memory.of(0, &weights)[1][[2, 1]] = 5.0;
        memory.of(1, &array![[1.0, 0.0]]);
        let mut saved = memory.save();
        assert_eq!(
            saved.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["0.first", "0.second", "1.first", "1.second"]
        );
        // Row-major, and in another order.
        saved.iter_mut().for_each(|(_, tensor)| {
            *tensor = Array2::from_shape_vec(tensor.dim(), tensor.iter().copied().collect()).unwrap();
        });
        saved.reverse();
        let mut again = Memory::new(["first", "second"]);
        again.restore("test", saved).unwrap();
        let [_, second] = again.of(0, &weights);
        assert_eq!(second.strides(), weights.strides());
        assert_eq!(second[[2, 1]], 5.0);
        assert_eq!(second.sum(), 5.0);
    }

    #[test]
    fn a_state_that_does_not_fit_is_refused() {
        let restore = |saved| Memory::<f64, 2>::new(["first", "second"]).restore("test", saved);
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
        let mut memory = Memory::new(["only"]);
        memory.of(0, &array![[1.0], [2.0]])[0][[1, 0]] = 3.0;
        assert_eq!(*memory.of(0, &array![[1.0, 2.0]])[0], array![[0.0, 0.0]]);
    }
}
