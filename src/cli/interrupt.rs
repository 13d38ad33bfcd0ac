//! Ctrl-C: the first ends a training after its batch, the second ends the process.

use std::process;
use std::sync::atomic::{AtomicU8, Ordering};

/// Nothing to save: a signal ends the process.
const IDLE: u8 = 0;
/// A training runs, which a signal lets finish its batch.
const TRAINING: u8 = 1;
/// A training is to end.
const ENDING: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(IDLE);

/// Has signals heard from now on.
///
/// A process whose parent has it ignore one of them (`nohup`, or `&` in a script) is left as it is: it would otherwise
/// end at the very signal that it is to survive.
pub(super) fn listen() {
    let heard = || {
        if STATE
            .compare_exchange(TRAINING, ENDING, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
        {
            process::exit(130);
        }
    };
    // The only other failure is that the system has no signals to hear.
    let _ = ctrlc::try_set_handler(heard);
}

/// A training begins.
pub(super) fn start_training() {
    STATE.store(TRAINING, Ordering::Relaxed);
}

/// Whether the training is to end.
pub(super) fn is_requested() -> bool {
    STATE.load(Ordering::Relaxed) == ENDING
}
