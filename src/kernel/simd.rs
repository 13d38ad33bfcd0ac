//! The instruction set of our own loops, chosen at run time: users do not build with `target-cpu=native`.

use std::env;
use std::ffi::OsString;
use std::sync::atomic::{AtomicU8, Ordering};

use super::lanes::{Lanes, Number};

/// The instruction set in use, as a number; [`u8::MAX`] before the first use.
static CURRENT: AtomicU8 = AtomicU8::new(u8::MAX);

/// A loop that is written once for the registers of every instruction set.
pub(crate) trait Kernel<T: Number> {
    /// Runs the loop; inlined into a function that is compiled for the instruction set of `V`.
    fn run<V: Lanes<Number = T>>(self);
}

/// The instruction sets that our own loops are compiled for, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum InstructionSet {
    /// The instructions of every CPU of the target: registers of 16 bytes.
    Baseline,
    /// AVX2 with FMA: registers of 32 bytes.
    Avx2,
    /// AVX-512 F, VL, BW and DQ, with FMA: registers of 64 bytes.
    Avx512,
}

impl InstructionSet {
    const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// The environment variable that limits the instruction set.
    pub(crate) const VARIABLE: &str = "MFNET_INSTRUCTIONS";

    /// The name that [`InstructionSet::VARIABLE`] takes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// The best instruction set of this CPU.
    pub(crate) fn of_cpu() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("fma") {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
            {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Baseline
    }

    /// The value of [`InstructionSet::VARIABLE`]; `None` if it is unset or empty.
    pub(crate) fn variable() -> Option<OsString> {
        env::var_os(Self::VARIABLE).filter(|name| !name.is_empty())
    }

    /// The limit that the environment sets; `None` for no limit, and for a name that is not known.
    pub(crate) fn limit() -> Option<Self> {
        let name = Self::variable()?;
        Self::ALL.into_iter().find(|set| name == set.name())
    }

    /// The instruction set in use: the best of the CPU within the limit, read once.
    #[inline(always)]
    pub(crate) fn current() -> Self {
        match CURRENT.load(Ordering::Relaxed) {
            0 => Self::Baseline,
            1 => Self::Avx2,
            2 => Self::Avx512,
            _ => Self::choose(),
        }
    }

    #[cold]
    fn choose() -> Self {
        let set = Self::limit().unwrap_or(Self::Avx512).min(Self::of_cpu());
        CURRENT.store(set as u8, Ordering::Relaxed);
        set
    }

    /// The lanes of a register, and [`Lanes::TILE`].
    #[inline(always)]
    pub(super) fn lanes_and_tile<T: Number>(self) -> (usize, (usize, usize)) {
        match self {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => (T::Avx512::COUNT, T::Avx512::TILE),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => (T::Avx2::COUNT, T::Avx2::TILE),
            _ => (T::Portable::COUNT, T::Portable::TILE),
        }
    }
}

/// Runs a kernel on the widest registers of this CPU.
#[inline]
pub(crate) fn run<T: Number>(kernel: impl Kernel<T>) {
    match InstructionSet::current() {
        // SAFETY: the CPU has the features that the function is compiled for.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { run_avx512(kernel) },
        // SAFETY: the CPU has the features that the function is compiled for.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { run_avx2(kernel) },
        _ => kernel.run::<T::Portable>(),
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

/// Runs `work` compiled for the best instruction set of this CPU.
///
/// Only inlined code is compiled for it: mark the closure and the functions it calls `#[inline(always)]`.
#[inline(always)]
pub(crate) fn simd<R>(work: impl FnOnce() -> R) -> R {
    match InstructionSet::current() {
        // SAFETY: the CPU has the features that the function is compiled for.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { with_avx512(work) },
        // SAFETY: the CPU has the features that the function is compiled for.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { with_avx2(work) },
        _ => work(),
    }
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

/// Asks the CPU to load a list into its cache; never changes a result.
#[inline(always)]
pub(crate) fn prefetch<V>(list: &[V]) {
    for line in (0..size_of_val(list)).step_by(64) {
        prefetch_line(list.as_ptr().wrapping_byte_add(line));
    }
}

/// Asks the CPU to load the cache line of a place; never changes a result, wherever the place is.
#[inline(always)]
pub(super) fn prefetch_line<V>(place: *const V) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing and ignores a place that cannot be read.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast::<i8>()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}
