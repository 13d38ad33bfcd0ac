//! MNIST, or what can stand in for it.

use mfnet::data::digits::{DEFAULT_TEST_SAMPLES, DEFAULT_TRAINING_SAMPLES, digits};
use mfnet::data::known::{self, Source};
use mfnet::{Dataset, Element};

/// The data set's name, its training and its test set; nothing is downloaded.
pub fn mnist_or_digits<T: Element>() -> (&'static str, Dataset<T>, Dataset<T>) {
    let source = Source {
        download: false,
        ..Source::default()
    };
    match known::mnist(&source, &mut |_| {}) {
        Ok((train, test)) => ("MNIST", train, test),
        Err(_) => {
            eprintln!("MNIST is not there: its jobs run on `digits`, which has its shape and sparsity");
            let (train, test) = digits(0, DEFAULT_TRAINING_SAMPLES, DEFAULT_TEST_SAMPLES).unwrap();
            ("digits", train, test)
        }
    }
}
