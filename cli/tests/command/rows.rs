//! Rows and columns of a user's table that are no features: identifiers that are kept beside predictions.

use std::fmt::Write as _;

use crate::command::{mfnet, parts};
use crate::preparation::{done, folder_with, refused};

/// Customers with an identifier, a date, a number, and a class or a number to predict.
fn customers(rows: usize) -> String {
    let mut table = "id,date,a,b,churn,price\n".to_owned();
    for row in 0..rows {
        let (a, b) = (row * 37 % 101, row * 53 % 97);
        let churn = if a > 70 { "yes" } else { "no" };
        let day = 1 + row % 28;
        writeln!(
            table,
            "c{row:03},2024-03-{day:02},{a},{b},{churn},{}.5",
            2 * a + b
        )
        .unwrap();
    }
    table
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn kept_columns_stand_before_the_predictions_as_they_are_written() {
    let new = "a,note,b,id\n1,\"tall, \"\"old\"\"\",2,007\n90,,50,1e3\n";
    let folder = folder_with(&[
        ("t.csv", &customers(60)),
        ("new.csv", new),
        ("empty.csv", "id,a,b\n"),
    ]);
    let at = folder.path();
    done(
        at,
        "train t.csv --target churn --ignore id,date,price --epochs 20 --out run",
    );
    done(
        at,
        "train t.csv --target price --ignore id,date,churn --epochs 20 --out prices",
    );
    let (plain, _) = done(at, "predict run new.csv");
    let (kept, _) = done(at, "predict run new.csv --keep id,note");
    let (plain, kept) = (lines(&plain), lines(&kept));
    assert_eq!(kept[0], "id,note,prediction");
    assert_eq!(kept[1], format!("007,\"tall, \"\"old\"\"\",{}", plain[1]));
    assert_eq!(kept[2], format!("1e3,,{}", plain[2]));
    let (plain, _) = done(at, "predict run new.csv --proba");
    let (kept, _) = done(at, "predict run new.csv --proba --keep -1 --out p.csv");
    assert_eq!(kept, "");
    let kept = std::fs::read_to_string(at.join("p.csv")).unwrap();
    for ((kept, plain), id) in kept.lines().zip(plain.lines()).zip(["id", "007", "1e3"]) {
        assert_eq!(kept, format!("{id},{plain}"));
    }
    // The truth beside the prediction.
    let (kept, _) = done(at, "predict prices t.csv --keep price,id");
    let kept = lines(&kept);
    assert_eq!((kept[0], kept.len()), ("price,id,predicted price", 61));
    assert!(kept[1].starts_with("0.5,c000,"), "{}", kept[1]);
    assert_eq!(done(at, "predict run empty.csv --keep id").0, "id,prediction\n");
}

#[test]
fn columns_that_cannot_be_kept_are_named() {
    let folder = folder_with(&[("t.csv", &customers(60)), ("bare.csv", "1,2\n3,4\n")]);
    let at = folder.path();
    done(
        at,
        "train t.csv --target churn --ignore id,date,price --epochs 1 --out run",
    );
    done(at, "train bare.csv --epochs 1 --out numbers --task regression");
    for (arguments, code, part) in [
        (
            "predict run t.csv --keep ids",
            1,
            "no column `ids` (did you mean `id`?)",
        ),
        ("predict run t.csv --keep 6", 1, "no column 6"),
        (
            "predict run t.csv --keep id,0",
            2,
            "--keep names the column `id` twice",
        ),
        (
            "predict numbers bare.csv --keep 0",
            2,
            "--keep takes columns with names",
        ),
        (
            "predict run iris --keep id",
            2,
            "--keep is for columns of CSV files, and iris is none",
        ),
        (
            "predict run x.npy --keep id",
            2,
            "--keep is for columns of CSV files, and x.npy is none",
        ),
        (
            "predict run t.csv --keep id --out p.npy",
            2,
            "--keep is for predictions as CSV",
        ),
    ] {
        let message = refused(at, arguments, code);
        assert!(message.contains(part), "{arguments}: {message}");
    }
    assert!(!at.join("p.npy").exists());
}

#[test]
fn kept_columns_of_a_file_of_several_parts_stay_with_their_rows() {
    // A part of a table of three columns has some 350,000 rows.
    const ROWS: usize = 400_000;
    let folder = folder_with(&[("t.csv", "id,a,y\n1,1,0.5\n2,2,1\n3,3,2\n")]);
    let at = folder.path();
    done(at, "train t.csv --ignore id --linear --epochs 1 --out run");
    let mut table = "id,a,y\n".to_owned();
    for row in 0..ROWS {
        writeln!(table, "r{row},{},0", row % 3).unwrap();
    }
    std::fs::write(at.join("long.csv"), table).unwrap();
    let (code, out, err) = parts(&mut mfnet(at, &["predict", "run", "long.csv", "--keep", "id"]));
    assert_eq!(code, Some(0), "{err}");
    let lines = lines(&out);
    assert_eq!(lines.len(), ROWS + 1);
    assert!((0..ROWS).all(|row| lines[row + 1].starts_with(&format!("r{row},"))));
    let answer = |row: usize| lines[row + 1].split(',').nth(1);
    assert!((3..ROWS).all(|row| answer(row) == answer(row % 3)));
}
