//! One pass over a weight tensor, its gradient and its optimizer state, shared among rayon's threads.

use std::slice;

use ndarray::Array2;

use crate::element::Element;
use crate::kernel::simd;
use crate::pool;
use crate::timing;

/// Contiguous elements of a weight tensor, with those of its gradient and of its N state tensors.
pub(super) struct Span<'a, T, const N: usize> {
    pub(super) weights: &'a mut [T],
    pub(super) gradient: &'a [T],
    pub(super) state: [&'a mut [T]; N],
}

/// The largest number of elements that one task updates: waking a thread for fewer costs more than it gains.
const PIECE: usize = 1 << 15;

/// Updates a weight tensor except for its constant row 0, span by span. The second argument of `update` says whether weight
/// decay applies to the span: it does not to the biases, column 0.
///
/// `update` must be `#[inline(always)]`, to be compiled for the CPU's best instructions. Spans are cut by shape alone, and
/// the update of an element must not depend on the cuts.
#[inline(always)]
pub(super) fn sweep<T: Element, const N: usize>(
    weights: &mut Array2<T>,
    gradient: &Array2<T>,
    state: [&mut Array2<T>; N],
    update: impl Fn(Span<'_, T, N>, bool) + Sync,
) {
    let (rows, columns) = weights.dim();
    let row_major = weights.is_standard_layout();
    let alike = gradient.dim() == weights.dim()
        && gradient.strides() == weights.strides()
        && state.iter().all(|tensor| tensor.strides() == weights.strides());
    if !alike || !(row_major || weights.t().is_standard_layout()) {
        return update_elements(weights, gradient, state, update);
    }
    const CONTIGUOUS: &str = "an array in standard layout, or one laid out alike, is contiguous";
    let span = Span {
        weights: weights.as_slice_memory_order_mut().expect(CONTIGUOUS),
        gradient: gradient.as_slice_memory_order().expect(CONTIGUOUS),
        state: state.map(|tensor| tensor.as_slice_memory_order_mut().expect(CONTIGUOUS)),
    };
    // A line is a row or a column, whichever is contiguous.
    let length = if row_major { columns } else { rows };
    let update_lines = |span: Span<'_, T, N>, first: usize| {
        simd(
            #[inline(always)]
            || {
                let (mut rest, mut index) = (span, first);
                while !rest.weights.is_empty() {
                    let (line, others) = rest.split_at(length);
                    let (start, line) = line.split_at(1);
                    match row_major {
                        true if index == 0 => {}
                        true => {
                            update(start, false);
                            update(line, true);
                        }
                        false => update(line, index > 0),
                    }
                    (rest, index) = (others, index + 1);
                }
            },
        );
    };
    if span.is_one_piece(length) {
        return update_lines(span, 0);
    }
    timing::phase("update", true, || {
        pool::enter(|| update_in_parallel(span, length, 0, &update_lines));
    });
}

/// Halves a span between two lines until the pieces are small, and updates them in parallel.
fn update_in_parallel<T: Element, const N: usize>(
    span: Span<'_, T, N>,
    length: usize,
    first: usize,
    update_lines: &(impl Fn(Span<'_, T, N>, usize) + Sync),
) {
    if span.is_one_piece(length) {
        return timing::task(|| update_lines(span, first));
    }
    let half = span.weights.len() / length / 2;
    let (head, tail) = span.split_at(half * length);
    rayon::join(
        || update_in_parallel(head, length, first, update_lines),
        || update_in_parallel(tail, length, first + half, update_lines),
    );
}

/// Updates element by element, for tensors whose layouts differ; no layer of this crate has such.
fn update_elements<T: Element, const N: usize>(
    weights: &mut Array2<T>,
    gradient: &Array2<T>,
    mut state: [&mut Array2<T>; N],
    update: impl Fn(Span<'_, T, N>, bool),
) {
    for ((row, column), weight) in weights.indexed_iter_mut().filter(|((row, _), _)| *row > 0) {
        let span = Span {
            weights: slice::from_mut(weight),
            gradient: slice::from_ref(&gradient[[row, column]]),
            state: state
                .each_mut()
                .map(|tensor| slice::from_mut(&mut tensor[[row, column]])),
        };
        update(span, column > 0);
    }
}

impl<T, const N: usize> Span<'_, T, N> {
    /// Whether one task updates the span; a line is never cut.
    fn is_one_piece(&self, length: usize) -> bool {
        self.weights.len() <= PIECE.max(length)
    }

    /// Splits off the first `count` elements.
    #[inline(always)]
    fn split_at(self, count: usize) -> (Self, Self) {
        let (weights, other_weights) = self.weights.split_at_mut(count);
        let (gradient, other_gradient) = self.gradient.split_at(count);
        let mut others: [&mut [T]; N] = std::array::from_fn(|_| Default::default());
        let mut places = others.iter_mut();
        let state = self.state.map(|numbers| {
            let (first, other) = numbers.split_at_mut(count);
            if let Some(place) = places.next() {
                *place = other;
            }
            first
        });
        let first = Span {
            weights,
            gradient,
            state,
        };
        let other = Span {
            weights: other_weights,
            gradient: other_gradient,
            state: others,
        };
        (first, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ShapeBuilder;

    /// Adds to each weight its gradient and a number that shows whether it decays; counts the visits in the first state
    /// tensor and adds the gradient to the second.
    fn visit(weights: &mut Array2<f64>, gradient: &Array2<f64>, state: [&mut Array2<f64>; 2]) {
        sweep(
            weights,
            gradient,
            state,
            #[inline(always)]
            |span, decays| {
                let [first, second] = span.state;
                let numbers = span.weights.iter_mut().zip(span.gradient).zip(first).zip(second);
                for (((weight, &gradient), first), second) in numbers {
                    *weight += gradient + if decays { 0.5 } else { 0.25 };
                    *first += 1.0;
                    *second += gradient;
                }
            },
        );
    }

    #[test]
    fn every_number_is_visited_once_in_every_layout() {
        // The last two shapes are for several threads; the lines of the very last are longer than a piece.
        for shape in [(1, 3), (2, 1), (2, 2), (3, 4), (5, 2), (300, 200), (3, 40_000)] {
            for layouts in [[false, false], [true, true], [true, false], [false, true]] {
                let number = |row: usize, column: usize| (row * 1000 + column) as f64;
                let make = |column_major| {
                    let mut array = Array2::zeros(shape.set_f(column_major));
                    array
                        .indexed_iter_mut()
                        .for_each(|((row, column), value)| *value = number(row, column));
                    array
                };
                let [mut weights, gradient] = layouts.map(make);
                let (mut first, mut second) = (weights.mapv(|_| 0.0), weights.mapv(|_| 0.0));
                visit(&mut weights, &gradient, [&mut first, &mut second]);
                for ((row, column), &weight) in weights.indexed_iter() {
                    let number = number(row, column);
                    let at = [row, column];
                    let expected = match (row, column) {
                        (0, _) => [number, 0.0, 0.0],
                        (_, 0) => [2.0 * number + 0.25, 1.0, number],
                        _ => [2.0 * number + 0.5, 1.0, number],
                    };
                    assert_eq!(
                        [weight, first[at], second[at]],
                        expected,
                        "{shape:?} {layouts:?} {at:?}"
                    );
                }
            }
        }
    }
}
