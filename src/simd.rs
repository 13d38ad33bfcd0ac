//! The instruction set of our own loops, chosen at run time.

/// Runs `work` compiled for the best instruction set of this CPU: AVX-512, AVX2 with FMA, or what the target has.
///
/// `work` and everything it calls must be inlined (`#[inline(always)]`) to be compiled so.
#[inline(always)]
pub(crate) fn simd<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
