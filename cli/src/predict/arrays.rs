//! Predictions as NumPy's files.

use std::io::{Cursor, Write};
use std::path::Path;

use mfnet::Element;
use mfnet::data::read::{write_npy, write_npy_labels, write_npz};
use ndarray::{Array2, Axis, concatenate};

use super::{Answers, Form, Wanted};

/// All answers, as the files hold them.
#[derive(Debug)]
pub(super) struct Arrays<T>(Answers<T>);

impl<T: Element> Arrays<T> {
    /// Collects the answers, with as many columns as the model has outputs.
    pub(super) fn collect(
        parts: impl Iterator<Item = anyhow::Result<Answers<T>>>,
        outputs: usize,
    ) -> anyhow::Result<Self> {
        // The first part has no rows, for samples without any.
        let none = Answers {
            values: Array2::zeros((0, outputs)),
            classes: Vec::new(),
            kept: None,
        };
        let parts = std::iter::once(Ok(none)).chain(parts);
        let parts = parts.collect::<anyhow::Result<Vec<_>>>()?;
        let views: Vec<_> = parts.iter().map(|part| part.values.view()).collect();
        let values = concatenate(Axis(0), &views)?;
        let classes = parts
            .iter()
            .flat_map(|part| part.classes.iter().copied())
            .collect();
        Ok(Arrays(Answers {
            values,
            classes,
            kept: None,
        }))
    }

    /// NPY: the wanted values, classes by their numbers. NPZ: `predictions`, which are probabilities of classes (scores
    /// where there are no probabilities), probabilities of yes, or numbers, and for classes, and a single yes/no target,
    /// `labels`.
    pub(super) fn write(&self, form: Form, wanted: Wanted, sink: &mut impl Write) -> anyhow::Result<()> {
        let Arrays(Answers { values, classes, .. }) = self;
        // Errors call it by the name of the file it goes into.
        let name = Path::new("predictions");
        let mut content = Cursor::new(Vec::new());
        match (form, wanted) {
            // The labels of an archive are one for each sample.
            (Form::Npz, _) if classes.len() != values.nrows() => {
                write_npz(name, &mut content, values.view(), None)?;
            }
            (Form::Npz, Wanted::Numbers) => write_npz(name, &mut content, values.view(), None)?,
            (Form::Npz, _) => write_npz(name, &mut content, values.view(), Some(classes))?,
            (_, Wanted::Class) => write_npy_labels(name, &mut content, classes)?,
            (_, Wanted::Answers) => {
                let numbers = classes.iter().map(|&answer| T::from_f64(answer.into()));
                let answers = Array2::from_shape_vec(values.dim(), numbers.collect())?;
                write_npy(name, &mut content, answers.view())?;
            }
            _ => write_npy(name, &mut content, values.view())?,
        }
        sink.write_all(content.get_ref())?;
        Ok(sink.flush()?)
    }
}
