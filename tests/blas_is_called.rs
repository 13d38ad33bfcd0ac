//! The products of a training step reach BLAS, all of the large ones, where BLAS is chosen, and none where the crate's own
//! kernels are.
//!
//! This binary defines `cblas_sgemm` and `cblas_dgemm` itself: the linker takes them before the library's. They count
//! what they are asked for and hand it on. Without them, a matrix whose layout BLAS can not take would be multiplied by
//! another kernel of ndarray's, several times slower, and no result would show it.
#![cfg(all(feature = "openblas", unix))]

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

use mfnet::product::{self, Products};
use mfnet::{CrossEntropyLoss, Dataset, Element, NeuralNetwork, Sgd, TrainOptions, Trainer};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ShapeBuilder, s};

#[path = "common/noise.rs"]
mod noise;

/// Products with a dimension below this may be left to other kernels.
const LARGE: usize = 32;

/// Calls, and floating-point operations (2 m n k) of those whose dimensions are all large; f32 and f64 apart.
static CALLS: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
static OPERATIONS: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

fn count<T: Element>(m: c_int, n: c_int, k: c_int) {
    let precision = usize::from(T::NAME == "f64");
    let dimensions = [m, n, k].map(|dimension| usize::try_from(dimension).unwrap());
    CALLS[precision].fetch_add(1, Ordering::Relaxed);
    if dimensions.iter().all(|&dimension| dimension >= LARGE) {
        let operations = 2 * dimensions.iter().product::<usize>() as u64;
        OPERATIONS[precision].fetch_add(operations, Ordering::Relaxed);
    }
}

/// The calls and the operations in large products that happen meanwhile.
fn counted<T: Element>(work: impl FnOnce()) -> (u64, u64) {
    let precision = usize::from(T::NAME == "f64");
    let now = || {
        (
            CALLS[precision].load(Ordering::Relaxed),
            OPERATIONS[precision].load(Ordering::Relaxed),
        )
    };
    let before = now();
    work();
    let after = now();
    (after.0 - before.0, after.1 - before.1)
}

/// C <- alpha A B + beta C, as CBLAS declares it for numbers of type T.
type Gemm<T> = unsafe extern "C" fn(
    layout: c_int,
    transpose_a: c_int,
    transpose_b: c_int,
    m: c_int,
    n: c_int,
    k: c_int,
    alpha: T,
    a: *const T,
    lda: c_int,
    b: *const T,
    ldb: c_int,
    beta: T,
    c: *mut T,
    ldc: c_int,
);

/// The library's function of this name: the next one after this binary's own.
fn library_function(name: &CStr) -> *mut c_void {
    // SAFETY: the name ends in nul, and the handle needs no opening.
    let address = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(!address.is_null(), "the library has no {name:?}");
    address
}

/// # Safety
///
/// As the library's: the arguments describe three matrices in memory that they may be read from and written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn cblas_sgemm(
    layout: c_int,
    transpose_a: c_int,
    transpose_b: c_int,
    m: c_int,
    n: c_int,
    k: c_int,
    alpha: f32,
    a: *const f32,
    lda: c_int,
    b: *const f32,
    ldb: c_int,
    beta: f32,
    c: *mut f32,
    ldc: c_int,
) {
    count::<f32>(m, n, k);
    // SAFETY: the function of this name has this signature in every CBLAS.
    let gemm = unsafe { std::mem::transmute::<*mut c_void, Gemm<f32>>(library_function(c"cblas_sgemm")) };
    // SAFETY: the caller's promise, handed on with the arguments as they are.
    unsafe {
        gemm(
            layout,
            transpose_a,
            transpose_b,
            m,
            n,
            k,
            alpha,
            a,
            lda,
            b,
            ldb,
            beta,
            c,
            ldc,
        )
    }
}

/// # Safety
///
/// As [`cblas_sgemm`].
#[unsafe(no_mangle)]
unsafe extern "C" fn cblas_dgemm(
    layout: c_int,
    transpose_a: c_int,
    transpose_b: c_int,
    m: c_int,
    n: c_int,
    k: c_int,
    alpha: f64,
    a: *const f64,
    lda: c_int,
    b: *const f64,
    ldb: c_int,
    beta: f64,
    c: *mut f64,
    ldc: c_int,
) {
    count::<f64>(m, n, k);
    // SAFETY: the function of this name has this signature in every CBLAS.
    let gemm = unsafe { std::mem::transmute::<*mut c_void, Gemm<f64>>(library_function(c"cblas_dgemm")) };
    // SAFETY: the caller's promise, handed on with the arguments as they are.
    unsafe {
        gemm(
            layout,
            transpose_a,
            transpose_b,
            m,
            n,
            k,
            alpha,
            a,
            lda,
            b,
            ldb,
            beta,
            c,
            ldc,
        )
    }
}

/// A product of the layout that BLAS takes is seen here; the same numbers in a layout that it does not take are not.
fn the_counter_tells_them_apart<T: Element>() {
    let spread = Array2::<T>::ones((100, 100).f());
    let every_second = spread.slice(s![..;2, ..;2]);
    let dense = every_second.to_owned();
    let mut output = Array2::zeros((50, 50));
    let mut product = |a: ndarray::ArrayView2<'_, T>| {
        counted::<T>(|| general_mat_mul(T::one(), &a, &dense, T::zero(), &mut output))
    };
    assert_eq!(product(dense.view()), (1, 2 * 50 * 50 * 50), "{}", T::NAME);
    assert_eq!(product(every_second), (0, 0), "{}", T::NAME);
}

/// A training with BLAS or with the crate's kernels.
fn a_training_reaches_blas<T: Element>(products: Products, clipped: bool) {
    product::set_products(products);
    const SAMPLES: usize = 1500;
    const BATCH: usize = 1000;
    const EPOCHS: usize = 2;
    let labels = (0..SAMPLES).map(|sample| (sample % 10) as u32).collect();
    // Dense inputs: a product may pass over features that are 0 in the whole batch.
    let data = Dataset::classification(noise::noise(SAMPLES, 784, 1), labels, 10).unwrap();
    let network = NeuralNetwork::<T>::builder(784)
        .linear(512)
        .relu()
        .linear(256)
        .relu()
        .linear(10)
        .build()
        .unwrap();
    let mut optimizer = Sgd::new(0.1).unwrap();
    if clipped {
        optimizer = optimizer.clip(mfnet::Clip::PerTensor(1.0)).unwrap();
    }
    let options = TrainOptions::default().with_epochs(EPOCHS).with_batch_size(BATCH);
    let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), optimizer).options(options);
    let (_, operations) = counted::<T>(|| {
        trainer.fit(&data).unwrap();
    });
    // Z = W A and dJ/dW = Delta A^T of both hidden layers, W^T Delta of the second.
    let needed = EPOCHS * SAMPLES * 2 * (2 * 784 * 512 + 3 * 512 * 256);
    let part = operations as f64 / needed as f64;
    let is_right = match products {
        Products::Blas => part >= 0.95,
        _ => operations == 0,
    };
    assert!(
        is_right,
        "{}, {products}, clipped: {clipped}: BLAS was asked for {:.1} % of the operations in large products",
        T::NAME,
        100.0 * part
    );
}

/// By default BLAS computes the products of the layers whose weights are too many for the crate's kernels: all three of the
/// wide layer below, gradients included, whose tiles are small enough for those kernels.
fn a_wide_layer_reaches_blas<T: Element>() {
    product::set_products(Products::Auto);
    const SAMPLES: usize = 300;
    const WIDTH: usize = 1500;
    let labels = (0..SAMPLES).map(|sample| (sample % 10) as u32).collect();
    let data = Dataset::classification(noise::noise(SAMPLES, 20, 1), labels, 10).unwrap();
    let network = NeuralNetwork::<T>::builder(20)
        .linear(WIDTH)
        .relu()
        .linear(WIDTH)
        .relu()
        .linear(10)
        .build()
        .unwrap();
    let options = TrainOptions::default().with_epochs(1).with_batch_size(SAMPLES);
    let optimizer = Sgd::new(0.1).unwrap();
    let mut trainer = Trainer::new(network, CrossEntropyLoss::default(), optimizer).options(options);
    let (_, operations) = counted::<T>(|| {
        trainer.fit(&data).unwrap();
    });
    let needed = SAMPLES * 2 * 3 * WIDTH * WIDTH;
    let part = operations as f64 / needed as f64;
    assert!(
        (0.95..=1.05).contains(&part),
        "{}: BLAS was asked for {:.1} % of the operations of a wide layer",
        T::NAME,
        100.0 * part
    );
}

/// One test, so that nothing else multiplies meanwhile.
#[test]
fn blas_is_called() {
    the_counter_tells_them_apart::<f32>();
    the_counter_tells_them_apart::<f64>();
    for clipped in [false, true] {
        for products in [Products::Blas, Products::Rust] {
            a_training_reaches_blas::<f32>(products, clipped);
            a_training_reaches_blas::<f64>(products, clipped);
        }
    }
    a_wide_layer_reaches_blas::<f32>();
    a_wide_layer_reaches_blas::<f64>();
}
