//! Readers for files that others made: nothing in them is believed before it is checked.

#[cfg(feature = "npy")]
mod array_targets;
#[cfg(feature = "npy")]
mod arrays;
mod blocks;
mod csv;
mod foreign;
mod housing;
mod idx;
#[cfg(feature = "npy")]
mod npy;
#[cfg(feature = "npy")]
mod npz;
mod parts;
mod rows;
mod source;

#[cfg(feature = "npy")]
pub use arrays::{
    NumpyExamples, read_npy_inputs, read_npy_pair, read_npy_samples, read_npz, read_npz_inputs,
    read_npz_samples,
};
pub(crate) use csv::shorten;
#[cfg(test)]
pub(crate) use csv::table_of;
pub use csv::{CsvOptions, read_csv, read_csv_from, read_csv_parts, read_csv_parts_from};
pub use housing::{CALIFORNIA_HOUSING_FEATURES, read_california_housing};
pub(crate) use idx::read_images_of;
pub use idx::{Idx, read_idx, read_images, read_labels};
#[cfg(feature = "npy")]
pub use npy::{write_npy, write_npy_labels};
#[cfg(feature = "npy")]
pub use npz::write_npz;
pub use parts::CsvParts;
