//! Whether the memory has room for numbers, asked before they are allocated: without it, the process would end.

/// Whether there is room for so many numbers along each axis.
pub(crate) fn has_room<T>(sizes: &[usize]) -> bool {
    let numbers = sizes.iter().copied().try_fold(1, usize::checked_mul);
    numbers.is_some_and(|numbers| Vec::<T>::new().try_reserve_exact(numbers).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_multiplied_with_care() {
        assert!(has_room::<f64>(&[]) && has_room::<f64>(&[1000, 3]) && has_room::<f64>(&[0, usize::MAX]));
        for sizes in [&[usize::MAX][..], &[1 << 62, 4], &[1 << 62], &[1 << 40, 1 << 40]] {
            assert!(!has_room::<f32>(sizes), "{sizes:?}");
        }
    }
}
