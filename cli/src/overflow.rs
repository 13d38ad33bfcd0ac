//! The warning that predictions are infinite: a network that learned logarithms may predict one without a finite exponential.

use mfnet::Element;
use ndarray::ArrayView2;

use super::console;

/// The infinite predictions among those of some samples, which come a part at a time.
#[derive(Debug, Default)]
pub(super) struct Overflow {
    samples: usize,
    count: usize,
    /// Sample and target of the first, counted from 0.
    first: Option<(usize, usize)>,
}

impl Overflow {
    /// Counts the infinite ones among the next predictions, samples x targets.
    pub(super) fn observe<T: Element>(&mut self, predictions: ArrayView2<'_, T>) {
        for ((sample, target), _) in predictions
            .indexed_iter()
            .filter(|(_, value)| value.is_infinite())
        {
            self.count += 1;
            self.first.get_or_insert((self.samples + sample, target));
        }
        self.samples += predictions.nrows();
    }

    /// Warns if a prediction is infinite; `sample` is the word for a sample, and `name` the name of a target.
    pub(super) fn warn(&self, sample: &str, name: impl Fn(usize) -> String) {
        let Some((first, target)) = self.first else {
            return;
        };
        let others = match self.count - 1 {
            0 => String::new(),
            1 => ", and so is another one".to_owned(),
            others => format!(", and so are {others} others"),
        };
        console::note(&format!(
            "warning: the prediction of `{}` for {sample} {} is infinite{others}: the model predicts its logarithm, and the \
             exponential of this one is beyond the largest number; look for features that are far from those of the training \
             samples",
            name(target),
            first + 1
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_first_is_counted_over_all_parts() {
        let mut overflow = Overflow::default();
        overflow.observe(array![[1.0, 2.0], [3.0, f64::NAN]].view());
        assert_eq!(overflow.first, None);
        overflow.observe(array![[1.0, f64::INFINITY], [f64::INFINITY, 1.0]].view());
        assert_eq!((overflow.first, overflow.count), (Some((2, 1)), 2));
    }
}
