//! The instruction set of our own loops, chosen at run time: users do not build with `target-cpu=native`.

use super::lanes::{Lanes, Number};

/// A loop that is written once for the registers of every instruction set.
pub(crate) trait Kernel<T: Number> {
    /// Runs the loop; inlined into a function that is compiled for the instruction set of `V`.
    fn run<V: Lanes<Number = T>>(self);
}

/// Runs a kernel on the widest registers of this CPU: those of AVX-512, of AVX2 with FMA, or what every CPU has.
#[inline]
pub(crate) fn run<T: Number>(kernel: impl Kernel<T>) {
    #[cfg(target_arch = "x86_64")]
    match instruction_set() {
        // SAFETY: the CPU has the features that the function is compiled for.
        InstructionSet::Avx512 => unsafe { run_avx512(kernel) },
        // SAFETY: as above.
        InstructionSet::Avx2 => unsafe { run_avx2(kernel) },
        InstructionSet::Baseline => kernel.run::<T::Portable>(),
    }
    #[cfg(not(target_arch = "x86_64"))]
    kernel.run::<T::Portable>();
}

/// Runs a plain loop, for the compiler to make use of the CPU's best instruction set.
///
/// Only what is inlined is compiled so: mark the closure and the functions it calls `#[inline(always)]`.
#[inline(always)]
pub(crate) fn simd<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    match instruction_set() {
        // SAFETY: the CPU has the features that the function is compiled for.
        InstructionSet::Avx512 => unsafe { with_avx512(work) },
        // SAFETY: as above.
        InstructionSet::Avx2 => unsafe { with_avx2(work) },
        InstructionSet::Baseline => work(),
    }
    #[cfg(not(target_arch = "x86_64"))]
    work()
}

#[cfg(target_arch = "x86_64")]
enum InstructionSet {
    Avx512,
    Avx2,
    Baseline,
}

/// What this CPU has; the standard library remembers the answers.
#[cfg(target_arch = "x86_64")]
#[inline]
fn instruction_set() -> InstructionSet {
    if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("fma")
    {
        InstructionSet::Avx512
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        InstructionSet::Avx2
    } else {
        InstructionSet::Baseline
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,fma")]
fn run_avx512<T: Number>(kernel: impl Kernel<T>) {
    kernel.run::<T::Avx512>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<T: Number>(kernel: impl Kernel<T>) {
    kernel.run::<T::Avx2>();
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
