//! The threads that share the work: those of rayon's current pool, or, in a process that was forked, of a pool of its own.
//!
//! A fork copies the memory of a process but only the one thread that called for it: a child finds rayon's pool as its
//! parent left it, without the threads, and would wait for them for ever.

use std::process;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// The process in which work was handed out first.
static FIRST: OnceLock<u32> = OnceLock::new();

/// The pool of a forked process, and which process that is: it may be forked in its turn.
static OWN: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// Does work on a thread of the pool, where handing out more of it costs least and allocates nothing.
///
/// Work that is on such a thread already stays there.
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
    // With no other thread to be had this one is a pool of its own, and from now on stays one.
    let _alone = ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build();
    work()
}

/// The pool of a process that was forked; none where no thread can be started.
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
