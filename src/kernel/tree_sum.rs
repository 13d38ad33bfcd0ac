//! Sums of a few lists of numbers, element by element, along a binary tree: ((a + b) + (c + d)) and so on.

use super::lanes::Number;

/// The largest number of lists of a sum, a power of two.
pub(crate) const MOST_TERMS: usize = 8;

/// out <- alpha sum + beta out, beta being 0 or 1, where sum is that of `count` lists along the tree. List i begins at
/// `terms[i * stride]`; `count` is a power of two of at most [`MOST_TERMS`]. For [`simd`](super::simd).
#[inline(always)]
pub(crate) fn add_tree_sum<T: Number>(
    alpha: T,
    terms: &[T],
    (count, stride): (usize, usize),
    beta: T,
    out: &mut [T],
) {
    match count {
        1 => add_sums::<T, 1>(alpha, terms, stride, beta, out),
        2 => add_sums::<T, 2>(alpha, terms, stride, beta, out),
        4 => add_sums::<T, 4>(alpha, terms, stride, beta, out),
        8 => add_sums::<T, 8>(alpha, terms, stride, beta, out),
        _ => unreachable!("a tree has 1, 2, 4 or 8 leaves, not {count}"),
    }
}

/// The first list <- alpha sum, where sum is that of `count` lists along the tree. List i begins at `lists[i * stride]`, and is
/// as long; `count` is a power of two of at most [`MOST_TERMS`]. For [`simd`](super::simd).
#[inline(always)]
pub(crate) fn sum_into_first<T: Number>(alpha: T, lists: &mut [T], (count, stride): (usize, usize)) {
    match count {
        2 => sums_into_first::<T, 2>(alpha, lists, stride),
        4 => sums_into_first::<T, 4>(alpha, lists, stride),
        8 => sums_into_first::<T, 8>(alpha, lists, stride),
        _ => unreachable!("a tree of several leaves has 2, 4 or 8 of them, not {count}"),
    }
}

#[inline(always)]
fn sums_into_first<T: Number, const N: usize>(alpha: T, lists: &mut [T], stride: usize) {
    let (first, others) = lists.split_at_mut(stride);
    // The first of these stands for the list that is written.
    let others: [&[T]; N] = std::array::from_fn(|list| &others[list.saturating_sub(1) * stride..][..stride]);
    for index in 0..stride {
        let term = |list: usize| match list {
            0 => first[index],
            _ => others[list][index],
        };
        first[index] = alpha * tree_sum(std::array::from_fn::<T, N, _>(term));
    }
}

#[inline(always)]
fn add_sums<T: Number, const N: usize>(alpha: T, terms: &[T], stride: usize, beta: T, out: &mut [T]) {
    let lists: [&[T]; N] = std::array::from_fn(|list| &terms[list * stride..][..out.len()]);
    // `out` is not read where beta is 0: it may hold anything, such as NaN.
    if beta == T::zero() {
        for index in 0..out.len() {
            out[index] = alpha * tree_sum(lists.map(|list| list[index]));
        }
    } else {
        for index in 0..out.len() {
            out[index] += alpha * tree_sum(lists.map(|list| list[index]));
        }
    }
}

/// The sum of N numbers along the tree, N being a power of two.
#[inline(always)]
pub(crate) fn tree_sum<T: Number, const N: usize>(mut numbers: [T; N]) -> T {
    let mut count = N;
    while count > 1 {
        count /= 2;
        for index in 0..count {
            numbers[index] = numbers[2 * index] + numbers[2 * index + 1];
        }
    }
    numbers[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_added_first() {
        // In f32, a million and a hundredth of its last place make a million.
        let (large, small) = (1e6_f32, 0.02);
        assert_eq!(tree_sum([large, small, small, -large]), 0.0);
        assert_eq!(tree_sum([large, -large, small, small]), 0.04);
        let numbers = [3.0, 1e8, 0.7, -1e8, 0.3, 0.1, 5.0, 7e7];
        let [a, b, c, d, e, f, g, h] = numbers;
        assert_eq!(tree_sum(numbers), ((a + b) + (c + d)) + ((e + f) + (g + h)));
    }

    #[test]
    fn lists_are_added_element_by_element() {
        let terms: Vec<f64> = (0..24).map(f64::from).collect();
        for (count, sums) in [
            (1, [0.0, 1.0]),
            (2, [3.0, 5.0]),
            (4, [18.0, 22.0]),
            (8, [84.0, 92.0]),
        ] {
            let mut out = [f64::NAN; 2];
            add_tree_sum(1.0, &terms, (count, 3), 0.0, &mut out);
            assert_eq!(out, sums);
            add_tree_sum(-2.0, &terms, (count, 3), 1.0, &mut out);
            assert_eq!(out, sums.map(|sum| -sum));
            if count > 1 {
                let mut lists = terms.clone();
                sum_into_first(-2.0, &mut lists, (count, 3));
                assert_eq!(lists[..2], sums.map(|sum| -2.0 * sum));
                assert_eq!(lists[3..], terms[3..]);
            }
        }
    }
}
