//! What the cores can do at most: fused multiply-adds that never leave the registers.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64;
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

/// Two operations for each of `lanes` numbers in each of the sums, in every turn.
fn operations(lanes: usize) -> f64 {
    2.0 * (TURNS * SUMS * lanes) as f64
}

/// The function `$name`, and those that it chooses from: for vectors of 64 and 32 bytes.
macro_rules! work {
    ($name:ident, $type:ty,
     $avx512:ident, $set512:ident, $fma512:ident,
     $avx2:ident, $set2:ident, $fma2:ident) => {
        fn $name() -> f64 {
            #[cfg(target_arch = "x86_64")]
            {
                if is_x86_feature_detected!("avx512f") {
                    // SAFETY: the CPU has the features that the function is compiled for.
                    return unsafe { $avx512() };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the CPU has the features that the function is compiled for.
                    return unsafe { $avx2() };
                }
            }
            let (factor, term): ($type, $type) = (black_box(0.999), black_box(0.001));
            let mut sums = [[factor; 16 / size_of::<$type>()]; SUMS];
            for _ in 0..TURNS {
                for sum in &mut sums {
                    *sum = sum.map(|lane| lane.mul_add(factor, term));
                }
            }
            black_box(sums);
            operations(16 / size_of::<$type>())
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f")]
        fn $avx512() -> f64 {
            let (factor, term) = (
                x86_64::$set512(black_box(0.999)),
                x86_64::$set512(black_box(0.001)),
            );
            let mut sums = [factor; SUMS];
            for _ in 0..TURNS {
                for sum in &mut sums {
                    *sum = x86_64::$fma512(*sum, factor, term);
                }
            }
            black_box(sums);
            operations(64 / size_of::<$type>())
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn $avx2() -> f64 {
            let (factor, term) = (
                x86_64::$set2(black_box(0.999)),
                x86_64::$set2(black_box(0.001)),
            );
            let mut sums = [factor; SUMS];
            for _ in 0..TURNS {
                for sum in &mut sums {
                    *sum = x86_64::$fma2(*sum, factor, term);
                }
            }
            black_box(sums);
            operations(32 / size_of::<$type>())
        }
    };
}

work!(
    narrow,
    f32,
    narrow_avx512,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    narrow_avx2,
    _mm256_set1_ps,
    _mm256_fmadd_ps
);
work!(
    wide,
    f64,
    wide_avx512,
    _mm512_set1_pd,
    _mm512_fmadd_pd,
    wide_avx2,
    _mm256_set1_pd,
    _mm256_fmadd_pd
);
