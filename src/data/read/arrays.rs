//! NumPy's arrays as examples: which are pixels, which are classes.

use std::collections::HashMap;
use std::path::Path;

use ndarray::Array2;

use super::npy::read_array;
use super::npz::read_arrays;
use crate::data::examples::numbered;
use crate::data::infer::{MOST_CLASSES, whole, why_no_class, why_numbers};
use crate::data::matching::truth_labels;
use crate::data::rounding::Rounding;
use crate::data::{Dataset, Examples, Inputs, RawSamples, Schema, Targets, Task};
use crate::element::Element;
use crate::error::{Error, Result};

/// The most different values of an array of integers that are taken for classes.
const MOST_INTEGER_CLASSES: usize = 1000;

/// An array of any rank, the last dimension running fastest.
pub(super) struct Array {
    /// What errors call it.
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) numbers: Numbers,
}

/// The numbers of an array, as exact as in the file; whole numbers beyond `i64` are doubles.
pub(super) enum Numbers {
    Bytes(Vec<u8>),
    Integers(Vec<i64>),
    Singles(Vec<f32>),
    Doubles(Vec<f64>),
}

/// Examples out of NumPy's files: to train on, and to test with if the file has such.
#[derive(Debug, Clone)]
pub struct NumpyExamples<T> {
    /// The training samples, what they mean, and why.
    pub train: Examples<T>,
    /// The test samples, with the training samples' classes.
    pub test: Option<RawSamples<T>>,
}

/// Reads examples from an NPZ archive with the arrays `x_train`, `y_train`, `x_test` and `y_test` (the last two may
/// be missing), as Keras publishes its data sets, or with `x` and `y`; capitals are as good.
///
/// Arrays are of bool, integers, or floats of 32 or 64 bits, in any order of bytes or elements. The first dimension
/// of inputs counts samples, all others become features. Unsigned bytes are taken for pixels ([`Inputs::Pixels`]), which are
/// divided by 255, unless all of them are 0 or 1; [`Examples::reason`] says so.
/// Targets of the shape (samples) or (samples, 1) are classes if they are integers of at most 1000 different values,
/// or floats that are whole and have at most 20, and nearly as many only where there are two; the rule of
/// [`Examples`] otherwise. Targets of the shape (samples, classes) are classes if each row is a single 1 among
/// zeros, and else a regression of several outputs. `task` says otherwise.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; [`Error::InvalidFile`] for a damaged archive, two arrays of one name, an
/// array of another type, or one with more or fewer numbers than its shape asks for; [`Error::InvalidData`] for
/// arrays that are not there or do not fit each other, test samples of another shape than the training samples, numbers that
/// are not finite, columns whose numbers differ by less than a `T` can tell, and a test class that does not occur in training.
pub fn read_npz<T: Element>(path: &Path, task: Option<Task>) -> Result<NumpyExamples<T>> {
    const NAMES: [&str; 10] = [
        "x_train", "X_train", "y_train", "Y_train", "x_test", "X_test", "y_test", "Y_test", "x", "y",
    ];
    let wanted = [&NAMES[..], &["X", "Y"]].concat();
    let mut members = read_arrays(path, &wanted)?;
    let refuse = |problem: String| Error::data(path.display(), problem);
    let mut take = |name: &str| members.take(name);
    let (x, y, test) = match (take("x_train"), take("y_train")) {
        (Some(x), Some(y)) => (x, y, (take("x_test"), take("y_test"))),
        _ => match (take("x"), take("y")) {
            (Some(x), Some(y)) => (x, y, (None, None)),
            _ => {
                return Err(refuse(format!(
                    "the arrays must be named x_train and y_train (x_test and y_test too, for a test set), or x and \
                     y; they are named {}",
                    members.names.join(", ")
                )));
            }
        },
    };
    let shape = x.shape.clone();
    let train = examples_of(x, y, task)?;
    let test = match test {
        (Some(x), Some(y)) => {
            if x.shape.get(1..) != shape.get(1..) {
                return Err(refuse(format!(
                    "the shape of x_test is {}, and that of x_train {}: they differ in more than the number of samples",
                    shown(&x.shape),
                    shown(&shape)
                )));
            }
            Some(samples_of(x, y, &train.schema)?.into())
        }
        (None, None) => None,
        _ => return Err(refuse("of x_test and y_test, one is missing".to_owned())),
    };
    Ok(NumpyExamples { train, test })
}

/// Reads examples from a pair of NPY files, inputs and targets, as [`read_npz`] does from an archive.
///
/// # Errors
///
/// As [`read_npz`].
pub fn read_npy_pair<T: Element>(inputs: &Path, targets: &Path, task: Option<Task>) -> Result<Examples<T>> {
    examples_of(read_array(inputs)?, read_array(targets)?, task)
}

/// Reads the raw samples of a pair of NPY files for a model whose schema was kept. Of classes that it calls by texts,
/// numbers are the places, counted from 0.
///
/// # Errors
///
/// As [`read_npz`], and [`Error::InvalidData`] for another number of features or outputs, or a class that did not
/// occur in training.
pub fn read_npy_samples<T: Element>(inputs: &Path, targets: &Path, schema: &Schema<T>) -> Result<Dataset<T>> {
    samples_of(read_array(inputs)?, read_array(targets)?, schema)
}

/// Reads the raw samples of an NPZ archive for a model whose schema was kept: `x_test` and `y_test`, or else `x` and
/// `y`.
///
/// # Errors
///
/// As [`read_npy_samples`].
pub fn read_npz_samples<T: Element>(path: &Path, schema: &Schema<T>) -> Result<Dataset<T>> {
    let wanted = ["x_test", "X_test", "y_test", "Y_test", "x", "X", "y", "Y"];
    let mut members = read_arrays(path, &wanted)?;
    for (x, y) in [("x_test", "y_test"), ("x", "y")] {
        if let (Some(x), Some(y)) = (members.take(x), members.take(y)) {
            return samples_of(x, y, schema);
        }
    }
    Err(not_there(path, "x_test and y_test, or x and y", &members.names))
}

/// Reads raw inputs alone, samples x features, from an NPY file.
///
/// # Errors
///
/// As [`read_npz`].
pub fn read_npy_inputs<T: Element>(path: &Path) -> Result<Inputs<T>> {
    inputs_of(read_array(path)?)
}

/// Reads raw inputs alone, samples x features, from an NPZ archive: `x`, or else `x_test`, or else the only array.
///
/// # Errors
///
/// As [`read_npz`].
pub fn read_npz_inputs<T: Element>(path: &Path) -> Result<Inputs<T>> {
    let mut members = read_arrays(path, &["x", "X", "x_test", "X_test"])?;
    if let Some(x) = members.take("x").or_else(|| members.take("x_test")) {
        return inputs_of(x);
    }
    if let [only] = members.names.as_slice()
        && let Some(x) = read_arrays(path, &[only.as_str()])?.take(only)
    {
        return inputs_of(x);
    }
    Err(not_there(path, "x or x_test", &members.names))
}

fn not_there(path: &Path, wanted: &str, names: &[String]) -> Error {
    let problem = format_args!(
        "the arrays must be named {wanted}; they are named {}",
        names.join(", ")
    );
    Error::data(path.display(), problem)
}

/// Samples x features.
fn inputs_of<T: Element>(array: Array) -> Result<Inputs<T>> {
    let Array { name, shape, numbers } = array;
    let (samples, features) = match shape.as_slice() {
        [] | [_] => {
            return Err(Error::data(
                name,
                format_args!(
                    "inputs have the shape (samples, features, ...), and this array {}",
                    shown(&shape)
                ),
            ));
        }
        lengths if lengths.contains(&0) => {
            return Err(Error::data(
                name,
                format_args!("the array is empty: its shape is {}", shown(&shape)),
            ));
        }
        [samples, features @ ..] => (*samples, features.iter().product()),
    };
    let misfit = |error| Error::shape("inputs", "an array of its own shape", error);
    let shape = (samples, features);
    Ok(match numbers {
        Numbers::Bytes(bits) if bits.iter().all(|&bit| bit <= 1) => {
            let values = bits.into_iter().map(T::from_u8).collect();
            Inputs::Values(Array2::from_shape_vec(shape, values).map_err(misfit)?)
        }
        Numbers::Bytes(pixels) => Inputs::Pixels(Array2::from_shape_vec(shape, pixels).map_err(misfit)?),
        numbers => {
            let values = Array2::from_shape_vec(shape, values_of(numbers)).map_err(misfit)?;
            crate::data::dataset::check_finite(&name, values.view())?;
            Inputs::Values(values)
        }
    })
}

/// The numbers as a `T`.
fn values_of<T: Element>(numbers: Numbers) -> Vec<T> {
    match numbers {
        Numbers::Bytes(bytes) => bytes.into_iter().map(T::from_u8).collect(),
        Numbers::Integers(integers) => (integers.into_iter())
            .map(|number| T::from_f64(number as f64))
            .collect(),
        Numbers::Singles(values) => (values.into_iter())
            .map(|number| T::from_f64(number.into()))
            .collect(),
        Numbers::Doubles(values) => values.into_iter().map(T::from_f64).collect(),
    }
}

/// Refuses columns of an array, the dimensions behind the first, whose numbers differ by less than a `T` can tell.
fn refuse_lost_differences<T: Element>(array: &Array) -> Result<()> {
    if array.shape.contains(&0) {
        return Ok(());
    }
    let columns = array.shape.iter().skip(1).product();
    let mut roundings = vec![Rounding::new(); columns];
    let mut add = |(place, number): (usize, f64)| roundings[place % columns].add::<T>(number);
    match &array.numbers {
        // Any type has all of these numbers.
        Numbers::Bytes(_) | Numbers::Singles(_) => return Ok(()),
        Numbers::Integers(integers) => (integers.iter())
            .map(|&number| number as f64)
            .enumerate()
            .for_each(&mut add),
        Numbers::Doubles(values) => values.iter().copied().enumerate().for_each(&mut add),
    }
    let mut problems = roundings.iter().map(Rounding::problem::<T>).enumerate();
    match problems.find_map(|(column, problem)| Some((column, problem?))) {
        None => Ok(()),
        Some((column, problem)) => Err(Error::data(
            &array.name,
            format_args!("column {column} (counted from 0) {problem}"),
        )),
    }
}

/// Targets as they are stored, one or several numbers a sample.
struct RawTargets<T> {
    name: String,
    columns: usize,
    values: Array2<T>,
    /// The integers, if they are stored as such.
    integers: Option<Vec<i64>>,
    /// The numbers in `f64`.
    exact: Vec<f64>,
}

impl<T: Element> RawTargets<T> {
    fn of(array: Array) -> Result<Self> {
        let Array { name, shape, numbers } = array;
        let columns = match shape.as_slice() {
            [_] => 1,
            [_, columns] => *columns,
            _ => {
                return Err(Error::data(
                    name,
                    format_args!(
                        "targets have the shape (samples) or (samples, outputs), not {}",
                        shown(&shape)
                    ),
                ));
            }
        };
        let integers = match &numbers {
            Numbers::Bytes(bytes) => Some(bytes.iter().copied().map(i64::from).collect()),
            Numbers::Integers(integers) => Some(integers.clone()),
            Numbers::Singles(_) | Numbers::Doubles(_) => None,
        };
        let exact: Vec<f64> = values_of(numbers);
        if exact.is_empty() {
            return Err(Error::data(
                name,
                format_args!("the array is empty: its shape is {}", shown(&shape)),
            ));
        }
        let values = exact.iter().map(|&number| T::from_f64(number)).collect();
        let values = Array2::from_shape_vec((shape[0], columns), values)
            .map_err(|error| Error::shape("targets", "an array of its own shape", error))?;
        crate::data::dataset::check_finite(&name, values.view())?;
        Ok(RawTargets {
            name,
            columns,
            integers,
            values,
            exact,
        })
    }

    /// The place of the 1 in each row, if each is a single 1 among zeros.
    fn one_hot(&self) -> Option<Vec<u32>> {
        if self.columns < 2 {
            return None;
        }
        crate::data::one_hot_decode(self.values.view()).ok()
    }

    /// Each number as an integer, or as it is if it is none.
    fn integers(&self) -> Box<dyn Iterator<Item = std::result::Result<i64, f64>> + '_> {
        match &self.integers {
            Some(integers) => Box::new(integers.iter().copied().map(Ok)),
            None => Box::new(self.exact.iter().map(|&number| whole(number).ok_or(number))),
        }
    }

    /// The values, which are 0 or 1.
    fn answers(self) -> Result<Array2<T>> {
        let is_answer = |value: T| value == T::zero() || value == T::one();
        match self.values.indexed_iter().find(|&(_, &value)| !is_answer(value)) {
            None => Ok(self.values),
            Some(((row, column), value)) => Err(Error::data(
                &self.name,
                format_args!("row {row}, column {column} is {value}: yes/no targets are 1 and 0"),
            )),
        }
    }

    /// The whole numbers of a single column.
    fn whole(&self) -> Result<Vec<i64>> {
        if self.columns != 1 {
            return Err(Error::data(
                &self.name,
                format_args!("{} columns that are not one-hot are no classes", self.columns),
            ));
        }
        let number = |(row, number): (usize, std::result::Result<i64, f64>)| {
            number.map_err(|number| {
                let why = why_no_class(number);
                Error::data(
                    &self.name,
                    format_args!("row {row} is {number}, {why}, so it is no class"),
                )
            })
        };
        self.integers().enumerate().map(number).collect()
    }
}

/// Examples to train on.
fn examples_of<T: Element>(x: Array, y: Array, task: Option<Task>) -> Result<Examples<T>> {
    check_samples(&x, &y)?;
    let lost_inputs = refuse_lost_differences::<T>(&x);
    let lost_targets = refuse_lost_differences::<T>(&y);
    let (inputs, raw) = (inputs_of(x)?, RawTargets::of(y)?);
    lost_inputs?;
    let most = if raw.integers.is_some() {
        MOST_INTEGER_CLASSES
    } else {
        MOST_CLASSES
    };
    let one_hot = raw.one_hot();
    let inferred = match (raw.columns, &one_hot) {
        (1, _) => match why_numbers(raw.integers(), most) {
            None => {
                let (_, different) = numbered(&raw.whole()?);
                let count = different.len();
                let reason = format!("classification: the targets are {count} different whole numbers");
                (Task::Classification, reason)
            }
            Some(why) => (Task::Regression, format!("regression: in the targets, {why}")),
        },
        (columns, Some(_)) => (
            Task::Classification,
            format!("classification: the targets are one-hot vectors of {columns} classes"),
        ),
        (columns, None) => (
            Task::Regression,
            format!("regression: there are {columns} targets"),
        ),
    };
    let (task, reason) = task.map_or(inferred, |task| (task, format!("{task}, as asked")));
    let (targets, labels) = match (task, one_hot) {
        (Task::Binary, _) => (Targets::Values(raw.answers()?), Vec::new()),
        (Task::Regression, _) => {
            lost_targets?;
            (Targets::Values(raw.values), Vec::new())
        }
        (Task::Classification, Some(labels)) => {
            let names = (0..raw.columns).map(|class| class.to_string()).collect();
            let classes = raw.columns;
            (Targets::Classes { labels, classes }, names)
        }
        (Task::Classification, None) => {
            let (labels, names) = numbered(&raw.whole()?);
            if names.len() < 2 {
                return Err(Error::data(
                    &raw.name,
                    "all targets are the same: there is nothing to learn",
                ));
            }
            let classes = names.len();
            let names = names.iter().map(i64::to_string).collect();
            (Targets::Classes { labels, classes }, names)
        }
    };
    let dataset = Dataset::new(inputs, targets)?;
    let schema = Schema {
        labels,
        ..Schema::of(&dataset)
    };
    let schema = match task {
        Task::Binary => schema.binary()?,
        Task::Regression | Task::Classification => schema,
    };
    let reason = match dataset.inputs() {
        Inputs::Pixels(_) => {
            format!("{reason}; inputs of unsigned bytes are taken for pixels and divided by 255")
        }
        _ => reason,
    };
    Ok(Examples {
        samples: dataset.into(),
        schema,
        reason,
    })
}

/// Samples for a model whose schema is known.
fn samples_of<T: Element>(x: Array, y: Array, schema: &Schema<T>) -> Result<Dataset<T>> {
    check_samples(&x, &y)?;
    let x_name = x.name.clone();
    let (inputs, raw) = (inputs_of(x)?, RawTargets::of(y)?);
    let (_, features) = inputs.dim();
    if features != schema.features {
        return Err(Error::data(
            x_name,
            format_args!(
                "the samples have {features} features, and those of the training {}",
                schema.features
            ),
        ));
    }
    let targets = match schema.task {
        Task::Regression if raw.columns == schema.outputs => Targets::Values(raw.values),
        Task::Binary if raw.columns == schema.outputs => Targets::Values(raw.answers()?),
        Task::Regression | Task::Binary => {
            let problem = format_args!(
                "there are {} targets, and in training {}",
                raw.columns, schema.outputs
            );
            return Err(Error::data(raw.name, problem));
        }
        Task::Classification => Targets::Classes {
            labels: match raw.one_hot() {
                Some(labels) if raw.columns == schema.outputs => labels,
                _ => known_labels(&raw, &schema.labels)?,
            },
            classes: schema.outputs,
        },
    };
    Dataset::new(inputs, targets)
}

fn known_labels<T: Element>(raw: &RawTargets<T>, names: &[String]) -> Result<Vec<u32>> {
    let known: HashMap<String, u32> = if let Some(truth) = truth_labels(names) {
        ["0", "1"].map(str::to_owned).into_iter().zip(truth).collect()
    } else if names.iter().all(|name| name.parse::<i64>().is_err()) {
        // Classes that are called by texts are numbered by their places.
        (0..)
            .take(names.len())
            .map(|place| (place.to_string(), place))
            .collect()
    } else {
        names.iter().cloned().zip(0..).collect()
    };
    let label = |(row, number): (usize, i64)| {
        known.get(&number.to_string()).copied().ok_or_else(|| {
            Error::data(
                &raw.name,
                format_args!(
                    "row {row}: the class {number} was not there in training, which knew {}",
                    names.join(", ")
                ),
            )
        })
    };
    raw.whole()?.into_iter().enumerate().map(label).collect()
}

fn check_samples(x: &Array, y: &Array) -> Result<()> {
    if x.shape.first() == y.shape.first() {
        return Ok(());
    }
    Err(Error::data(
        &x.name,
        format_args!(
            "inputs of the shape {} do not fit targets of the shape {} ({}): the first dimension counts samples",
            shown(&x.shape),
            shown(&y.shape),
            y.name
        ),
    ))
}

/// A shape as Python writes it.
fn shown(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        shape => {
            let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
            format!("({})", lengths.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::npy::tests::npy;
    use super::super::source::tests::file_of;
    use super::*;
    use ndarray::array;
    use std::io::{Cursor, Write};
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn npz(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn bytes(shape: &[usize], values: &[u8]) -> Vec<u8> {
        npy("|u1", false, shape, values)
    }

    fn longs(shape: &[usize], values: &[i64]) -> Vec<u8> {
        npy(
            "<i8",
            false,
            shape,
            &values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect::<Vec<_>>(),
        )
    }

    fn doubles(shape: &[usize], values: &[f64]) -> Vec<u8> {
        npy(
            "<f8",
            false,
            shape,
            &values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect::<Vec<_>>(),
        )
    }

    fn read(members: &[(&str, Vec<u8>)]) -> Result<NumpyExamples<f64>> {
        read_npz(file_of(&npz(members)).path(), None)
    }

    fn pair(x: Vec<u8>, y: Vec<u8>, task: Option<Task>) -> Result<Examples<f64>> {
        read_npy_pair(file_of(&x).path(), file_of(&y).path(), task)
    }

    fn message<O: std::fmt::Debug>(outcome: Result<O>) -> String {
        outcome.unwrap_err().to_string()
    }

    #[test]
    fn images_in_the_form_of_keras_become_pixels_and_classes() {
        let set = read(&[
            ("x_test.npy", bytes(&[1, 2, 2], &[9, 8, 7, 6])),
            ("x_train.npy", bytes(&[2, 2, 2], &[0, 1, 2, 3, 4, 5, 6, 255])),
            ("y_train.npy", bytes(&[2], &[7, 3])),
            ("y_test.npy", bytes(&[1], &[7])),
            ("else.npy", b"is not looked at".to_vec()),
        ])
        .unwrap();
        let data = &set.train.samples;
        assert_eq!(
            data.inputs(),
            &Inputs::Pixels(array![[0, 1, 2, 3], [4, 5, 6, 255]])
        );
        let classes = |labels| Targets::Classes { labels, classes: 2 };
        assert_eq!(data.targets(), &classes(vec![1, 0]));
        assert_eq!(set.train.schema.labels, ["3", "7"]);
        set.train.schema.check().unwrap();
        assert_eq!(set.test.unwrap().targets(), &classes(vec![1]));
        assert_eq!(
            set.train.reason,
            "classification: the targets are 2 different whole numbers; inputs of unsigned bytes are taken for pixels and \
             divided by 255"
        );
    }

    #[test]
    fn bytes_of_0_and_1_are_no_pixels() {
        let bits = pair(
            bytes(&[4, 2], &[0, 1, 1, 0, 1, 1, 0, 0]),
            longs(&[4], &[0, 1, 0, 1]),
            None,
        )
        .unwrap();
        let expected = array![[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]];
        assert_eq!(bits.samples.inputs(), &Inputs::Values(expected));
        assert_eq!(bits.schema.scaling, crate::data::Scaling::None);
        assert!(!bits.reason.contains("255"), "{}", bits.reason);
    }

    #[test]
    fn targets_show_what_they_are() {
        let x = || doubles(&[4, 1], &[1.0, 2.0, 3.0, 4.0]);
        let learn = |y, task| pair(x(), y, task).unwrap();
        let labels = |examples: &Examples<f64>| match examples.samples.targets() {
            Targets::Classes { labels, .. } => labels.clone(),
            Targets::Values(values) => panic!("{values}"),
        };
        assert_eq!(
            labels(&learn(longs(&[4, 1], &[-5, 9, 9, -5]), None)),
            [0, 1, 1, 0]
        );
        assert_eq!(
            labels(&learn(doubles(&[4], &[1.0, 0.0, 1.0, 0.0]), None)),
            [1, 0, 1, 0]
        );
        assert_eq!(
            labels(&learn(npy("|b1", false, &[4], &[1, 0, 1, 1]), None)),
            [1, 0, 1, 1]
        );
        let one_hot = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        let hot = learn(doubles(&[4, 3], &one_hot), None);
        assert_eq!((labels(&hot), hot.schema.labels.len()), (vec![1, 0, 2, 1], 3));
        let numbers = learn(doubles(&[4, 3], &one_hot), Some(Task::Regression));
        assert_eq!(numbers.schema.outputs, 3);
        assert_eq!(numbers.schema.labels, [""; 0]);
        for y in [
            doubles(&[4], &[1.5, 0.0, 1.0, 0.0]),
            longs(&[4], &[1, 2, 3, 4]),
            doubles(&[4, 2], &[0.5; 8]),
        ] {
            assert_eq!(learn(y, None).schema.task, Task::Regression);
        }
        assert_eq!(
            labels(&learn(longs(&[4], &[1, 2, 3, 4]), Some(Task::Classification))),
            [0, 1, 2, 3]
        );
    }

    #[test]
    fn long_integers_are_classes_of_their_own() {
        let limit = 1 << 53;
        let y = longs(&[4], &[limit, limit + 1, limit, limit + 1]);
        let examples = pair(doubles(&[4, 1], &[1.0, 2.0, 3.0, 4.0]), y, None).unwrap();
        assert_eq!(examples.schema.labels, ["9007199254740992", "9007199254740993"]);
    }

    #[test]
    fn numbers_that_rounding_makes_equal_are_refused() {
        let single = |x: Vec<u8>, y: Vec<u8>| {
            let (x, y) = (file_of(&x), file_of(&y));
            read_npy_pair::<f32>(x.path(), y.path(), Some(Task::Regression))
        };
        let times = [1.6e9, 1.0, 1.6e9 + 1.0, 2.0, 1.6e9 + 2.0, 3.0];
        let y = || doubles(&[3], &[0.5, 1.5, 2.0]);
        let error = message(single(doubles(&[3, 2], &times), y()));
        assert!(
            error.contains("column 0 (counted from 0) has numbers from 1600000000 to 1600000002, which f32 rounds by up to"),
            "{error}"
        );
        pair(doubles(&[3, 2], &times), y(), None).unwrap();
        let x = || doubles(&[3, 1], &[1.0, 2.0, 3.0]);
        let whole = longs(&[3], &[16_777_217, 16_777_218, 16_777_219]);
        assert!(message(single(x(), whole.clone())).contains("f32 rounds by up to"));
        assert!(
            message(single(longs(&[3, 1], &[16_777_217, 16_777_218, 16_777_219]), y()))
                .contains("--precision f64")
        );
        // Classes are not rounded.
        let (x, whole) = (file_of(&x()), file_of(&whole));
        read_npy_pair::<f32>(x.path(), whole.path(), Some(Task::Classification)).unwrap();
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let x = || doubles(&[2, 1], &[1.0, 2.0]);
        let y = || longs(&[2], &[0, 1]);
        for (found, expected) in [
            (
                message(pair(x(), longs(&[3], &[0, 1, 0]), None)),
                "shape (2, 1) do not fit targets of the shape (3,)",
            ),
            (
                message(pair(doubles(&[2], &[1.0, 2.0]), y(), None)),
                "this array (2,)",
            ),
            (
                message(pair(doubles(&[2, 0], &[]), y(), None)),
                "the array is empty",
            ),
            (
                message(pair(doubles(&[2, 1], &[1.0, f64::NAN]), y(), None)),
                "row 1, column 0 is NaN",
            ),
            (
                message(pair(x(), longs(&[2, 1, 1], &[0, 1]), None)),
                "not (2, 1, 1)",
            ),
            (
                message(pair(x(), doubles(&[2], &[0.5, 1.0]), Some(Task::Classification))),
                "row 0 is 0.5",
            ),
            (
                message(pair(doubles(&[0, 1 << 40, 1 << 40], &[]), longs(&[0], &[]), None)),
                "the array is empty",
            ),
            (
                message(pair(
                    x(),
                    doubles(&[2], &[9_007_199_254_740_992.0, 1.0]),
                    Some(Task::Classification),
                )),
                "row 0 is 9007199254740992, too large to be told from its neighbours, so it is no class",
            ),
            (
                message(pair(x(), longs(&[2], &[1, 1]), Some(Task::Classification))),
                "nothing to learn",
            ),
            (message(read(&[("a", x()), ("b", y())])), "they are named a, b"),
            (
                message(read(&[("x_train", x()), ("y_train", y()), ("x_test", x())])),
                "one is missing",
            ),
            (
                message(read(&[
                    ("x_train", x()),
                    ("y_train", y()),
                    ("x_test", x()),
                    ("y_test", longs(&[2], &[0, 2])),
                ])),
                "row 1: the class 2 was not there in training, which knew 0, 1",
            ),
            (
                message(read(&[
                    ("x_train", x()),
                    ("y_train", y()),
                    ("x_test", doubles(&[2, 2], &[0.0; 4])),
                    ("y_test", y()),
                ])),
                "the shape of x_test is (2, 2), and that of x_train (2, 1)",
            ),
        ] {
            assert!(found.contains(expected), "{found} is not {expected}");
        }
    }

    #[test]
    fn a_model_is_used_on_other_files() {
        let x = doubles(&[2, 1], &[1.0, 2.0]);
        let schema = pair(x.clone(), longs(&[2], &[5, 7]), None).unwrap().schema;
        let (inputs, targets) = (file_of(&x), file_of(&longs(&[2], &[7, 7])));
        let samples = read_npy_samples(inputs.path(), targets.path(), &schema).unwrap();
        assert_eq!(
            samples.targets(),
            &Targets::Classes {
                labels: vec![1, 1],
                classes: 2
            }
        );
        let archive = file_of(&npz(&[("X.npy", x.clone()), ("Y.npy", longs(&[2], &[7, 7]))]));
        assert_eq!(read_npz_samples(archive.path(), &schema).unwrap(), samples);
        let raw = Inputs::Values(array![[1.0], [2.0]]);
        assert_eq!(read_npy_inputs::<f64>(inputs.path()).unwrap(), raw);
        assert_eq!(read_npz_inputs::<f64>(archive.path()).unwrap(), raw);
        let only = file_of(&npz(&[("anything", x)]));
        assert_eq!(read_npz_inputs::<f64>(only.path()).unwrap(), raw);
        assert!(message(read_npz_samples(only.path(), &schema)).contains("they are named anything"));
    }

    #[test]
    fn hostile_archives_are_refused() {
        let (x, y) = (doubles(&[2, 1], &[1.0, 2.0]), longs(&[2], &[0, 1]));
        let refusal = |content: &[u8]| message(read_npz::<f64>(file_of(content).path(), None));
        let twice = npz(&[("x", x.clone()), ("x.npy", x.clone()), ("y", y.clone())]);
        assert!(
            refusal(&twice).contains("two arrays named `x`"),
            "{}",
            refusal(&twice)
        );
        // The same name to the byte: a writer refuses that, so a name of the same length is renamed.
        let mut same = npz(&[("x.npy", x.clone()), ("z.npy", x.clone()), ("y.npy", y.clone())]);
        while let Some(at) = same.windows(5).position(|name| name == b"z.npy") {
            same[at] = b'x';
        }
        assert!(refusal(&same).contains("same name"), "{}", refusal(&same));

        // 64 MB of zeros behind a header that promises two numbers, and a header that promises much more.
        let mut bomb = x.clone();
        bomb.resize(64 << 20, 0);
        assert!(refusal(&npz(&[("x", bomb), ("y", y.clone())])).contains("goes on after the 16 bytes"));
        let promise = doubles(&[1 << 30, 1], &[1.0]);
        let found = refusal(&npz(&[("x", promise), ("y", y.clone())]));
        assert!(
            found.contains("x: the array ends before the 8589934592 bytes"),
            "{found}"
        );

        let sound = npz(&[("x", x), ("y", y)]);
        for cut in [0, 10, sound.len() / 2, sound.len() - 1] {
            assert!(!refusal(&sound[..cut]).is_empty());
        }
        let mut damaged = sound.clone();
        damaged[60] ^= 0xff;
        assert!(!refusal(&damaged).is_empty());
    }
}
