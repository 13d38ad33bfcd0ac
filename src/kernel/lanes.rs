//! The numbers of a vector register or two: plain arrays, which the compiler keeps there.

use crate::element::Element;

/// The L numbers at a place.
///
/// # Safety
///
/// They can be read there.
#[inline(always)]
pub(super) unsafe fn load<T: Copy, const L: usize>(place: *const T) -> [T; L] {
    // SAFETY: by this function's contract; an array is aligned as its element.
    unsafe { place.cast::<[T; L]>().read() }
}

/// Writes L numbers to a place.
///
/// # Safety
///
/// They can be written there.
#[inline(always)]
pub(super) unsafe fn store<T: Copy, const L: usize>(place: *mut T, numbers: [T; L]) {
    // SAFETY: by this function's contract; an array is aligned as its element.
    unsafe { place.cast::<[T; L]>().write(numbers) }
}

/// sums <- sums + x y, lane by lane.
#[inline(always)]
pub(super) fn add_products<T: Element, const L: usize>(sums: &mut [T; L], x: [T; L], y: [T; L]) {
    for l in 0..L {
        sums[l] = x[l].mul_add(y[l], sums[l]);
    }
}

/// The lanes added up in halves, as vector instructions do it.
#[inline(always)]
pub(super) fn sum_of_lanes<T: Element, const L: usize>(mut lanes: [T; L]) -> T {
    let mut half = L / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0]
}
