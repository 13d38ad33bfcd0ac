//! Tables of one's own, from the file to the prediction: what is read, what is fitted on the training rows, and what is said.

use std::fmt::Write as _;
use std::fs;

use crate::command::{assert_has, assert_refused, done, refused, schema};
use crate::folder::folder_with;

/// A number that grows with the row, with gaps, and a target.
fn with_gaps() -> String {
    let mut table = "a,b,y\n".to_owned();
    for row in 0..40 {
        let a = if row % 5 == 2 {
            String::new()
        } else {
            (row * row).to_string()
        };
        writeln!(table, "{a},{},{}.5", row % 7, row % 11).unwrap();
    }
    table
}

#[test]
fn what_stands_in_for_missing_values_comes_from_the_training_rows() {
    let at = &folder_with(&[("t.csv", &with_gaps())]);
    done(
        at,
        "train t.csv --test 0.5 --impute mean --epochs 1 --precision f64 --out mean",
    );
    let found = schema(at, "mean");
    let (imputed, mean) = (&found["imputation"][0], &found["scaling"]["means"][0]);
    // The mean of the training rows does not move them.
    let difference = imputed.as_f64().unwrap() - mean.as_f64().unwrap();
    assert!(difference.abs() < 1e-9, "{found}");
    for (how, expected) in [("median", 289.0), ("most-frequent", 0.0), ("-1.5", -1.5)] {
        done(
            at,
            &format!("train t.csv --impute {how} --epochs 1 --precision f64 --out as{how}"),
        );
        let found = schema(at, &format!("as{how}"))["imputation"][0].as_f64().unwrap();
        if how == "median" {
            assert!((300.0..500.0).contains(&found), "{found} is not about {expected}");
        } else {
            assert_eq!(found, expected, "{how}");
        }
    }
    // As the run's settings have it.
    done(at, "train --config as-1.5/config.toml --epochs 1 --out again");
    assert_eq!(schema(at, "again")["imputation"][0], -1.5);
    assert!(
        refused(at, "train t.csv --impute average", 2).contains("mean, median, most-frequent or a number")
    );
    assert!(
        refused(at, "train t.csv", 1).contains("t.csv: line 4, column 1: column `a`: the value is missing")
    );
}

#[test]
fn spellings_of_missing_values_are_the_users() {
    let content = "a,kind\n1,None\n-,oak\n3,None\n4,oak\n2,None\n5,oak\n";
    let at = &folder_with(&[("t.csv", content), ("new.csv", "a\n-\n3\n")]);
    assert!(refused(at, "train t.csv", 1).contains("stands for that"));
    done(at, "train t.csv --missing - --impute median --epochs 1 --out run");
    let found = schema(at, "run");
    assert_eq!(
        (&found["labels"][0], &found["missing"][0]),
        (&"None".into(), &"-".into())
    );
    let (out, _) = done(at, "predict run new.csv");
    assert_eq!(out.lines().count(), 3, "{out}");
}

#[test]
fn constant_columns_are_kept_with_a_warning() {
    let mut table = "a,same,rare,y\n".to_owned();
    for row in 0..20 {
        writeln!(table, "{row},7,{},{}.5", u8::from(row == 3), row % 3).unwrap();
    }
    let at = &folder_with(&[("t.csv", &table), ("new.csv", "a,same,rare\n1,9,0\n2,7,1\n")]);
    let (_, err) = done(at, "train t.csv --epochs 2 --out run");
    assert!(
        err.contains("warning: the same in every training sample: `same`; centred and kept"),
        "{err}"
    );
    let (out, _) = done(at, "predict run new.csv");
    assert_eq!(out.lines().count(), 3);
    // In one of the folds, `rare` is 0 in all rows to train on.
    let (out, err) = done(at, "tune t.csv --hidden 3,4 --folds 5 --epochs 1");
    assert!(!out.contains("failed"), "{out}");
    assert!(err.contains("`same`, `rare`"), "{err}");
}

#[test]
fn rare_classes_are_in_each_part() {
    let table = |rare: usize| {
        let mut table = "a,b,kind\n".to_owned();
        for row in 0..100 {
            let kind = if row < rare {
                "rare"
            } else if row % 2 == 0 {
                "even"
            } else {
                "odd"
            };
            writeln!(table, "{},{},{kind}", row * 37 % 101, row * 53 % 97).unwrap();
        }
        table
    };
    let at = &folder_with(&[("three.csv", &table(3)), ("one.csv", &table(1))]);
    for seed in 0..3 {
        done(
            at,
            &format!("train three.csv --test 0.2 --class-weight balanced --epochs 1 --seed {seed}"),
        );
    }
    assert_refused(
        at,
        "
        1 train one.csv --test 0.2 => class `rare` has 1 sample among the 100 samples
        1 train one.csv --test 0.2 => add samples
        1 tune three.csv --hidden 3,4 --folds 5 --epochs 1
            => class `rare` has 3 of the 100 samples, and each of the 5 folds needs one: take 3 folds
        ",
    );
}

#[test]
fn headers_are_told_by_the_lines_below_and_the_decision_is_said() {
    let pandas =
        "0,1,2,target\n5.1,3.5,1,setosa\n4.9,3.0,1,virginica\n5.0,3.1,2,setosa\n6.0,3.3,2,virginica\n";
    let data = "5.1,unknown,0.5\n4.9,3.0,1\n6.0,2.5,2\n";
    let at = &folder_with(&[("pandas.csv", pandas), ("data.csv", data)]);
    let (_, err) = done(at, "train pandas.csv --epochs 1 --out run");
    assert!(
        err.contains("classification: column `target` holds 2 different texts; the first line names the columns: it has 0"),
        "{err}"
    );
    assert_eq!(
        schema(at, "run")["labels"],
        serde_json::json!(["setosa", "virginica"])
    );
    assert_refused(
        at,
        r#"1 train data.csv => data.csv: line 1, column 2: "unknown" is not a number"#,
    );
    let (_, err) = done(at, "train data.csv --missing unknown --impute mean --epochs 1");
    assert!(err.contains("the first line is a row of data"), "{err}");
}

/// Trees with a text among their features.
fn trees() -> String {
    let mut table = "name,bark,height,code,kind\n".to_owned();
    for row in 0..40 {
        let (bark, kind) = [("rough", "oak"), ("white", "birch"), ("scaly", "pine")][row % 3];
        writeln!(table, "tree {row},{bark},{},{},{kind}", row * 37 % 11, row % 3).unwrap();
    }
    table
}

#[test]
fn texts_are_categories() {
    let new = "bark,height,code\nscaly,3,2\nrough,4,0\n";
    let unknown = "bark,height,code\nwhite,3,1\nsmooth,4,0\n";
    let at = &folder_with(&[("t.csv", &trees()), ("new.csv", new), ("unknown.csv", unknown)]);
    let error = refused(at, "train t.csv", 1);
    assert!(
        error.contains("column `name` has 40 different texts in 40 rows and looks like an identifier: leave it out with --ignore"),
        "{error}"
    );
    done(
        at,
        "train t.csv --ignore name --categorical code --epochs 60 --lr 0.01 --out run",
    );
    let found = schema(at, "run");
    assert_eq!(
        found["categories"],
        serde_json::json!([["rough", "scaly", "white"], [], ["0", "1", "2"]])
    );
    assert_eq!(done(at, "predict run new.csv").0, "prediction\npine\noak\n");
    assert!(
        done(at, "inspect run")
            .0
            .contains("categories of bark: rough, scaly, white")
    );
    assert!(done(at, "evaluate run t.csv").0.contains("accuracy"));
    let (out, _) = done(at, "export run --onnx m.onnx");
    assert_has(&out, &["N x 3", "categories by their numbers"]);
    let error = refused(at, "predict run unknown.csv --out p.csv", 1);
    assert!(
        error.contains(
            "unknown.csv: line 3, column 1: column `bark`: the category \"smooth\" was not there in training"
        ),
        "{error}"
    );
    done(
        at,
        "train t.csv --ignore name --unknown ignore --epochs 1 --out lenient",
    );
    assert_eq!(done(at, "predict lenient unknown.csv").0.lines().count(), 3);
}

#[test]
fn truth_values_are_numbers() {
    let mut table = "a,is_big,y\n".to_owned();
    for row in 0..20 {
        let is_big = if row > 9 { "True" } else { "False" };
        writeln!(table, "{row},{is_big},{row}.5").unwrap();
    }
    let at = &folder_with(&[("t.csv", &table), ("new.csv", "a,is_big\n3,false\n4,1\n")]);
    done(at, "train t.csv --epochs 1 --out run");
    assert_eq!(schema(at, "run")["categories"], serde_json::json!([]));
    assert_eq!(done(at, "predict run new.csv").0.lines().count(), 3);
}

#[test]
fn delimiters_quotes_and_notations_are_told_or_named() {
    let at = &folder_with(&[
        ("pipes.csv", "a|b|y\n1|'x|1'|0.5\n2|'y'|1\n3|'x|1'|2\n4|'y'|2\n"),
        ("open.csv", "a,y\n1,2\n3,\"4\n5,6\n7,8\n"),
        ("comma.csv", "a;y\n1,5;1\n2,25;2\n3,5;3\n"),
        ("new.csv", "a|b\n1|'x|1'\n"),
    ]);
    done(at, "train pipes.csv --delimiter | --quote ' --epochs 1 --out run");
    assert_eq!(
        schema(at, "run")["categories"],
        serde_json::json!([[], ["x|1", "y"]])
    );
    assert_eq!(
        done(at, "predict run new.csv --delimiter | --quote '")
            .0
            .lines()
            .count(),
        2
    );
    assert_refused(
        at,
        r#"
        1 train open.csv => open.csv: line 3: the quote that opens on this line is never closed
        1 train comma.csv => column `a`: "1,5" has a decimal comma
        2 train comma.csv --delimiter xx => one ASCII letter
        1 train comma.csv --delimiter ; --quote ; => delimiter = ;
        "#,
    );
}

#[test]
fn a_long_table_is_the_same_for_any_number_of_threads() {
    let row = |row: usize| {
        let (a, b) = (row * 31 % 997, row * 17 % 89);
        let colour = ["red", "\"dark\nblue\"", "\"a \"\"green\"\"\""][row % 3];
        format!("{a}.25,{colour},{b},{}\n", a as f64 * 0.5 - b as f64)
    };
    let rows: Vec<String> = (0..40_000).map(row).collect();
    let table = format!("a,colour,b,y\n{}", rows.concat());
    let faulty = |at: usize| {
        [&rows[..at], &["1,2\n".to_owned()], &rows[at..]]
            .concat()
            .concat()
    };
    let folder = folder_with(&[
        ("table.csv", &table),
        (
            "faulty.csv",
            &format!("a,colour,b,y\n{}", faulty(30_000) + &faulty(0)),
        ),
    ]);
    let folder = &folder;
    let results: Vec<Vec<String>> = [1, 3]
        .map(|threads| {
            let out = format!("run{threads}");
            let train =
                format!("train table.csv --linear --epochs 1 --quiet --threads {threads} --out {out}");
            done(folder, &train);
            let data = format!("table.csv --quiet --threads {threads}");
            let predictions = done(folder, &format!("predict {out} {data}")).0;
            assert_eq!(predictions.lines().count(), 40_001);
            let scores = done(folder, &format!("evaluate {out} {data}"))
                .0
                .replace(&out, "run");
            let faulty = format!("predict {out} faulty.csv --quiet --threads {threads}");
            vec![predictions, scores, refused(folder, &faulty, 1)]
        })
        .to_vec();
    assert_eq!(results[0], results[1]);
    // Every third row takes two lines.
    let line = 30_000 + 10_000 + 2;
    let expected = format!("line {line}: the row has 2 columns, and the first row has 4");
    assert!(results[0][2].contains(&expected), "{}", results[0][2]);
}

#[test]
fn names_without_rows_give_names_without_rows() {
    let at = &folder_with(&[
        ("t.csv", "a,b,y\n1,2,0.5\n2,1,1\n3,5,2\n"),
        ("kinds.csv", "a,b,kind\n1,2,oak\n2,1,elm\n3,5,oak\n"),
        ("none.csv", "a,b\n"),
    ]);
    done(at, "train t.csv --epochs 1 --out numbers");
    done(at, "train kinds.csv --epochs 1 --out classes");
    assert_eq!(done(at, "predict numbers none.csv").0, "y\n");
    assert_eq!(done(at, "predict classes none.csv").0, "prediction\n");
    assert_eq!(done(at, "predict classes none.csv --proba").0, "elm,oak\n");
    assert!(refused(at, "train none.csv", 1).contains("there are no rows below the columns' names"));
}

/// An array of bytes.
fn bytes(shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), values].concat()
}

#[test]
fn bytes_are_pixels_unless_they_are_0_and_1() {
    let at = &folder_with(&[]);
    let put = |name: &str, content: Vec<u8>| fs::write(at.join(name), content).unwrap();
    put(
        "bits.npy",
        bytes("(8, 2)", &[0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0]),
    );
    put(
        "grey.npy",
        bytes("(8, 2)", &[0, 9, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 255]),
    );
    put("y.npy", bytes("(8,)", &[0, 1, 0, 1, 0, 1, 0, 1]));
    let (_, err) = done(at, "train bits.npy,y.npy --epochs 1 --out bits");
    assert!(!err.contains("255"), "{err}");
    assert!(schema(at, "bits")["scaling"]["means"].is_array());
    let (_, err) = done(at, "train grey.npy,y.npy --epochs 1 --out grey");
    assert!(err.contains("taken for pixels and divided by 255"), "{err}");
    assert_eq!(schema(at, "grey")["scaling"], "pixels");
}

#[test]
fn images_of_another_shape_are_refused() {
    let folder = folder_with(&[]);
    let set = folder.join("mnist");
    fs::create_dir(&set).unwrap();
    let idx = |sizes: &[u32], data: &[u8]| {
        let mut file = vec![0, 0, 8, sizes.len() as u8];
        file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        file.extend(data);
        file
    };
    let put = |name: &str, content: Vec<u8>| fs::write(set.join(name), content).unwrap();
    put("train-images-idx3-ubyte", idx(&[2, 1, 2], &[1, 2, 3, 4]));
    put("train-labels-idx1-ubyte", idx(&[2], &[9, 0]));
    put("t10k-images-idx3-ubyte", idx(&[1, 2, 1], &[5, 6]));
    put("t10k-labels-idx1-ubyte", idx(&[1], &[9]));
    let error = refused(&folder, "train mnist --data-dir . --no-download", 1);
    assert_has(&error, &["the images have 2 x 1 pixels, and those to train on"]);
}

#[test]
fn other_files_and_bad_columns_are_named() {
    let at = &folder_with(&[
        ("t.parquet", "PAR1\u{15}\u{4}"),
        ("t.xlsx", "PK\u{3}\u{4}\u{14}\0\u{6}\0[Content_Types].xml"),
        ("t.json", "[{\"a\": 1}]"),
        ("m.pt", "PK\u{3}\u{4}\0\0archive/data.pkl"),
        ("m.safetensors", "\u{28}\0\0\0\0\0\0\0{\"a\":{}}"),
        ("bad.csv", "a,b,c,y\n1,x,inf,0.5\n2,3,4,1\nz,4,5,2\n"),
        ("parts.csv", "a,y\n20%,1.5\n30%,2\n"),
        ("good.csv", "a,y\n1,1.5\n2,2\n"),
    ]);
    for (file, part) in [
        ("t.parquet", "a Parquet file, not CSV"),
        ("t.xlsx", "an Excel workbook (xlsx)"),
        ("t.json", "this is JSON"),
        ("m.pt", "PyTorch (.pt)"),
        ("m.safetensors", "is it the MODEL"),
        (
            "parts.csv",
            "\"20%\" is a percentage: write it as a part of 1, as 0.2",
        ),
    ] {
        let error = refused(at, &format!("train {file}"), 1);
        assert!(error.contains(file) && error.contains(part), "{error}");
    }
    done(at, "train good.csv --epochs 1 --out run");
    assert!(refused(at, "predict run m.safetensors", 2).contains("DATA is a model"));
    let error = refused(at, "train bad.csv", 1);
    fs::write(at.join("gaps.csv"), "a,b,y\n1,,1\n,2,2\n").unwrap();
    assert_refused(
        at,
        "1 train gaps.csv => gaps.csv: values are missing in 2 columns",
    );
    for part in [
        "3 columns cannot be used",
        "column `a`: \"z\"",
        "column `b`: \"x\"",
        "column `c`: \"inf\"",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert!(refused(at, "train good.csv --test 200%", 2).contains("such as 0.2 or 20%"));
}
