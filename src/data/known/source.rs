//! Where the known data sets may be looked for, and how a download reports itself.

use std::ffi::OsString;
use std::path::PathBuf;

/// Where to look for a known data set, in the order of the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A folder of the user's own, which is only read. Default: the environment variable `MFNET_DATA_DIR`.
    pub data_dir: Option<PathBuf>,
    /// The folder that keeps downloads. Default: `$XDG_CACHE_HOME/mfnet` or `~/.cache/mfnet`; on macOS
    /// `~/Library/Caches/mfnet`; on Windows `%LOCALAPPDATA%\mfnet`.
    pub cache_dir: Option<PathBuf>,
    /// Whether what neither folder has may be fetched into `cache_dir`. Default: yes, if the crate was built with its
    /// feature `download`.
    pub download: bool,
}

impl Default for Source {
    fn default() -> Self {
        Source::from_environment(|name| std::env::var_os(name))
    }
}

impl Source {
    fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let cache = if cfg!(windows) {
            folder("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            folder("HOME").map(|home| home.join("Library/Caches"))
        } else {
            // The XDG specification has relative paths ignored.
            folder("XDG_CACHE_HOME")
                .filter(|cache| cache.is_absolute())
                .or_else(|| folder("HOME").map(|home| home.join(".cache")))
        };
        Source {
            data_dir: folder("MFNET_DATA_DIR"),
            cache_dir: cache.map(|cache| cache.join("mfnet")),
            download: cfg!(feature = "download"),
        }
    }
}

/// How far the download of one file has come. A file that is fetched anew from another mirror starts again at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The address.
    pub url: &'a str,
    /// The bytes that have arrived.
    pub done: u64,
    /// The bytes that are to arrive, if the server says.
    pub total: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(variables: &[(&str, &str)]) -> Source {
        Source::from_environment(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_environment_names_the_data_folder() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(source(&[("MFNET_DATA_DIR", "data")]).data_dir, path("data"));
        assert_eq!(source(&[("MFNET_DATA_DIR", "")]).data_dir, None);
        assert_eq!(source(&[]).cache_dir, None);
    }

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn the_cache_follows_xdg() {
        let cache = |variables| source(variables).cache_dir;
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(cache(&[("HOME", "/h")]), path("/h/.cache/mfnet"));
        assert_eq!(
            cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]),
            path("/x/mfnet")
        );
        assert_eq!(
            cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "x")]),
            path("/h/.cache/mfnet")
        );
    }
}
