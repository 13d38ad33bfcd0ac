//! Looks for a data set in one place after the other.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::download;
use super::source::{Progress, Source};
use super::table::{File, KnownSet};
use crate::error::Error;

/// The paths of the set's files, in the table's order; fetches them if need be.
pub(super) fn obtain(
    set: &KnownSet<'_>,
    source: &Source,
    progress: &mut dyn FnMut(Progress<'_>),
) -> crate::error::Result<Vec<PathBuf>> {
    let mut tried = match look(set, source) {
        Ok(paths) => return Ok(paths),
        Err(answers) => answers,
    };
    match &source.cache_dir {
        _ if !source.download => tried.push("download: it is switched off".to_owned()),
        None => tried.push("download: there is no cache folder to keep it in".to_owned()),
        Some(cache) => match download::fetch(set, cache, progress) {
            Ok(paths) => return Ok(paths),
            Err(answers) => tried.extend(answers),
        },
    }
    Err(Error::Unavailable {
        dataset: set.name.to_owned(),
        tried,
        help: help(set),
    })
}

/// The paths of the set's files in the first folder that has them all, or what is wrong with each folder.
pub(super) fn look(set: &KnownSet<'_>, source: &Source) -> Result<Vec<PathBuf>, Vec<String>> {
    let mut tried = Vec::new();
    for directory in [&source.data_dir, &source.cache_dir].into_iter().flatten() {
        match find_all(set, directory) {
            Ok(paths) => return Ok(paths),
            Err(answer) => tried.push(answer),
        }
    }
    Err(tried)
}

/// All files of the set below this directory, or what is wrong with the first that cannot be had.
fn find_all(set: &KnownSet<'_>, directory: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = directory.join(set.folder);
    let path = |file| {
        let missing = |file: &File<'_>| format!("{}: no {}(.gz)", folder.display(), file.name);
        find(&folder, file)?.ok_or_else(|| missing(file))
    };
    set.files.iter().map(path).collect()
}

/// The file in this folder, gzipped or not, if it is there.
pub(super) fn find(folder: &Path, file: &File<'_>) -> Result<Option<PathBuf>, String> {
    for name in [format!("{}.gz", file.name), file.name.to_owned()] {
        let path = folder.join(name);
        match fs::metadata(&path) {
            Ok(found) if found.is_file() => return Ok(Some(path)),
            Ok(_) => return Err(format!("{}: not a file", path.display())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
    }
    Ok(None)
}

fn help(set: &KnownSet<'_>) -> String {
    let names = set.files.iter().map(|file| format!("{}.gz", file.name));
    let names = names.collect::<Vec<_>>().join(", ");
    format!(
        "put {names} (with or without .gz) into a folder DIR/{} and name DIR by --data-dir or the environment \
         variable MFNET_DATA_DIR; or use the data set `digits`, which needs no files",
        set.folder
    )
}

#[cfg(test)]
mod tests {
    use super::super::table::Md5;
    use super::*;

    const SET: KnownSet<'static> = KnownSet {
        name: "pair",
        description: "",
        folder: "pair",
        files: &[file("first"), file("second")],
        mirrors: &[],
    };

    const fn file(name: &'static str) -> File<'static> {
        File {
            name,
            bytes: 1,
            md5: Md5::Content(""),
        }
    }

    fn offline(data: &Path, cache: &Path) -> Source {
        Source {
            data_dir: Some(data.to_owned()),
            cache_dir: Some(cache.to_owned()),
            download: false,
        }
    }

    fn place(directory: &Path, names: &[&str]) {
        let folder = directory.join(SET.folder);
        fs::create_dir_all(&folder).unwrap();
        for name in names {
            fs::write(folder.join(name), "x").unwrap();
        }
    }

    #[test]
    fn the_named_folder_comes_before_the_cache() {
        let (data, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let source = offline(data.path(), cache.path());
        place(cache.path(), &["first.gz", "second.gz"]);
        place(data.path(), &["first.gz"]);
        let found = obtain(&SET, &source, &mut |_| {}).unwrap();
        assert_eq!(found[0], cache.path().join("pair/first.gz"));
        place(data.path(), &["second"]);
        let found = obtain(&SET, &source, &mut |_| {}).unwrap();
        let here = data.path().join("pair");
        assert_eq!(found, [here.join("first.gz"), here.join("second")]);
    }

    #[test]
    fn a_missing_set_names_every_place_and_the_remedy() {
        let (data, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        place(data.path(), &["first.gz"]);
        fs::create_dir_all(cache.path().join("pair/first")).unwrap();
        let error = obtain(&SET, &offline(data.path(), cache.path()), &mut |_| {}).unwrap_err();
        let Error::Unavailable { dataset, tried, help } = error else {
            panic!("{error}");
        };
        assert_eq!(dataset, "pair");
        assert_eq!(
            tried,
            [
                format!("{}: no second(.gz)", data.path().join("pair").display()),
                format!("{}: not a file", cache.path().join("pair/first").display()),
                "download: it is switched off".to_owned(),
            ]
        );
        for word in [
            "first.gz",
            "second.gz",
            "DIR/pair",
            "--data-dir",
            "MFNET_DATA_DIR",
            "digits",
        ] {
            assert!(help.contains(word), "{word} is not in: {help}");
        }
    }

    #[test]
    fn without_any_folder_there_is_no_download() {
        let nowhere = Source {
            data_dir: None,
            cache_dir: None,
            download: true,
        };
        let error = obtain(&SET, &nowhere, &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("no cache folder"), "{error}");
    }
}
