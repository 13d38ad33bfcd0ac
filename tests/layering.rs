//! Imports point to a lower rank only, `unsafe` stays where it is allowed, and work is handed out in one way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The modules at the top of the crate, lowest rank first. A module may import those of lower ranks, and itself.
const RANKS: [&[&str]; 11] = [
    &["timing"],
    &["error", "kernel", "pool"],
    &["element", "atomic", "exact", "names"],
    &["augment", "random", "ranks", "blas", "plain"],
    &["product"],
    &["data", "layer", "machine"],
    &["loss", "metrics", "optimizer"],
    &["network"],
    &["baseline", "train"],
    &["checkpoint"],
    &["jobs", "report"],
];

/// `plain` is what the rest is held against: it shares with it nothing but these.
const IMPORTS_OF_PLAIN: &[&str] = &["error", "element"];

/// Where `unsafe` is allowed: in files that begin with one of these, below `src/`.
const UNSAFE: [&str; 2] = ["blas/", "kernel"];

fn rank(module: &str) -> Option<usize> {
    RANKS.iter().position(|modules| modules.contains(&module))
}

fn table() -> String {
    let row = |(rank, modules): (usize, &&[&str])| format!("  {rank}: {}\n", modules.join(", "));
    RANKS.iter().enumerate().map(row).collect()
}

/// The Rust files below `src/`, as paths from there, with `/` on every system, and their code without comments.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut sources) = (vec![root.clone()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace('\\', "/");
                sources.insert(name, without_comments(&std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    sources
}

/// Cuts each line where a comment begins. The project has no block comments.
fn without_comments(source: &str) -> String {
    source.lines().fold(String::new(), |code, line| {
        code + line.split("//").next().unwrap_or("") + "\n"
    })
}

/// The top module that a file belongs to; none for the roots of the crate.
fn module_of(file: &str) -> Option<&str> {
    let module = file.split('/').next()?.trim_end_matches(".rs");
    (module != "lib" && module != "main").then_some(module)
}

/// The first names behind each `crate::`, and behind each `super::` that ends at the root of the crate.
fn imports(file: &str, code: &str) -> Vec<String> {
    // `a.rs` and `a/mod.rs` are one step below the root, `a/b.rs` two.
    let depth = file.trim_end_matches("/mod.rs").split('/').count();
    let to_root = "super::".repeat(depth);
    let from_root = code
        .match_indices("crate::")
        .map(|(at, path)| &code[at + path.len()..]);
    // An import at the left margin belongs to the module itself, not to its tests.
    let from_parents = code.match_indices("\nuse ").filter_map(|(at, path)| {
        let path = &code[at + path.len()..];
        path.strip_prefix(to_root.as_str())
            .filter(|rest| !rest.starts_with("super::"))
    });
    from_root.chain(from_parents).flat_map(first_names).collect()
}

/// The name that a path begins with, or all that do where it begins with a brace.
fn first_names(path: &str) -> Vec<String> {
    let name = |path: &str| -> String {
        path.trim_start()
            .chars()
            .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
            .collect()
    };
    let Some(inside) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let (mut depth, mut names, mut starts) = (1, Vec::new(), true);
    for (at, letter) in inside.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => starts = true,
            _ if starts && !letter.is_whitespace() => {
                names.push(name(&inside[at..]));
                starts = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// What is wrong with a file's imports.
fn faults(file: &str, code: &str) -> Vec<String> {
    let Some(module) = module_of(file) else {
        return Vec::new();
    };
    let Some(own) = rank(module) else {
        return vec![format!("{file}: the module `{module}` has no rank yet")];
    };
    let fault = |import: String| match rank(&import) {
        _ if import == module => None,
        None => Some(format!(
            "{file}: `crate::{import}` is no module of the table: import from where it is"
        )),
        Some(_) if module == "plain" && !IMPORTS_OF_PLAIN.contains(&import.as_str()) => Some(format!(
            "{file}: `plain` imports `{import}`, and may import {IMPORTS_OF_PLAIN:?} only"
        )),
        Some(other) if other >= own => Some(format!(
            "{file}: `{module}`, of rank {own}, imports `{import}`, of rank {other}"
        )),
        Some(_) => None,
    };
    imports(file, code).into_iter().filter_map(fault).collect()
}

#[test]
fn imports_point_downwards() {
    let sources = sources();
    assert!(sources.contains_key("lib.rs") && sources.contains_key("network/mod.rs"));
    let faults: Vec<String> = sources
        .iter()
        .flat_map(|(file, code)| faults(file, code))
        .collect();
    assert!(
        faults.is_empty(),
        "{}\n\nThe ranks, which docs/ARCHITECTURE.md explains:\n{}",
        faults.join("\n"),
        table()
    );
}

#[test]
fn unsafe_code_stays_where_it_is_allowed() {
    let is_word = |code: &str, at: usize, word: &str| {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part)
    };
    for (file, code) in sources() {
        let found = code
            .match_indices("unsafe")
            .any(|(at, word)| is_word(&code, at, word));
        let allowed = UNSAFE.iter().any(|start| file.starts_with(start));
        assert!(
            allowed || !found,
            "{file}: `unsafe` is allowed in {UNSAFE:?} only"
        );
    }
}

/// What hands out work to rayon's threads.
const HANDS_OUT: [&str; 4] = ["rayon::join", "rayon::broadcast", "par_iter", "par_chunks"];

#[test]
fn work_is_handed_out_by_way_of_the_pool() {
    // The pool itself, and kernels, whose callers have entered it.
    let exempt = |file: &str| ["pool.rs", "kernel/"].iter().any(|start| file.starts_with(start));
    let hands_out = |code: &str| HANDS_OUT.iter().any(|word| code.contains(word));
    let files: Vec<(String, String)> = sources()
        .into_iter()
        .filter(|(_, code)| hands_out(code))
        .collect();
    assert!(files.iter().any(|(file, _)| file == "network/partition.rs"));
    for (file, code) in files.iter().filter(|(file, _)| !exempt(file)) {
        assert!(
            code.contains("pool::enter"),
            "{file}: rayon's threads are not there in a process that was forked"
        );
    }
}

/// The most names that users meet at the root of the crate.
const MOST_NAMES: usize = 45;

#[test]
fn the_root_has_few_names() {
    let lib = &sources()["lib.rs"];
    let visible = lib.split("#[doc(hidden)]").next().unwrap();
    let declared = visible.lines().filter_map(|line| line.strip_prefix("pub mod "));
    let mut names: Vec<String> = declared
        .map(|name| name.trim_end_matches(';').to_owned())
        .collect();
    for (at, start) in visible.match_indices("\npub use ") {
        let path = visible[at + start.len()..].split(';').next().unwrap();
        let list = path.rsplit_once("::").map_or(path, |(_, last)| last);
        let list = path
            .split_once('{')
            .map_or(list, |(_, list)| list.trim_end_matches('}'));
        names.extend(
            list.split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty()),
        );
    }
    assert!(names.iter().any(|name| name == "layer") && names.iter().any(|name| name == "Trainer"));
    assert!(names.len() <= MOST_NAMES, "{} names: {names:?}", names.len());
}

/// What the first test is worth.
#[test]
fn upward_imports_are_found() {
    let count = |file, code: &str| faults(file, &without_comments(code)).len();
    assert_eq!(count("data/split.rs", "use crate::network::NeuralNetwork;"), 1);
    assert_eq!(
        count("data/split.rs", "use crate::layer::Linear;"),
        1,
        "a neighbour"
    );
    assert_eq!(
        count(
            "data/split.rs",
            "use crate::{error::Error, train::{run, train}, loss};"
        ),
        2
    );
    assert_eq!(count("data/split.rs", "    fn f(x: &crate::report::Table) {}"), 1);
    assert_eq!(count("data/split.rs", "use crate::Error;"), 1, "a re-export");
    assert_eq!(count("random.rs", "\nuse super::network::NeuralNetwork;"), 1);
    assert_eq!(
        count("data/split.rs", "\nuse super::super::network::NeuralNetwork;"),
        1
    );
    assert_eq!(count("plain/loss.rs", "use crate::random::generator;"), 1);
    assert_eq!(count("novelty.rs", ""), 1);

    assert_eq!(
        count(
            "data/split.rs",
            "use crate::{error::Error, data::Dataset};\n\nuse super::Dataset;"
        ),
        0
    );
    assert_eq!(
        count("data/mod.rs", "\nuse super::super::x;"),
        0,
        "there is no such thing, the compiler says"
    );
    assert_eq!(count("plain/loss.rs", "use crate::error::{Error, Result};"), 0);
    assert_eq!(
        count("data/split.rs", "/// As [`train`](crate::train).\nfn f() {}"),
        0,
        "a link is no import"
    );
    assert_eq!(count("lib.rs", "use crate::train::train;"), 0);
}
