//! Folders for tests, and what is in them.

use std::fs;
use std::ops::Deref;
use std::path::Path;

use mfnet::Element;
use ndarray::Array2;
use tempfile::TempDir;

/// A temporary folder, which is used as its path.
pub struct Folder(TempDir);

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.0.path()
    }
}

/// A new folder with these files.
pub fn folder_with(files: &[(&str, &str)]) -> Folder {
    let folder = Folder(tempfile::tempdir().unwrap());
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    folder
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

/// The content of a file that is text.
pub fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// The bytes of the model of a run.
pub fn model_bytes(folder: &Path, run: &str) -> Vec<u8> {
    fs::read(folder.join(run).join("model.safetensors")).unwrap()
}

/// Writes an array as a file of NumPy.
pub fn write_npy<T: Element>(folder: &Path, name: &str, values: &Array2<T>) {
    let path = folder.join(name);
    let file = fs::File::create(&path).unwrap();
    mfnet::data::read::write_npy(&path, file, values.view()).unwrap();
}

/// Writes a California Housing of a few made-up districts, as a folder of data sets has it.
pub fn write_housing(data: &Path) {
    let district = |row: usize| {
        let wave = |step: f64| (2.0 + (step * row as f64).sin()).to_string();
        let numbers = [0.3, 0.5, 0.7, 1.1, 1.3, 1.7, 1.9, 2.3, 2.9].map(wave);
        numbers.join(",") + "\n"
    };
    let housing = data.join("california_housing");
    fs::create_dir_all(&housing).unwrap();
    let districts: String = (0..100).map(district).collect();
    fs::write(housing.join("cal_housing.data"), districts).unwrap();
}
