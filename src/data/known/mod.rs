//! The known data sets: looked for in the user's folders, then fetched.
//!
//! | data set | samples | features | targets |
//! |---|---|---|---|
//! | [`mnist`] | 60,000 + 10,000 | 784 pixels | 10 digits |
//! | [`fashion_mnist`] | 60,000 + 10,000 | 784 pixels | 10 kinds of clothing |
//! | [`california_housing`] | 20,640 | 8 | the median house value, in 100,000 dollars |
//! | [`iris`] | 150 | 4 | 3 species of iris |
//!
//! A [`Source`] says where to look: the user's own folder first, then the cache, then the network. Both folders are
//! laid out alike, each file gzipped (`.gz`) or not:
//!
//! ```text
//! mnist/train-images-idx3-ubyte.gz            fashion_mnist/train-images-idx3-ubyte.gz
//! mnist/train-labels-idx1-ubyte.gz            fashion_mnist/train-labels-idx1-ubyte.gz
//! mnist/t10k-images-idx3-ubyte.gz             fashion_mnist/t10k-images-idx3-ubyte.gz
//! mnist/t10k-labels-idx1-ubyte.gz             fashion_mnist/t10k-labels-idx1-ubyte.gz
//! california_housing/cal_housing.data.gz      iris/iris.data
//! ```

#[cfg_attr(not(feature = "download"), path = "no_download.rs")]
mod download;
#[cfg(feature = "download")]
mod keep;
mod search;
#[cfg(all(test, feature = "download"))]
mod server;
mod source;
mod status;
#[cfg_attr(
    not(feature = "download"),
    expect(dead_code, reason = "only a download needs sums, sizes and mirrors")
)]
mod table;

use std::path::Path;

use ndarray::Array2;

use crate::data::read;
use crate::data::{Columns, Dataset, Inputs, Targets, Task};
use crate::element::Element;
use crate::error::{Error, Position, Result};

use table::KnownSet;

pub use source::{Progress, Source};
pub use status::{Known, Verdict};

/// The classes of [`mnist`], and of the [drawn digits](crate::data::digits).
pub const DIGIT_CLASSES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// The classes of [`fashion_mnist`].
pub const FASHION_MNIST_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// The features of [`iris`], in centimetres.
pub const IRIS_FEATURES: [&str; 4] = ["sepal length", "sepal width", "petal length", "petal width"];

/// The classes of [`iris`], as its file spells them.
pub const IRIS_CLASSES: [&str; 3] = ["Iris-setosa", "Iris-versicolor", "Iris-virginica"];

/// MNIST: handwritten digits of 28 x 28 pixels; 60,000 to train on and 10,000 to test with, in their published order.
///
/// `progress` is told of every piece of a download; `&mut |_| {}` ignores it.
///
/// Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits".
///
/// # Errors
///
/// [`Error::Unavailable`] when no place has it; an error of [`read`] when a file is
/// damaged.
///
/// ```no_run
/// use mfnet::data::known::{self, Source};
///
/// let (train, test) = known::mnist::<f32>(&Source::default(), &mut |_| {})?;
/// assert_eq!((train.samples(), test.samples(), train.features(), train.outputs()), (60_000, 10_000, 784, 10));
/// # Ok::<(), mfnet::Error>(())
/// ```
pub fn mnist<T: Element>(
    source: &Source,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Dataset<T>, Dataset<T>)> {
    images(&table::MNIST, source, progress)
}

/// Fashion-MNIST: clothing in the form of MNIST, of which it is a harder variant.
///
/// `progress` is told of every piece of a download; `&mut |_| {}` ignores it.
///
/// Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
/// algorithms", 2017.
///
/// # Errors
///
/// As [`mnist`].
pub fn fashion_mnist<T: Element>(
    source: &Source,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Dataset<T>, Dataset<T>)> {
    images(&table::FASHION_MNIST, source, progress)
}

/// California Housing: 20,640 districts of the 1990 census, 8 features, the median house value in 100,000 dollars.
///
/// `progress` is told of every piece of a download; `&mut |_| {}` ignores it.
///
/// Source: R. K. Pace, R. Barry, "Sparse spatial autoregressions", 1997 (StatLib).
///
/// # Errors
///
/// As [`mnist`].
pub fn california_housing<T: Element>(
    source: &Source,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Dataset<T>> {
    let [file] = search::obtain(&table::CALIFORNIA_HOUSING, source, progress)?;
    read::read_california_housing(&file)
}

/// Iris: 50 flowers of each of three species, four measures of each; see [`IRIS_FEATURES`] and [`IRIS_CLASSES`].
///
/// `progress` is told of every piece of a download; `&mut |_| {}` ignores it.
///
/// Source: R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936 (UCI's `iris.data`).
///
/// # Errors
///
/// As [`mnist`].
pub fn iris<T: Element>(source: &Source, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Dataset<T>> {
    let [file] = search::obtain(&table::IRIS, source, progress)?;
    let headless = read::CsvOptions {
        header: Some(false),
        delimiter: Some(b','),
        ..read::CsvOptions::default()
    };
    let columns = Columns {
        task: Some(Task::Classification),
        ..Columns::default()
    };
    let examples = read::read_csv(&file, &headless)?.examples(&columns)?;
    if examples.schema.labels != IRIS_CLASSES || examples.schema.features != IRIS_FEATURES.len() {
        let problem = "this is not the file that UCI publishes: it has other columns or other classes";
        return Err(Error::file(&file, Position::Line(1), problem));
    }
    examples.schema.complete(examples.samples)
}

/// A pair of data sets in MNIST's form: images and labels to train on, images and labels to test with.
fn images<T: Element>(
    set: &KnownSet<'_, 4>,
    source: &Source,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Dataset<T>, Dataset<T>)> {
    let [train_images, train_labels, test_images, test_labels] = search::obtain(set, source, progress)?;
    let load = |images: Array2<u8>, labels: &Path| {
        Dataset::new(
            Inputs::Pixels(images),
            Targets::Classes {
                labels: read::read_labels(labels)?,
                classes: 10,
            },
        )
    };
    let (train, shape) = read::read_images_of(&train_images)?;
    let (test, test_shape) = read::read_images_of(&test_images)?;
    if shape != test_shape {
        let by = |shape: &[usize]| shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
        let problem = format!(
            "the images have {} pixels, and those to train on, in {}, {}",
            by(&test_shape),
            train_images.display(),
            by(&shape)
        );
        return Err(Error::file(&test_images, Position::File, problem));
    }
    Ok((load(train, &train_labels)?, load(test, &test_labels)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A source of this folder alone.
    fn only(data_dir: &Path) -> Source {
        Source {
            data_dir: Some(data_dir.to_owned()),
            cache_dir: None,
            download: false,
        }
    }

    /// An IDX file of bytes: two zeros, the type, the number of sizes, the sizes, the data.
    fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, 8, sizes.len() as u8];
        file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        file.extend(data);
        file
    }

    #[test]
    fn each_file_finds_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("mnist");
        fs::create_dir(&folder).unwrap();
        let place = |name: &str, content| fs::write(folder.join(name), content).unwrap();
        place("train-images-idx3-ubyte", idx(&[2, 1, 2], &[1, 2, 3, 4]));
        place("train-labels-idx1-ubyte", idx(&[2], &[9, 0]));
        place("t10k-images-idx3-ubyte", idx(&[1, 1, 2], &[5, 6]));
        place("t10k-labels-idx1-ubyte", idx(&[1], &[7]));
        let (train, test) = mnist::<f32>(&only(directory.path()), &mut |_| {}).unwrap();
        let pixels = |data: &Dataset<f32>| match data.inputs() {
            Inputs::Pixels(pixels) => pixels.iter().copied().collect(),
            _ => Vec::new(),
        };
        let classes = |labels| Targets::Classes { labels, classes: 10 };
        assert_eq!(pixels(&train), [1, 2, 3, 4]);
        assert_eq!(train.targets(), &classes(vec![9, 0]));
        assert_eq!(pixels(&test), [5, 6]);
        assert_eq!(test.targets(), &classes(vec![7]));
        // As many pixels, but other images.
        place("t10k-images-idx3-ubyte", idx(&[1, 2, 1], &[5, 6]));
        let error = mnist::<f32>(&only(directory.path()), &mut |_| {}).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("the images have 2 x 1 pixels, and those to train on"),
            "{error}"
        );
    }

    #[test]
    fn every_set_can_be_missing() {
        let empty = tempfile::tempdir().unwrap();
        let source = only(empty.path());
        let errors = [
            mnist::<f32>(&source, &mut |_| {}).unwrap_err(),
            fashion_mnist::<f32>(&source, &mut |_| {}).unwrap_err(),
            california_housing::<f32>(&source, &mut |_| {}).unwrap_err(),
            iris::<f32>(&source, &mut |_| {}).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        }
    }

    #[test]
    fn iris_keeps_its_classes() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("iris");
        fs::create_dir(&folder).unwrap();
        let rows = "5.1,3.5,1.4,0.2,Iris-setosa\n6.3,3.3,6.0,2.5,Iris-virginica\n7.0,3.2,4.7,1.4,Iris-versicolor\n\n";
        let load = |content: &str| {
            fs::write(folder.join("iris.data"), content).unwrap();
            iris::<f64>(&only(directory.path()), &mut |_| {})
        };
        let data = load(rows).unwrap();
        assert_eq!((data.samples(), data.features(), data.outputs()), (3, 4, 3));
        let (labels, classes) = (vec![0, 2, 1], 3);
        assert_eq!(data.targets(), &Targets::Classes { labels, classes });
        let error = load(&rows.replace("3.3", "")).unwrap_err().to_string();
        assert!(
            error.contains("line 2, column 2: the value is missing"),
            "{error}"
        );
        for other in [
            rows.replace("Iris-", ""),
            rows.replace(",0.2", "").replace(",2.5", "").replace(",1.4", ""),
        ] {
            assert!(load(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn the_real_sets_have_their_sizes() {
        let Some(data) = std::env::var_os("MFNET_DATA_DIR") else {
            eprintln!("SKIPPED: MFNET_DATA_DIR names no folder with the real data sets");
            return;
        };
        let source = only(Path::new(&data));
        for load in [mnist::<f32>, fashion_mnist::<f32>] {
            let (train, test) = load(&source, &mut |_| {}).unwrap();
            assert_eq!((train.samples(), test.samples()), (60_000, 10_000));
            assert_eq!((train.features(), train.outputs()), (784, 10));
        }
        let housing = california_housing::<f64>(&source, &mut |_| {}).unwrap();
        let shape = (housing.samples(), housing.features(), housing.outputs());
        assert_eq!(shape, (20_640, 8, 1));
        let verdicts = Known::Iris.verify(&source).unwrap_or_default();
        if !verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Sound) {
            eprintln!("SKIPPED: iris.data is not read, it is not as UCI publishes it: {verdicts:?}");
            return;
        }
        let iris = iris::<f64>(&source, &mut |_| {}).unwrap();
        assert_eq!((iris.samples(), iris.features(), iris.outputs()), (150, 4, 3));
    }
}
