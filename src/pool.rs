//! The threads that share the work: those of rayon's current pool or, in a forked process, of a pool of its own.
//!
//! A fork copies the memory of a process but only the thread that called it. A child has rayon's pool without its threads,
//! and would wait for them for ever.

use std::process;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// The id of the process that entered the pool first.
static FIRST: OnceLock<u32> = OnceLock::new();

/// The pool of a forked process and the id of that process, which may be forked in its turn.
static OWN: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// Runs work on a thread of the pool, from which parallel work starts at the least cost and without allocation.
///
/// Stays on the current thread if that is one of the pool.
pub(crate) fn enter<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if rayon::current_thread_index().is_some() {
        return work();
    }
    let process = process::id();
    if *FIRST.get_or_init(|| process) == process {
        return rayon::join(|| (), work).1;
    }
    if let Some(pool) = own(process) {
        return pool.install(work);
    }
    // No thread can be started: the current thread becomes a pool of its own, for good.
    let _alone = ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build();
    work()
}

/// The pool of a forked process; `None` if no thread can be started.
fn own(process: u32) -> Option<Arc<ThreadPool>> {
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((owner, pool)) = &*own
        && *owner == process
    {
        return Some(Arc::clone(pool));
    }
    let threads = rayon::current_num_threads();
    let pool = Arc::new(ThreadPoolBuilder::new().num_threads(threads).build().ok()?);
    *own = Some((process, Arc::clone(&pool)));
    Some(pool)
}
