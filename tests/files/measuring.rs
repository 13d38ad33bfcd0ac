//! How much memory a reader takes: measured for its thread alone, as other tests run beside it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What a reader may take up besides a multiple of the file: its buffers, and what a decoder keeps.
const BUFFERS: usize = 4 << 20;
/// How many times the file a reader may take up.
const TIMES: usize = 64;

/// The system's allocator, and how much each thread has in use, now and at most.
struct Measuring;

thread_local! {
    static IN_USE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Measuring {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.get() + layout.size() as isize;
        IN_USE.set(now);
        PEAK.set(PEAK.get().max(now));
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.set(IN_USE.get() - layout.size() as isize);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

/// Does something with a file of so many bytes, for which it may take buffers and a multiple of the file; `what` is
/// what it is called if it takes more.
pub fn bounded<R>(what: &str, bytes: usize, work: impl FnOnce() -> R) -> R {
    let before = IN_USE.get();
    PEAK.set(before);
    let result = work();
    let used = PEAK.get() - before;
    assert!(
        used < (BUFFERS + TIMES * bytes) as isize,
        "{what}: {used} bytes for a file of {bytes}"
    );
    result
}
