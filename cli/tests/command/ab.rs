//! `scripts/ab`, which compares the speed of two commits.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::command::parts;
use crate::script::write_script;

/// A repository with the script, one commit, and a cargo that builds a program which takes 4 or 2 seconds.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir_all(at.join("repository/scripts")).unwrap();
    fs::create_dir_all(at.join("bin")).unwrap();
    fs::create_dir_all(at.join("tmp")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/ab");
    fs::copy(script, at.join("repository/scripts/ab")).unwrap();
    write_script(
        &at.join("repository/program"),
        r#"for argument; do [ "$last" = --out ] && out=$argument; last=$argument; done
        mkdir -p "$out"
        printf '%s\n' "$*" >>"$LOG"
        {
            echo '# CPU: some, with a comma'
            echo 'job,implementation,precision,epochs,measured_epochs,seconds,remark'
            echo "linear,mfnet,f64,1,1,SECONDS,"
            echo "network,mfnet,f32,1,1,8,"
            echo "network,report mfnet,,1,0,100,"
            echo "reach,mfnet,f32,1,1,,"
        } >"$out/tables.csv""#,
    );
    write_script(
        &at.join("bin/cargo"),
        r#"seconds=$(cat seconds)
        mkdir -p "$CARGO_TARGET_DIR/release"
        sed "s/SECONDS/$seconds/" program >"$CARGO_TARGET_DIR/release/mfnet"
        chmod +x "$CARGO_TARGET_DIR/release/mfnet""#,
    );
    fs::write(at.join("repository/seconds"), "4\n").unwrap();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "commit.gpgsign=false",
        ]);
        git.args(arguments).current_dir(at.join("repository"));
        let (code, _, err) = parts(outside(&mut git));
        assert_eq!(code, Some(0), "{err}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "first"]);
    fs::write(at.join("repository/seconds"), "2\n").unwrap();
    folder
}

/// A command that does not take a repository from a hook of git which runs the tests.
fn outside(command: &mut Command) -> &mut Command {
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command
}

fn ab(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new(folder.join("repository/scripts/ab"));
    command
        .args(arguments)
        .env("PATH", format!("{}:{path}", folder.join("bin").display()))
        .env("TMPDIR", folder.join("tmp"))
        .env("LOG", folder.join("log"))
        .env("CARGO_TARGET_DIR", folder.join("target"));
    parts(outside(&mut command))
}

#[test]
fn two_commits_are_compared_by_turns_and_nothing_is_left() {
    let folder = repository();
    let at = folder.path();
    let (code, out, err) = ab(at, &["HEAD", "--turns", "2", "--rows", "linear,network"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let words: Vec<Vec<&str>> = out
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(
        words.contains(&vec!["linear", "mfnet", "f64", "4", "2", "2.000"]),
        "{out}"
    );
    assert!(
        words.contains(&vec!["network", "mfnet", "f32", "8", "8", "1.000"]),
        "{out}"
    );
    assert!(out.contains("geometric mean") && out.contains("1.414"), "{out}");
    assert!(!out.contains("reach") && !out.contains("report"), "{out}");
    let log = fs::read_to_string(at.join("log")).unwrap();
    assert_eq!(log.lines().count(), 4);
    assert!(
        log.lines().all(|line| line.contains("--rows linear,network")),
        "{log}"
    );
    assert_eq!(fs::read_dir(at.join("tmp")).unwrap().count(), 0);
    assert_eq!(
        fs::read_dir(at.join("repository/.git/worktrees")).map_or(0, Iterator::count),
        0
    );
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = repository();
    let (code, out, err) = ab(folder.path(), &["-h"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("scripts/ab COMMIT [OPTIONS]"), "{out}");
    assert_eq!(ab(folder.path(), &[]).0, Some(2));
    let (code, _, err) = ab(folder.path(), &["no-such-commit"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("no-such-commit"), "{err}");
    assert_eq!(ab(folder.path(), &["HEAD", "--turns", "none"]).0, Some(2));
    fs::write(folder.path().join("repository/seconds"), "2").unwrap();
    write_script(
        &folder.path().join("bin/cargo"),
        "echo 'does not compile' >&2; exit 101",
    );
    let (code, _, err) = ab(folder.path(), &["HEAD"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("does not compile"), "{err}");
    assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
}
