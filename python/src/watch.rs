//! Work that the user can interrupt: it runs in a pool, while the calling thread watches for signals.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::ThreadPool;

use crate::errors::panicked;

/// The time between two looks at the signals: Ctrl-C takes effect this fast.
const INTERVAL: Duration = Duration::from_millis(50);

/// Runs work on a thread of the pool, for a thread that is detached from the interpreter.
///
/// Python handles signals on its main thread only, which is the calling thread as a rule, and never one of the pool. If a
/// handler raises an exception, the flag that the work is given becomes `true`, and the exception is returned once the work has
/// ended.
///
/// # Errors
///
/// The exception of a signal handler, and `RuntimeError` for a panic of the work.
pub(crate) fn watched<R: Send>(pool: &ThreadPool, work: impl FnOnce(&AtomicBool) -> R + Send) -> PyResult<R> {
    let stop = AtomicBool::new(false);
    let (sender, receiver) = sync_channel(1);
    let mut interruption = None;
    let result = pool.in_place_scope(|scope| {
        scope.spawn(|_| {
            let result = catch_unwind(AssertUnwindSafe(|| work(&stop)));
            // The receiver waits for it.
            let _ = sender.send(result);
        });
        loop {
            match receiver.recv_timeout(INTERVAL) {
                Ok(result) => return Some(result),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(exception) = Python::attach(|py| py.check_signals()) {
                        stop.store(true, Ordering::Relaxed);
                        interruption.get_or_insert(exception);
                    }
                }
            }
        }
    });
    match (interruption, result) {
        (Some(exception), _) => Err(exception),
        (None, Some(result)) => result.map_err(|panic| panicked(&*panic)),
        (None, None) => Err(PyRuntimeError::new_err("the computation ended without a result")),
    }
}
