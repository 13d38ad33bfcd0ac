//! What the cores can do at most: fused multiply-adds that never leave the registers.

use std::hint::black_box;
use std::time::Instant;

/// GFLOP/s of all threads together in f32 and f64, the best of a few tries.
pub fn gflops() -> (f64, f64) {
    let best = |work: fn() -> f64| {
        let tries = (0..5).map(|_| {
            let rates = rayon::broadcast(|_| rate(work));
            rates.iter().sum::<f64>()
        });
        tries.fold(0.0, f64::max)
    };
    (best(narrow), best(wide))
}

/// 10^9 operations a second of work that says how many it did.
fn rate(work: fn() -> f64) -> f64 {
    let start = Instant::now();
    let operations = work();
    operations / start.elapsed().as_secs_f64() / 1e9
}

const TURNS: usize = 3_000_000;

/// Independent sums: as many as are on their way in two units of four or five cycles' latency each.
const SUMS: usize = 12;

macro_rules! work {
    ($name:ident, $avx512:ident, $avx2:ident, $type:ty) => {
        fn $name() -> f64 {
            #[cfg(target_arch = "x86_64")]
            {
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
                    // SAFETY: the CPU has the features that the function is compiled for.
                    return unsafe { $avx512() };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the CPU has the features that the function is compiled for.
                    return unsafe { $avx2() };
                }
            }
            multiply_add::<$type, { 16 / size_of::<$type>() }>()
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,fma")]
        fn $avx512() -> f64 {
            multiply_add::<$type, { 64 / size_of::<$type>() }>()
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn $avx2() -> f64 {
            multiply_add::<$type, { 32 / size_of::<$type>() }>()
        }
    };
}

work!(narrow, narrow_avx512, narrow_avx2, f32);
work!(wide, wide_avx512, wide_avx2, f64);

/// Sums of vectors of L numbers; the operations that it took.
#[inline(always)]
fn multiply_add<T: mfnet::Element, const L: usize>() -> f64 {
    let (factor, term) = (black_box(T::from_f64(0.999)), black_box(T::from_f64(0.001)));
    let mut sums = [[T::one(); L]; SUMS];
    for _ in 0..TURNS {
        for sum in &mut sums {
            for lane in sum {
                *lane = lane.mul_add(factor, term);
            }
        }
    }
    black_box(sums);
    2.0 * (TURNS * SUMS * L) as f64
}
