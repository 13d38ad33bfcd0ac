//! Several processes of a launcher that would all do the same, and write the same files, are refused, once.

use crate::command::{mfnet, parts};

#[test]
fn several_processes_are_refused_where_they_share_no_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut commands = vec![&["datasets"][..], &["evaluate", "model", "digits"]];
    if cfg!(not(feature = "mpi")) {
        commands.push(&["train", "digits", "--out", "run"]);
    }
    for arguments in commands {
        for [size, rank] in [
            ["OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"],
            ["PMI_SIZE", "PMI_RANK"],
        ] {
            let run = |number| parts(mfnet(folder.path(), arguments).env(size, "2").env(rank, number));
            let (code, output, notes) = run("0");
            assert_eq!((code, output.as_str()), (Some(2), ""), "{notes}");
            assert_eq!(notes.lines().count(), 1, "{notes}");
            assert!(
                notes.starts_with("error: a launcher such as mpirun has started 2 processes: "),
                "{notes}"
            );
            let reason = match cfg!(feature = "mpi") {
                true => "only mfnet train",
                false => "built without MPI; build it with cargo build --release --features mpi",
            };
            assert!(notes.contains(reason), "{notes}");
            assert_eq!(run("1"), (Some(2), String::new(), String::new()));
        }
        let alone = parts(
            mfnet(folder.path(), &["--version"])
                .env("PMI_SIZE", "1")
                .env("PMI_RANK", "0"),
        );
        assert_eq!(alone.0, Some(0));
    }
    assert!(!folder.path().join("run").exists());
}
