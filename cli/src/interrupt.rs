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
/// Under `nohup`, which has the process ignore one of them, all are left as they are: hearing it would end the process
/// at the very signal that it is to survive.
pub(super) fn listen() {
    if ctrlc::try_set_handler(heard).is_err() && !is_hangup_ignored() {
        // A shell script's `&` ignores the interrupt, but whoever sends it to this very process means it. The only
        // failure left is that the system has no signals to hear.
        let _ = ctrlc::set_handler(heard);
    }
}

fn heard() {
    let training = STATE.compare_exchange(TRAINING, ENDING, Ordering::Relaxed, Ordering::Relaxed);
    if training.is_err() {
        process::exit(130);
    }
}

/// Whether the parent has this process ignore SIGHUP; where that cannot be told, as if it did.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is signal 1: the first bit.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_none_or(|mask| mask & 1 != 0)
}

/// A training begins.
pub(super) fn start_training() {
    STATE.store(TRAINING, Ordering::Relaxed);
}

/// Whether the training is to end.
pub(super) fn is_requested() -> bool {
    STATE.load(Ordering::Relaxed) == ENDING
}
