//! One pass over a weight tensor and all that belongs to it, shared among rayon's threads.

use std::slice;

use ndarray::Array2;

use crate::element::Element;
use crate::kernel::simd;
use crate::pool;

/// Numbers that lie side by side, and what belongs to each: its gradient, and N numbers that the optimizer remembers.
pub(super) struct Span<'a, T, const N: usize> {
    pub(super) weights: &'a mut [T],
    pub(super) gradient: &'a [T],
    pub(super) memory: [&'a mut [T]; N],
}

/// Up to so many numbers are one thread's: waking another costs more than it gains.
const PIECE: usize = 1 << 15;

/// Updates all of a tensor but its constant row 0, span by span; tells of each whether weight decay is for it: it is not
/// for the biases, column 0.
///
/// `update` must be `#[inline(always)]`, to be compiled for the CPU's best instructions. Cuts are by shape alone, and
/// what becomes of a number must not depend on them.
#[inline(always)]
pub(super) fn sweep<T: Element, const N: usize>(
    weights: &mut Array2<T>,
    gradient: &Array2<T>,
    memory: [&mut Array2<T>; N],
    update: impl Fn(Span<'_, T, N>, bool) + Sync,
) {
    let (rows, columns) = weights.dim();
    let row_major = weights.is_standard_layout();
    let alike = gradient.dim() == weights.dim()
        && gradient.strides() == weights.strides()
        && memory.iter().all(|tensor| tensor.strides() == weights.strides());
    if !alike || !(row_major || weights.t().is_standard_layout()) {
        return one_by_one(weights, gradient, memory, update);
    }
    const CONTIGUOUS: &str = "an array in standard layout, or one laid out alike, is contiguous";
    let span = Span {
        weights: weights.as_slice_memory_order_mut().expect(CONTIGUOUS),
        gradient: gradient.as_slice_memory_order().expect(CONTIGUOUS),
        memory: memory.map(|tensor| tensor.as_slice_memory_order_mut().expect(CONTIGUOUS)),
    };
    // A line is a row or a column, whichever lies side by side.
    let length = if row_major { columns } else { rows };
    let lines = |span: Span<'_, T, N>, first: usize| {
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
        return lines(span, 0);
    }
    pool::enter(|| share(span, length, 0, &lines));
}

/// Halves a span between two lines until the pieces are small.
fn share<T: Element, const N: usize>(
    span: Span<'_, T, N>,
    length: usize,
    first: usize,
    lines: &(impl Fn(Span<'_, T, N>, usize) + Sync),
) {
    if span.is_one_piece(length) {
        return lines(span, first);
    }
    let half = span.weights.len() / length / 2;
    let (head, tail) = span.split_at(half * length);
    rayon::join(
        || share(head, length, first, lines),
        || share(tail, length, first + half, lines),
    );
}

/// For tensors that are laid out in different ways, as no layer of this crate has them.
fn one_by_one<T: Element, const N: usize>(
    weights: &mut Array2<T>,
    gradient: &Array2<T>,
    mut memory: [&mut Array2<T>; N],
    update: impl Fn(Span<'_, T, N>, bool),
) {
    for ((row, column), weight) in weights.indexed_iter_mut().filter(|((row, _), _)| *row > 0) {
        let span = Span {
            weights: slice::from_mut(weight),
            gradient: slice::from_ref(&gradient[[row, column]]),
            memory: memory
                .each_mut()
                .map(|tensor| slice::from_mut(&mut tensor[[row, column]])),
        };
        update(span, column > 0);
    }
}

impl<T, const N: usize> Span<'_, T, N> {
    /// Whether it is one thread's; a line is never cut.
    fn is_one_piece(&self, length: usize) -> bool {
        self.weights.len() <= PIECE.max(length)
    }

    /// The first `count` numbers, and the others.
    #[inline(always)]
    fn split_at(self, count: usize) -> (Self, Self) {
        let (weights, other_weights) = self.weights.split_at_mut(count);
        let (gradient, other_gradient) = self.gradient.split_at(count);
        let mut others: [&mut [T]; N] = std::array::from_fn(|_| Default::default());
        let mut places = others.iter_mut();
        let memory = self.memory.map(|numbers| {
            let (first, other) = numbers.split_at_mut(count);
            if let Some(place) = places.next() {
                *place = other;
            }
            first
        });
        let first = Span {
            weights,
            gradient,
            memory,
        };
        let other = Span {
            weights: other_weights,
            gradient: other_gradient,
            memory: others,
        };
        (first, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ShapeBuilder;

    /// Every weight counts its visits, of both kinds, and gets its gradient and what is remembered of it.
    fn visit(weights: &mut Array2<f64>, gradient: &Array2<f64>, memory: [&mut Array2<f64>; 2]) {
        sweep(
            weights,
            gradient,
            memory,
            #[inline(always)]
            |span, decays| {
                let [first, second] = span.memory;
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
        // The last are for several threads; one of them is a few lines that are longer than a piece.
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
