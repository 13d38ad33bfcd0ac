//! OpenBLAS itself: its thread count, its kernel, and the guard against a kernel that is too old for the CPU.

use std::ffi::{CStr, c_char, c_int};
use std::sync::{Once, OnceLock};

use super::Blas;
use crate::kernel::InstructionSet;

// Nothing else names the crate, and an unnamed dependency is not linked.
extern crate openblas_src as _;

unsafe extern "C" {
    fn openblas_get_config() -> *const c_char;
    fn openblas_get_corename() -> *const c_char;
    fn openblas_get_num_threads() -> c_int;
    fn openblas_set_num_threads(threads: c_int);
}

/// The kernel that the library chose by itself; empty unless the guard replaced it.
static REPLACED: OnceLock<String> = OnceLock::new();

/// Sets the library to one thread for each call. Only the first call does so; later calls cost one atomic load.
pub(crate) fn prepare() {
    static ONE_THREAD: Once = Once::new();
    ONE_THREAD.call_once(|| {
        // Without this mention, the entry among the program's constructors would not be linked.
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        std::hint::black_box(CONSTRUCTOR);
        // SAFETY: takes a plain integer; the library allows it at any time between products, and every product of
        // this crate waits for this initialisation.
        unsafe { openblas_set_num_threads(1) };
    });
}

/// Returns the library's version, kernel sets and thread counts.
pub(super) fn describe() -> Blas {
    prepare();
    // SAFETY: returns a pointer to a static, nul-terminated string of the library.
    let config = unsafe { text(openblas_get_config()) };
    // "OpenBLAS 0.3.21 NO_AFFINITY USE_OPENMP=0 ..." - the version is the second word.
    let version = config.split_whitespace().nth(1).unwrap_or_default();
    // SAFETY: no arguments, returns a plain integer.
    let threads = unsafe { openblas_get_num_threads() };
    let kernel = kernel();
    Blas {
        library: "OpenBLAS",
        version: version.to_owned(),
        better_kernel: wanted_kernel().filter(|wanted| level(wanted) > level(&kernel)),
        kernel,
        replaced_kernel: REPLACED.get().cloned(),
        threads: usize::try_from(threads).unwrap_or(1),
        workers: rayon::current_num_threads(),
    }
}

fn kernel() -> String {
    // SAFETY: returns a pointer to a static, nul-terminated string of the library.
    unsafe { text(openblas_get_corename()) }
}

/// Copies a C string; a null pointer gives an empty one.
///
/// # Safety
///
/// `pointer` is null or points to a nul-terminated string that nobody changes meanwhile.
unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: not null, and nul-terminated by this function's contract.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_string_lossy().into_owned()
}

/// Runs the guard when the program is loaded, after the library's own constructor and before `main`: later, other threads may
/// read the environment, which the guard changes.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[used]
// SAFETY: the section holds pointers to functions that the C library calls once, with three arguments that are ignored here.
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = {
    extern "C" fn constructor() {
        if let Some(replaced) = guard_kernel() {
            // Empty until now, since a constructor runs once.
            let _ = REPLACED.set(replaced);
        }
    }
    constructor
};

/// Makes the library choose its kernel again if the CPU allows a better one. Returns the kernel that was replaced.
///
/// A library older than the CPU makes a wrong choice when it is loaded, and reads the user's choice from the environment
/// only then. A library that contains several kernels can be told to unload one and load another. The guard does nothing if
/// the user has chosen, or if other threads run that might read the environment, as in a program that loads this crate as a
/// plugin: [`Blas::better_kernel`] then names the kernel that `OPENBLAS_CORETYPE` should name.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn guard_kernel() -> Option<String> {
    const CHOICE: &CStr = c"OPENBLAS_CORETYPE";
    let wanted = wanted_kernel()?;
    let found = kernel();
    let choice = CHOICE.to_str().ok()?;
    let fits = match is_limited() {
        true => level(&found) == level(wanted),
        false => level(&found) >= level(wanted),
    };
    if fits || std::env::var_os(choice).is_some() || has_other_threads() {
        return None;
    }
    let quit = symbol(c"gotoblas_dynamic_quit")?;
    let init = symbol(c"gotoblas_dynamic_init")?;
    let value = std::ffi::CString::new(wanted).ok()?;
    // SAFETY: both functions take and return nothing. glibc's `setenv` must not run beside a `getenv`, which takes no lock:
    // the only other threads are the library's own, which wait for work and read no environment. No product runs meanwhile,
    // since no code has had a chance to start one.
    unsafe {
        libc::setenv(CHOICE.as_ptr(), value.as_ptr(), 1);
        quit();
        init();
        libc::unsetenv(CHOICE.as_ptr());
    }
    (kernel() != found).then_some(found)
}

/// Whether the process has threads besides this one and those of the library; `true` if that cannot be found out.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn has_other_threads() -> bool {
    // SAFETY: no arguments, returns a plain integer.
    let own = unsafe { openblas_get_num_threads() };
    let threads = std::fs::read_dir("/proc/self/task").map(Iterator::count);
    threads.map_or(true, |threads| threads > usize::try_from(own).unwrap_or(1).max(1))
}

/// The best kernel set within the instruction set in use that every OpenBLAS since 2017 has; `None` if the library's choice
/// is as good.
fn wanted_kernel() -> Option<&'static str> {
    #[cfg(target_arch = "x86_64")]
    match InstructionSet::current() {
        InstructionSet::Avx512 if is_x86_feature_detected!("avx512cd") => return Some("SkylakeX"),
        InstructionSet::Avx512 | InstructionSet::Avx2 => return Some("Haswell"),
        InstructionSet::Baseline if is_limited() => return Some("Prescott"),
        InstructionSet::Baseline => {}
    }
    None
}

/// Whether the user asked for less than the CPU has.
#[cfg(target_arch = "x86_64")]
fn is_limited() -> bool {
    InstructionSet::current() < InstructionSet::of_cpu()
}

/// The instruction set that a kernel set uses: 2 for AVX-512, 1 for AVX2 with FMA, 0 for less.
fn level(kernel: &str) -> u8 {
    match kernel.to_ascii_lowercase().as_str() {
        "skylakex" | "cooperlake" | "sapphirerapids" => 2,
        "haswell" | "zen" => 1,
        _ => 0,
    }
}

/// A function of the loaded libraries that takes and returns nothing; `None` if no library has it.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn symbol(name: &CStr) -> Option<unsafe extern "C" fn()> {
    // SAFETY: the name is nul-terminated; the default handle needs no opening.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if address.is_null() {
        return None;
    }
    // SAFETY: not null, and the two functions asked for have this signature in every OpenBLAS that exports them.
    Some(unsafe { std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn()>(address) })
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_fits_the_cpu() {
        prepare();
        if std::env::var_os("OPENBLAS_CORETYPE").is_none() && symbol(c"gotoblas_dynamic_init").is_some() {
            assert!(
                level(&kernel()) >= wanted_kernel().map_or(0, level),
                "{}",
                kernel()
            );
        }
        assert_eq!(describe().threads, 1);
    }

    #[test]
    fn kernels_are_ranked_by_instruction_set() {
        assert!(level("SkylakeX") > level("Haswell"));
        assert!(level("Zen") > level("Prescott"));
    }
}
