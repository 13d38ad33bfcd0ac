//! The instruction set of our own loops, chosen at run time: users do not build with `target-cpu=native`.

/// Runs `work` compiled for the best instruction set of this CPU: AVX-512, AVX2 with FMA, or what the target has.
///
/// Only what is inlined is compiled so: mark the closure and the functions it calls `#[inline(always)]`.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn simd<R>(work: impl FnOnce() -> R) -> R {
    if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("fma")
    {
        // SAFETY: the CPU has the features that the function is compiled for.
        unsafe { with_avx512(work) }
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the CPU has the features that the function is compiled for.
        unsafe { with_avx2(work) }
    } else {
        work()
    }
}

/// Runs `work`; other targets have the instructions we need in their baseline.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn simd<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,fma")]
fn with_avx512<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}
