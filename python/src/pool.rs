//! The pools of threads that share the work, one for each number of threads and process.

use std::sync::{Arc, Mutex, PoisonError};
use std::{env, process, thread};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The largest number of threads; more cannot help, and may not start.
const MOST_THREADS: usize = 1024;

/// A pool, and the process that its threads belong to: a forked child has the pools of its parent without their threads.
struct Pool {
    process: u32,
    threads: usize,
    pool: Arc<ThreadPool>,
}

/// Locked only by a thread that is attached to the interpreter, so that Python cannot fork meanwhile.
static POOLS: Mutex<Vec<Pool>> = Mutex::new(Vec::new());

/// Returns the pool of this many threads, which is created when first needed; `None` stands for [`default_threads`].
///
/// # Errors
///
/// `ValueError` for 0 and for more than 1,024 threads, `RuntimeError` where they cannot be started.
pub(crate) fn pool(_py: Python<'_>, threads: Option<usize>) -> PyResult<Arc<ThreadPool>> {
    let threads = threads.unwrap_or_else(default_threads);
    if !(1..=MOST_THREADS).contains(&threads) {
        let message = format!("threads = {threads}: it must be 1 to {MOST_THREADS}");
        return Err(PyValueError::new_err(message));
    }
    let process = process::id();
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = pools
        .iter()
        .find(|known| (known.process, known.threads) == (process, threads))
    {
        return Ok(Arc::clone(&known.pool));
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("mfnet-{index}"))
        .build()
        .map_err(|error| PyRuntimeError::new_err(format!("cannot start {threads} threads: {error}")))?;
    let pool = Arc::new(pool);
    pools.push(Pool {
        process,
        threads,
        pool: Arc::clone(&pool),
    });
    Ok(pool)
}

/// The number of threads by default: that of the environment variable RAYON_NUM_THREADS, else OMP_NUM_THREADS (which joblib sets
/// for its workers), else the number of CPUs that the process may use.
#[pyfunction]
pub(crate) fn default_threads() -> usize {
    let number = |name: &str| {
        let text = env::var(name).ok()?;
        let number = text.split(',').next()?.trim().parse().ok()?;
        (1..=MOST_THREADS).contains(&number).then_some(number)
    };
    let cpus = || thread::available_parallelism().map_or(1, |cpus| cpus.get().min(MOST_THREADS));
    ["RAYON_NUM_THREADS", "OMP_NUM_THREADS"]
        .into_iter()
        .find_map(number)
        .unwrap_or_else(cpus)
}
