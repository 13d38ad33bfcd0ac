//! The table of the known data sets: their files, where they are published, and what proves them whole.

/// A data set.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownSet<'a> {
    /// Its name, which the `mfnet` command has too.
    pub(super) name: &'a str,
    /// A one-line description of the samples.
    pub(super) description: &'a str,
    /// Its folder, in the user's folder of data sets and in the cache.
    pub(super) folder: &'a str,
    pub(super) files: &'a [File<'a>],
    /// Places that publish it, in the order they are tried.
    pub(super) mirrors: &'a [Mirror<'a>],
}

/// One file of a data set.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'a> {
    /// Its name in the set's folder, where it may also be gzipped and end in `.gz`.
    pub(super) name: &'a str,
    /// The exact size of its content in bytes, which bounds every download: gzipped files are smaller.
    pub(super) bytes: u64,
    pub(super) md5: Md5<'a>,
}

/// An MD5 sum as published, in hexadecimal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Md5<'a> {
    /// Of the content, however it is compressed.
    Content(&'a str),
    /// Of the gzipped file.
    Gzipped(&'a str),
}

/// A place that publishes the files of a data set.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mirror<'a> {
    /// Each file by itself, at this address followed by the file's name and `.gz`.
    Gzipped(&'a str),
    /// Each file by itself, at this address followed by the file's name.
    Plain(&'a str),
    /// A gzipped tar archive at this address, the files in this folder of it.
    Archive { url: &'a str, folder: &'a str },
}

/// Sums: of the content, as printed with the original publication.
pub(super) const MNIST: KnownSet<'static> = KnownSet {
    name: "mnist",
    description: "60,000 + 10,000 handwritten digits, 28 x 28 pixels, 10 classes",
    folder: "mnist",
    files: &[
        File {
            name: "train-images-idx3-ubyte",
            bytes: 47_040_016,
            md5: Md5::Content("6bbc9ace898e44ae57da46a324031adb"),
        },
        File {
            name: "train-labels-idx1-ubyte",
            bytes: 60_008,
            md5: Md5::Content("a25bea736e30d166cdddb491f175f624"),
        },
        File {
            name: "t10k-images-idx3-ubyte",
            bytes: 7_840_016,
            md5: Md5::Content("2646ac647ad5339dbf082846283269ea"),
        },
        File {
            name: "t10k-labels-idx1-ubyte",
            bytes: 10_008,
            md5: Md5::Content("27ae3e4e09519cfbb04c329615203637"),
        },
    ],
    mirrors: &[
        Mirror::Gzipped("https://ossci-datasets.s3.amazonaws.com/mnist/"),
        Mirror::Gzipped("https://storage.googleapis.com/cvdf-datasets/mnist/"),
    ],
};

/// Sums: of the gzipped files, as its authors publish them.
pub(super) const FASHION_MNIST: KnownSet<'static> = KnownSet {
    name: "fashion-mnist",
    description: "60,000 + 10,000 pictures of clothing, 28 x 28 pixels, 10 classes",
    folder: "fashion_mnist",
    files: &[
        File {
            name: "train-images-idx3-ubyte",
            bytes: 47_040_016,
            md5: Md5::Gzipped("8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        },
        File {
            name: "train-labels-idx1-ubyte",
            bytes: 60_008,
            md5: Md5::Gzipped("25c81989df183df01b3e8a0aad5dffbe"),
        },
        File {
            name: "t10k-images-idx3-ubyte",
            bytes: 7_840_016,
            md5: Md5::Gzipped("bef4ecab320f06d8554ea6380940ec79"),
        },
        File {
            name: "t10k-labels-idx1-ubyte",
            bytes: 10_008,
            md5: Md5::Gzipped("bb300cfdad3c16e7a12a480ee83cd310"),
        },
    ],
    mirrors: &[
        Mirror::Gzipped("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
        Mirror::Gzipped(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
    ],
};

/// Sum: of StatLib's table in the form that L. Torgo's archive gives it.
pub(super) const CALIFORNIA_HOUSING: KnownSet<'static> = KnownSet {
    name: "california-housing",
    description: "20,640 districts, 8 features, the median house value",
    folder: "california_housing",
    files: &[File {
        name: "cal_housing.data",
        bytes: 2_092_122,
        md5: Md5::Content("01d0b31df796a8d4b7a6ce4c37f42dbc"),
    }],
    mirrors: &[
        Mirror::Archive {
            url: "https://ndownloader.figshare.com/files/5976036",
            folder: "CaliforniaHousing",
        },
        Mirror::Archive {
            url: "https://www.dcc.fc.up.pt/~ltorgo/Regression/cal_housing.tgz",
            folder: "CaliforniaHousing",
        },
    ],
};

/// Sum: of the file that UCI's repository publishes, 150 rows and an empty line.
pub(super) const IRIS: KnownSet<'static> = KnownSet {
    name: "iris",
    description: "150 flowers, 4 features, 3 classes",
    folder: "iris",
    files: &[File {
        name: "iris.data",
        bytes: 4_551,
        md5: Md5::Content("42615765a885ddf54427f12c34a0a070"),
    }],
    mirrors: &[Mirror::Plain(
        "https://archive.ics.uci.edu/ml/machine-learning-databases/iris/",
    )],
};

#[cfg(all(test, feature = "download"))]
mod tests {
    use super::super::keep::md5;
    use super::super::search::find;
    use super::*;
    use flate2::read::GzDecoder;
    use std::fs;
    use std::io::Read;
    use std::path::Path;

    #[test]
    fn sums_and_sizes_are_those_of_the_real_files() {
        let Some(data) = std::env::var_os("MFNET_DATA_DIR") else {
            eprintln!("SKIPPED: MFNET_DATA_DIR names no folder with the real data sets");
            return;
        };
        for set in [MNIST, CALIFORNIA_HOUSING] {
            let folder = Path::new(&data).join(set.folder);
            for file in set.files {
                let path = find(&folder, file).unwrap().unwrap();
                let mut content = fs::read(&path).unwrap();
                if path.extension().is_some_and(|end| end == "gz") {
                    let packed = std::mem::take(&mut content);
                    GzDecoder::new(&packed[..]).read_to_end(&mut content).unwrap();
                }
                assert_eq!(content.len() as u64, file.bytes, "{}", file.name);
                let found = md5(&content[..]).unwrap();
                assert!(
                    matches!(file.md5, Md5::Content(sum) if sum == found),
                    "{}: {found}",
                    file.name
                );
            }
        }
    }

    #[test]
    fn sets_in_archives_have_sums_of_their_content() {
        // Of a file taken out of an archive there is no gzipped form to compare.
        let content = |file: &File<'_>| matches!(file.md5, Md5::Content(_));
        let gzipped = |mirror: &Mirror<'_>| matches!(mirror, Mirror::Gzipped(_));
        for set in [MNIST, FASHION_MNIST, CALIFORNIA_HOUSING, IRIS] {
            assert!(set.files.iter().all(content) || set.mirrors.iter().all(gzipped));
        }
    }
}
