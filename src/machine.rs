//! Measurements of the machine's limits, to tell a slow machine from one that is used badly.
//!
//! Each function keeps all threads of rayon's current pool busy for about a quarter of a second and reports the best of
//! several attempts, since other programs that run meanwhile can only make a figure worse. `mfnet doctor` shows them all.

use std::hint::black_box;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ndarray::{Array2, ShapeBuilder};

use crate::element::Element;
use crate::error::{Error, Result};
use crate::kernel::{InstructionSet, multiply_adds, read};
use crate::pool;
use crate::product::gemm;

/// The number of attempts of a measurement, and the duration of each.
const ATTEMPTS: usize = 5;
const ATTEMPT: Duration = Duration::from_millis(50);

/// The instruction set that the loops of this crate use: `"AVX-512"`, `"AVX2"` or, for what every CPU of the target has,
/// `"baseline"`. It is the best of this CPU, unless the environment variable `MFNET_INSTRUCTIONS` limits it.
///
/// The matrix products have an instruction set of their own: see [`Blas::kernel`](crate::product::Blas::kernel).
pub fn instruction_set() -> &'static str {
    match InstructionSet::current() {
        InstructionSet::Avx512 => "AVX-512",
        InstructionSet::Avx2 => "AVX2",
        InstructionSet::Baseline => "baseline",
    }
}

/// Refuses a value of the environment variable `MFNET_INSTRUCTIONS` that is not known, or that this CPU does not have.
///
/// # Errors
///
/// [`Error::InvalidOption`](crate::Error::InvalidOption) with the names that are possible.
pub fn check_instructions() -> Result<()> {
    let Some(name) = InstructionSet::variable() else {
        return Ok(());
    };
    match InstructionSet::limit() {
        Some(limit) if limit <= InstructionSet::of_cpu() => Ok(()),
        Some(_) => {
            let expected = "an instruction set that this CPU has (or unset)";
            Err(Error::option(InstructionSet::VARIABLE, name.display(), expected))
        }
        None => Err(Error::option(
            InstructionSet::VARIABLE,
            name.display(),
            "avx512, avx2 or baseline",
        )),
    }
}

/// The largest number of floating-point operations per second that the threads reach together: multiply-adds in registers.
///
/// Only a build with full optimisation (`opt-level = 3`) reaches it.
///
/// ```
/// let peak = mfnet::internal::machine::peak_flops::<f32>();
/// assert!(peak > 0.0);
/// println!("{:.0} GFLOP/s", peak / 1e9);
/// ```
pub fn peak_flops<T: Element>() -> f64 {
    best_rate(|| (), |()| multiply_adds::<T>(4096))
}

/// Floating-point operations per second of matrix products as in training: one product in each thread.
///
/// # Shapes
///
/// 512 x 785 times 785 x 256: a layer of 512 units, and a shard of 256 samples of 784 features
pub fn product_flops<T: Element>() -> f64 {
    const SHAPE: [usize; 3] = [512, 785, 256];
    let [outputs, inputs, samples] = SHAPE;
    let matrix = |rows: usize, columns: usize| {
        Array2::from_shape_fn((rows, columns).f(), |(i, j)| T::from_f64((i + j) as f64 * 1e-3))
    };
    let weights = matrix(outputs, inputs);
    best_rate(
        || (matrix(inputs, samples), matrix(outputs, samples)),
        |(input, output)| {
            gemm(
                T::one(),
                weights.view(),
                input.view(),
                T::zero(),
                output.view_mut(),
            );
            2.0 * SHAPE.iter().product::<usize>() as f64
        },
    )
}

/// Bytes per second that the threads together read from memory.
///
/// They read 256 MiB, or 16 MiB each if that is more: beyond the caches of most machines.
pub fn memory_bandwidth() -> f64 {
    const TOTAL: usize = 256 << 20;
    const EACH: usize = 16 << 20;
    const PIECE: usize = 1 << 20;
    let numbers = (TOTAL / rayon::current_num_threads()).max(EACH) / size_of::<u64>();
    best_rate(
        // Written before it is read, since the system provides memory only then; by the thread that reads it, so that it is
        // near.
        || ((0..numbers as u64).collect::<Vec<u64>>(), 0),
        |(memory, next)| {
            let rest = &memory[*next..];
            let piece = &rest[..rest.len().min(PIECE / size_of::<u64>())];
            black_box(read(piece));
            *next = (*next + piece.len()) % memory.len();
            size_of_val(piece) as f64
        },
    )
}

/// The number of seconds to give every thread an empty task and to wait until all are done.
///
/// A training step does so several times.
pub fn fork_join_seconds() -> f64 {
    // From a thread of the pool, as a training does it.
    pool::enter(|| {
        let attempts = (0..ATTEMPTS).map(|_| {
            let (start, mut count) = (Instant::now(), 0);
            while start.elapsed() < ATTEMPT {
                rayon::broadcast(|_| black_box(()));
                count += 1;
            }
            start.elapsed().as_secs_f64() / f64::from(count)
        });
        attempts.fold(f64::INFINITY, f64::min)
    })
}

/// The best rate over all attempts: the work of all threads together, per second.
///
/// `prepare` makes the state of a thread; `work` runs for about a millisecond at most, and returns how much it did.
fn best_rate<S: Send>(prepare: impl Fn() -> S + Sync, work: impl Fn(&mut S) -> f64 + Sync) -> f64 {
    pool::enter(|| {
        let states: Vec<Mutex<S>> = rayon::broadcast(|_| Mutex::new(prepare()));
        let attempts = (0..ATTEMPTS).map(|_| {
            let start = Instant::now();
            let done = rayon::broadcast(|thread| {
                // A panic in `work` ends the measurement anyway.
                let mut state = states[thread.index()]
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                let mut done = 0.0;
                while start.elapsed() < ATTEMPT {
                    done += work(&mut state);
                }
                done
            });
            done.iter().sum::<f64>() / start.elapsed().as_secs_f64()
        });
        attempts.fold(0.0, f64::max)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_counts_the_work_of_all_threads() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let pause = Duration::from_millis(5);
        let work = |_: &mut ()| {
            std::thread::sleep(pause);
            1.0
        };
        let rate = pool.install(|| best_rate(|| (), work));
        let most = 3.0 / pause.as_secs_f64();
        assert!((0.0..=most).contains(&rate) && rate > most / 4.0, "{rate}");
    }

    #[test]
    fn each_thread_has_a_state_of_its_own() {
        let rate = best_rate(
            || 0_u32,
            |calls| {
                *calls += 1;
                f64::from(*calls == 1)
            },
        );
        let most = rayon::current_num_threads() as f64 / ATTEMPT.as_secs_f64();
        assert!(rate > 0.0 && rate <= most, "{rate}");
    }
}
