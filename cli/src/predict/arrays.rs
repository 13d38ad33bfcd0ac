//! Predictions as NumPy's files.

use std::io::{Cursor, Write};
use std::path::Path;

use mfnet::Element;
use mfnet::data::read::{write_npy, write_npy_labels, write_npz};
use ndarray::{Axis, concatenate};

use super::{Answers, Form, Wanted};

/// All answers, as the files hold them.
#[derive(Debug)]
pub(super) struct Arrays<T>(Answers<T>);

impl<T: Element> Arrays<T> {
    pub(super) fn collect(parts: impl Iterator<Item = anyhow::Result<Answers<T>>>) -> anyhow::Result<Self> {
        let parts = parts.collect::<anyhow::Result<Vec<_>>>()?;
        let views: Vec<_> = parts.iter().map(|part| part.values.view()).collect();
        let values = concatenate(Axis(0), &views)?;
        let classes = parts
            .iter()
            .flat_map(|part| part.classes.iter().copied())
            .collect();
        Ok(Arrays(Answers { values, classes }))
    }

    /// NPY: what is wanted, classes by their numbers. NPZ: `predictions`, which are probabilities of classes, and for
    /// classes `labels`.
    pub(super) fn write(&self, form: Form, wanted: Wanted, sink: &mut impl Write) -> anyhow::Result<()> {
        let Arrays(Answers { values, classes }) = self;
        // Errors call it by the name of the file it goes into.
        let name = Path::new("predictions");
        let mut content = Cursor::new(Vec::new());
        match (form, wanted) {
            (Form::Npz, Wanted::Numbers) => write_npz(name, &mut content, values.view(), None)?,
            (Form::Npz, _) => write_npz(name, &mut content, values.view(), Some(classes))?,
            (_, Wanted::Class) => write_npy_labels(name, &mut content, classes)?,
            _ => write_npy(name, &mut content, values.view())?,
        }
        sink.write_all(content.get_ref())?;
        Ok(sink.flush()?)
    }
}
