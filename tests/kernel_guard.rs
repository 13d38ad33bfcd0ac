//! The guard against kernels that are too old for the CPU, at work: OpenBLAS is made to choose such kernels when it is
//! loaded, as a library older than the CPU does by itself.

#![cfg(all(feature = "openblas", target_os = "linux", target_arch = "x86_64"))]

use std::process::Command;

/// The variable that OpenBLAS reads when it is loaded.
const CHOICE: &str = "OPENBLAS_CORETYPE";

/// The kernels of the first CPUs with SSE3.
const OLD: &str = "Prescott";

/// Tells the child that it is one; its test does nothing otherwise.
const CHILD: &str = "MFNET_TEST_KERNEL_GUARD";

#[test]
fn old_kernels_are_replaced() {
    if !is_x86_feature_detected!("avx2") || !is_x86_feature_detected!("fma") {
        use std::io::Write;
        writeln!(
            std::io::stderr(),
            "SKIPPED: this CPU has no better kernels than {OLD}"
        )
        .unwrap();
        return;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(CHOICE, OLD)
        .env(CHILD, "1")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success(),
        "{output}{}",
        String::from_utf8_lossy(&child.stderr)
    );
    let before_and_after: Vec<&str> = output
        .lines()
        .filter_map(|line| line.strip_prefix("kernel "))
        .collect();
    match before_and_after[..] {
        // A library with one kernel set has nothing to choose, and says so.
        [kernel, "none", _] => assert_ne!(kernel, OLD, "{output}"),
        [kernel, replaced, product] => {
            assert_eq!(replaced, OLD, "{output}");
            assert_ne!(kernel, OLD, "{output}");
            assert_eq!(product, "right", "{output}");
        }
        _ => panic!("{output}"),
    }
}

/// Hides the choice from the guard, as the library's own choice is to be replaced and not a user's: behind the library's
/// constructor, which reads it, and before the guard, since entries with a number come first.
#[used]
// SAFETY: the section holds pointers to functions that the C library calls once, with three arguments that are ignored here.
#[unsafe(link_section = ".init_array.00101")]
static HIDES_CHOICE: extern "C" fn() = {
    extern "C" fn hide() {
        if std::env::var_os(CHILD).is_some() {
            // SAFETY: before `main`, no other thread reads the environment.
            unsafe { std::env::remove_var(CHOICE) };
        }
    }
    hide
};

#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let blas = mfnet::blas();
    println!("\nkernel {}", blas.kernel);
    println!("kernel {}", blas.replaced_kernel.as_deref().unwrap_or("none"));

    // Products of the kernels that were loaded in the running process; small whole numbers, so that they are exact.
    let number = |(i, j): (usize, usize)| ((i * 7 + j * 13) % 9) as f64 - 4.0;
    let a = ndarray::Array2::from_shape_fn((70, 90), number);
    let b = ndarray::Array2::from_shape_fn((90, 80), number);
    let product = a.dot(&b);
    let right = product.indexed_iter().all(|((i, j), &found)| {
        let expected: f64 = (0..90).map(|k| a[[i, k]] * b[[k, j]]).sum();
        found == expected
    });
    println!("kernel {}", if right { "right" } else { "wrong" });
}
