//! A check that memory can be allocated, made before large allocations: a failed allocation would end the process.

/// Whether there is memory for an array of these sizes.
pub(crate) fn has_room<T>(sizes: &[usize]) -> bool {
    let numbers = sizes.iter().copied().try_fold(1, usize::checked_mul);
    numbers.is_some_and(|numbers| Vec::<T>::new().try_reserve_exact(numbers).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overflowing_sizes_are_refused() {
        assert!(has_room::<f64>(&[]) && has_room::<f64>(&[1000, 3]) && has_room::<f64>(&[0, usize::MAX]));
        for sizes in [&[usize::MAX][..], &[1 << 62, 4], &[1 << 62], &[1 << 40, 1 << 40]] {
            assert!(!has_room::<f32>(sizes), "{sizes:?}");
        }
    }
}
