//! A training step allocates nothing: its memory is sized once and used again.
//!
//! With BLAS only: the kernels that ndarray brings pack their operands into fresh memory. So does a product that ndarray
//! keeps from BLAS, one of no dimension above 7.
#![cfg(feature = "openblas")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mfnet::data::Inputs;
use mfnet::layer::Window;
use mfnet::loss::Loss;
use mfnet::{
    Builder, CrossEntropyLoss, DataLoader, Dataset, Element, MseLoss, NeuralNetwork, Shuffle, Targets,
    Workspace,
};
use ndarray::Array2;

#[path = "common/each.rs"]
mod each;
#[path = "common/noise.rs"]
mod noise;

use noise::noise;

/// The system's allocator, and a count of what all threads ask of it.
struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// Where the first one came from.
static FIRST: Mutex<Option<Backtrace>> = Mutex::new(None);

fn note() {
    if COUNTS.load(Ordering::Relaxed) && ALLOCATIONS.fetch_add(1, Ordering::Relaxed) == 0 {
        // A backtrace allocates, too. Those allocations come here while the count is above 0, and only add to it.
        let backtrace = Backtrace::force_capture();
        *FIRST.lock().unwrap() = Some(backtrace);
    }
}

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: the caller's promise, handed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Where memory was first asked for meanwhile, by any thread.
fn first_allocation(work: impl FnOnce()) -> Option<Backtrace> {
    ALLOCATIONS.store(0, Ordering::SeqCst);
    COUNTS.store(true, Ordering::SeqCst);
    work();
    COUNTS.store(false, Ordering::SeqCst);
    FIRST.lock().unwrap().take()
}

/// Adds the hidden layers, the last one's activation included.
type Hidden<'a, T> = dyn Fn(Builder<T>) -> Builder<T> + 'a;

/// Two epochs of steps after one to warm up, the last batch of each a short one.
fn steps_allocate_nothing<T: Element>(
    (name, hidden): (&str, &Hidden<'_, T>),
    (samples, batch): (usize, usize),
    data: &Dataset<T>,
    loss: &dyn Loss<T>,
) {
    for case in each::optimizers(0.1) {
        let mut optimizer = case.make(0.01);
        let what = format!("{}, {name}, {samples} samples, {optimizer:?}", T::NAME);
        let mut network = hidden(NeuralNetwork::builder(data.features()))
            .linear(data.outputs())
            .sigmoid()
            .build()
            .unwrap();
        let mut workspace = Workspace::new(&network, batch).unwrap();
        let mut loader = DataLoader::new(data, batch, Shuffle::Samples, 7).unwrap();
        let mut epoch = |number| {
            loader.start_epoch(number);
            for batch in loader.batches() {
                let loss = network.forward_backward(&batch, loss, &mut workspace).unwrap();
                assert!(loss.is_finite());
                network.apply_gradients(&mut *optimizer, &mut workspace).unwrap();
            }
        };
        epoch(1);
        let first = first_allocation(|| {
            epoch(2);
            epoch(3);
        });
        if let Some(first) = first {
            panic!("{what}: memory is asked for, first by\n{first}");
        }
    }
}

fn every_kind_of_step<T: Element>() {
    // The first is for one thread alone, the second makes several blocks and tiles, the third has weights larger than a
    // core's cache.
    for (hidden, samples, batch) in [(9, 25, 10), (200, 1100, 700), (560, 70, 30)] {
        let labels: Vec<u32> = (0..samples).map(|sample| (sample % 3) as u32).collect();
        let values = Dataset::regression(noise::<T>(samples, 60, 1), noise(samples, 3, 2)).unwrap();
        let pixels = Array2::from_shape_fn((samples, 60), |(row, column)| (row * 7 + column * 13) as u8);
        let targets = Targets::Classes { labels, classes: 3 };
        let classes = Dataset::<T>::new(Inputs::Pixels(pixels), targets).unwrap();
        let window = Window::new([3, 3]).padding([1, 1]);
        let networks: [(&str, &Hidden<'_, T>); 4] = [
            ("dense", &|builder| {
                builder.linear(hidden).relu().linear(hidden).tanh()
            }),
            ("activations of their arguments", &|builder| {
                let first = builder.linear(hidden).gelu().batch_norm().silu();
                first.linear(hidden).softplus().linear(hidden).elu()
            }),
            ("batch norm", &|builder| {
                let first = builder.batch_norm().linear(hidden).batch_norm().relu();
                first.linear(hidden).batch_norm().softmax()
            }),
            ("conv2d", &|builder| {
                let first = builder.image(3, 4, 5).conv2d(8, window).relu();
                first.conv2d(9, window.stride([2, 1])).batch_norm().tanh()
            }),
        ];
        let weights: Vec<f64> = (0..samples).map(|sample| (sample % 4) as f64).collect();
        let weighted = |data: &Dataset<T>| data.clone().with_weights(&weights).unwrap();
        let sizes = (samples, batch);
        steps_allocate_nothing(networks[0], sizes, &weighted(&values), &MseLoss::default());
        steps_allocate_nothing(
            networks[0],
            sizes,
            &weighted(&classes),
            &CrossEntropyLoss::default(),
        );
        for network in networks {
            steps_allocate_nothing(network, (samples, batch), &values, &MseLoss::default());
            steps_allocate_nothing(network, (samples, batch), &classes, &CrossEntropyLoss::default());
        }
    }
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn a_step_allocates_nothing() {
    let first = first_allocation(|| drop(std::hint::black_box(vec![0_u8; 100])));
    assert!(first.is_some(), "an allocation is seen");

    // Work that comes from outside a pool is handed over in memory of its own, once; a training runs inside.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    // A thread asks for memory when it starts.
    pool.broadcast(|_| ());
    pool.install(every_kind_of_step::<f32>);
    pool.install(every_kind_of_step::<f64>);
}
