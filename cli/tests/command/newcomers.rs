//! Tables and options as newcomers first have them: each is taken for what it is, or a message says what to do.

use std::fmt::Write as _;
use std::fs;

use crate::command::{assert_has, assert_refused, done, json, mfnet, parts, refused, schema};
use crate::folder::{folder_with, names};

/// An array of NumPy's little-endian doubles or 64-bit integers.
fn array(kind: &str, shape: &str, values: &[[u8; 8]]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [
        &b"\x93NUMPY\x01\x00"[..],
        &length,
        header.as_bytes(),
        values.as_flattened(),
    ]
    .concat()
}

#[test]
fn numbers_of_arrays_that_rounding_makes_equal_are_refused() {
    let at = &folder_with(&[]);
    let times: Vec<_> = (0..20)
        .map(|row| (1.6e9 + f64::from(row)).to_le_bytes())
        .collect();
    let targets: Vec<_> = (0..20).map(|row| (f64::from(row) + 0.5).to_le_bytes()).collect();
    fs::write(at.join("x.npy"), array("<f8", "(20, 1)", &times)).unwrap();
    fs::write(at.join("y.npy"), array("<f8", "(20, 1)", &targets)).unwrap();
    let error = refused(at, "train x.npy,y.npy", 1);
    assert!(
        error.contains(
            "x.npy: column 0 (counted from 0) has numbers from 1600000000 to 1600000019, which f32 rounds by"
        ) && error.contains("--precision f64"),
        "{error}"
    );
    done(at, "train x.npy,y.npy --epochs 1 --precision f64");
    assert_refused(at, "1 train y.npy,x.npy => x.npy: column 0");
}

#[test]
fn arrays_and_known_sets_take_no_options_for_csv_files() {
    let at = &folder_with(&[("t.csv", "a,y\n1,0.5\n2,1\n3,2\n")]);
    let values: Vec<_> = (0..4).map(|row| f64::from(row).to_le_bytes()).collect();
    fs::write(at.join("x.npy"), array("<f8", "(4, 1)", &values)).unwrap();
    for arguments in [
        "train x.npy,x.npy --header no",
        "train x.npy,x.npy --missing -",
        "train digits --delimiter ;",
    ] {
        let error = refused(at, arguments, 2);
        assert!(error.contains("--missing are for CSV files"), "{error}");
    }
    done(at, "train t.csv --epochs 1 --out run");
    let error = refused(at, "predict run x.npy --header no", 2);
    assert!(
        error.contains("--header, --delimiter and --quote are for CSV files, and x.npy is not a CSV file"),
        "{error}"
    );
}

#[test]
fn four_counted_columns_are_names_unless_the_next_line_goes_on_counting() {
    let mut header = "0,1,2,3\n".to_owned();
    let mut counted = String::new();
    for row in 0..20 {
        writeln!(
            header,
            "{},{},{},{}",
            row * 7 % 11,
            row % 5,
            row * 3 % 13,
            row % 2
        )
        .unwrap();
        writeln!(
            counted,
            "{},{},{},{}",
            4 * row,
            4 * row + 1,
            4 * row + 2,
            4 * row + 3
        )
        .unwrap();
    }
    let folder = folder_with(&[("header.csv", &header), ("counted.csv", &counted)]);
    let (_, err) = done(&folder, "train header.csv --epochs 1 --out run");
    assert_has(&err, &["the first line names the columns: it has 0, 1, 2, ..."]);
    assert_has(&err, &["(20 samples)"]);
    let (_, err) = done(&folder, "train counted.csv --epochs 1");
    assert_has(&err, &["the first line is a row of data", "(20 samples)"]);
}

#[test]
fn classes_of_long_integers_are_told_apart() {
    let mut table = "a,id\n".to_owned();
    for row in 0..20 {
        writeln!(table, "{row},{}", 9_007_199_254_740_992_u64 + u64::from(row > 9)).unwrap();
    }
    let at = &folder_with(&[("t.csv", &table)]);
    done(at, "train t.csv --epochs 1 --out run");
    let labels = serde_json::json!(["9007199254740992", "9007199254740993"]);
    assert_eq!(schema(at, "run")["labels"], labels);
    assert!(done(at, "evaluate run t.csv").0.contains("9007199254740993"));

    let ids: Vec<_> = (0..20)
        .map(|row| ((1_i64 << 53) + row % 2).to_le_bytes())
        .collect();
    fs::write(at.join("y.npy"), array("<i8", "(20,)", &ids)).unwrap();
    let values: Vec<_> = (0..20).map(|row| f64::from(row).to_le_bytes()).collect();
    fs::write(at.join("x.npy"), array("<f8", "(20, 1)", &values)).unwrap();
    done(at, "train x.npy,y.npy --epochs 1 --out arrays");
    assert_eq!(schema(at, "arrays")["labels"], labels);
}

#[test]
fn truth_values_are_targets() {
    let table = |values: [&str; 2]| {
        let row = |row: usize| format!("{},{}\n", row * 7 % 20, values[usize::from(row * 7 % 20 > 9)]);
        format!("a,y\n{}", (0..20).map(row).collect::<String>())
    };
    let (words, digits) = (table(["False", "True"]), table(["0", "1"]));
    let at = &folder_with(&[("words.csv", &words), ("digits.csv", &digits)]);
    let losses = ["words.csv", "digits.csv"].map(|file| {
        done(
            at,
            &format!("train {file} --task regression --epochs 1 --out n{file}"),
        );
        json(at, &format!("evaluate n{file} {file} --json"))["loss"].clone()
    });
    assert_eq!(losses[0], losses[1]);
    for (training, other) in [("words.csv", "digits.csv"), ("digits.csv", "words.csv")] {
        done(
            at,
            &format!("train {training} --epochs 200 --lr 0.05 --out c{training}"),
        );
        let accuracy =
            |file: &str| json(at, &format!("evaluate c{training} {file} --json"))["accuracy"].clone();
        assert!(accuracy(training).as_f64() > Some(0.9));
        assert_eq!(accuracy(training), accuracy(other));
    }
}

#[test]
fn categories_count_as_they_are_written() {
    let mut table = "code,y\n".to_owned();
    for row in 0..24 {
        writeln!(table, "{},{row}.5", ["01234", "1234", "1e3", "1000"][row % 4]).unwrap();
    }
    let at = &folder_with(&[("t.csv", &table), ("new.csv", "code\n1000.0\n")]);
    done(at, "train t.csv --categorical code --epochs 1 --out run");
    assert_eq!(
        schema(at, "run")["categories"],
        serde_json::json!([["01234", "1000", "1234", "1e3"]])
    );
    let error = refused(at, "predict run new.csv", 1);
    assert!(
        error.contains("the category \"1000.0\" was not there")
            && error.contains("(categories count as they are written, and \"1000\" is one)"),
        "{error}"
    );
}

#[test]
fn a_run_with_checkpoints_has_one_at_its_end() {
    let mut table = "a,b,kind\n".to_owned();
    for row in 0..40 {
        writeln!(
            table,
            "{},{},{}",
            row * 37 % 41,
            row * 53 % 43,
            ["oak", "elm"][row * 29 % 7 % 2]
        )
        .unwrap();
    }
    let at = &folder_with(&[("t.csv", &table)]);
    let options = "--lr 0.05 --early-stopping 2 --checkpoint-every 1000 --epochs 3000 --out early";
    let (out, _) = done(at, &format!("train t.csv {options}"));
    assert!(out.contains("restored"), "{out}");
    assert!(names(&at.join("early")).contains(&"checkpoint.safetensors".to_owned()));
    let (_, err) = done(at, "train --resume early");
    assert!(err.contains("the run is complete"), "{err}");

    // A checkpoint is that of the last epoch, also where a run is trained further without the option.
    done(at, "train t.csv --epochs 2 --checkpoint-every 5 --out run");
    done(at, "train --resume run --epochs 5");
    let error = refused(at, "train --resume run --epochs 4", 2);
    assert!(error.contains("the run has trained 5 epochs already"), "{error}");
}

#[test]
fn delimiter_and_quote_travel_with_the_model() {
    let at = &folder_with(&[
        ("pipes.csv", "a|b|y\n1|'x|1'|0.5\n2|'y'|1\n3|'x|1'|2\n4|'y'|2\n"),
        ("new.csv", "a|b\n1|'x|1'\n"),
        ("commas.csv", "a,b\n1,x|1\n"),
    ]);
    let error = refused(at, "train pipes.csv", 1);
    assert!(!error.contains("panicked"), "{error}");
    done(at, "train pipes.csv --delimiter | --quote ' --epochs 1 --out run");
    let (out, _) = done(at, "predict run new.csv");
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(done(at, "evaluate run pipes.csv").0.contains("R2"));
    assert_eq!(done(at, "predict run commas.csv --delimiter , --quote \"").0, out);
    assert_refused(at, r#"1 predict run commas.csv --quote " => commas.csv: "#);
}

#[test]
fn names_of_columns_may_have_commas() {
    let table = "\"a,b\",c,\"d,e\",y\n1,2,5,0.5\n2,1,6,1\n3,4,5,2\n4,4,6,1\n";
    let at = &folder_with(&[("t.csv", table)]);
    done(
        at,
        "train t.csv --target \"a,b\",c --categorical \"d,e\" --ignore y --epochs 1 --out run",
    );
    let found = schema(at, "run");
    assert_eq!(found["target_names"], serde_json::json!(["a,b", "c"]));
    assert_eq!(found["categories"], serde_json::json!([["5", "6"]]));
    // The same from the settings of the run.
    done(at, "train --config run/config.toml --out again");
    assert_eq!(schema(at, "again"), found);
}

#[test]
fn tables_that_are_not_quite_right_are_explained() {
    let none = "garage,y\nNone,1.5\nbig,2\nNone,3\nbig,4\n";
    let at = &folder_with(&[
        ("trailing.csv", "a,b,y,\n1,2,0.5,\n2,3,1,\n4,5,2,\n"),
        ("header.csv", "2019,kind\n2020,oak\n2021,elm\n"),
        ("dollars.csv", "a,y\n$1.50,1.5\n$2.50,2\n$3,4\n"),
        (
            "thousands.csv",
            "a,y\n\"1,234.5\",1.5\n\"2,234.5\",2.5\n\"3,234.5\",3.5\n",
        ),
        ("none.csv", none),
        ("pipes.csv", "a|b|y\n1|2|0.5\n2|3|1\n"),
        ("good.csv", "a,same,y\n1,5,1.5\n2,5,2\n3,5,2.5\n4,5,3.5\n"),
    ]);
    assert_refused(
        at,
        r#"
        1 train trailing.csv
            => this is the target, and the column is empty in every row, as after a delimiter at the end
        1 train trailing.csv --target y => the column is empty in every row
        1 train header.csv --target kind
            => the first line has this text, and was taken for a row of data: --header yes
        1 train dollars.csv => "$1.50" has a currency sign: write the number alone, as 1.50
        1 train thousands.csv => "1,234.5" has a thousands separator: write it as 1234.5
        1 train none.csv
            => if `None` or the like is a category here, --missing lists the spellings that are not
        1 train pipes.csv => each line has 2 times '|': is it the delimiter (--delimiter '|')?
        1 predict good.csv good.csv
            => good.csv: it is no safetensors file: it begins as text does, such as a CSV file
        1 train good.csv --init pipes.csv => pipes.csv: it is no safetensors file: it begins as text does
        "#,
    );
    done(at, "train trailing.csv --target y --ignore -1 --epochs 1");
    done(at, "train none.csv --missing - --epochs 1");
    let (out, _) = done(at, "train good.csv --epochs 1 --out run");
    if cfg!(feature = "linalg") {
        assert!(out.contains("\nleast squares "), "{out}");
        let (out, _) = done(at, "train good.csv --test 0.5 --epochs 1");
        assert!(
            out.contains(
                "There is no least-squares fit to compare with: 2 samples do not determine 3 weights"
            ),
            "{out}"
        );
    }
    // The model in the folder of a run.
    done(at, "train good.csv --epochs 1 --init run");
    done(
        at,
        "train header.csv --header yes --loss mse --epochs 1 --out scores",
    );
    let error = refused(at, "predict scores header.csv --proba", 2);
    assert!(
        error.contains("--proba is not available: the model was trained with the loss mse"),
        "{error}"
    );
}

#[test]
fn the_help_says_that_tables_come_from_standard_input() {
    let folder = folder_with(&[]);
    let (help, _) = done(&folder, "train --help");
    let words: Vec<&str> = help.split_whitespace().collect();
    assert!(
        words.join(" ").contains("or - for CSV from standard input"),
        "{help}"
    );
}

#[test]
fn several_columns_of_two_values_are_told_to_be_yes_no_targets() {
    let mut table = "a,rain,wind,told\n".to_owned();
    for row in 0..40 {
        let told = ["no", "yes"][row % 2];
        writeln!(table, "{},{},{},{told}", row * 37 % 41, row % 2, row / 2 % 2).unwrap();
    }
    let at = &folder_with(&[("t.csv", &table)]);
    let (_, err) = done(at, "train t.csv --target rain,wind --ignore told --epochs 1");
    assert!(
        err.contains("hint: each of the 2 targets holds two different values") && err.contains("--loss bce"),
        "{err}"
    );
    let (_, err) = done(
        at,
        "train t.csv --target rain,wind --ignore told --loss bce --epochs 1",
    );
    assert!(!err.contains("hint: "), "{err}");
    let error = refused(at, "train t.csv --target rain,told", 1);
    assert!(
        error.contains("column `told` holds \"no\" and \"yes\"") && error.contains("--loss bce"),
        "{error}"
    );
    let error = refused(
        at,
        "train t.csv --target rain,wind --ignore told --class-weight balanced",
        2,
    );
    assert!(error.contains("with yes/no targets and --loss bce"), "{error}");
}

#[test]
fn options_that_name_a_column_take_names_with_commas_alike() {
    let mut table = "a,\"day, local\",\"w,1\",\"5\"\" pipe\",kind\n".to_owned();
    for row in 0..40 {
        let kind = ["oak \"\"old\"\"", "elm"][row % 2];
        writeln!(
            table,
            "{},{row},{},{},\"{kind}\"",
            row * 37 % 41,
            1 + row % 3,
            row % 5
        )
        .unwrap();
    }
    let at = &folder_with(&[("t.csv", &table)]);
    let parts = |arguments: &[&str]| parts(&mut mfnet(at, arguments));
    let options = [
        "--weights",
        "\"w,1\"",
        "--split-by-time",
        "\"day, local\"",
        "--test",
        "0.2",
        "--epochs",
        "1",
    ];
    let (code, _, err) = parts(&[&["train", "t.csv", "--out", "run"], &options[..]].concat());
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(
        schema(at, "run")["feature_names"],
        serde_json::json!(["a", "5\" pipe"])
    );
    // The settings of the run hold the names as they are.
    let (again, _) = done(at, "train --config run/config.toml --json --quiet");
    assert!(
        again.contains("\"weights\":\"w,1\"") && again.contains("{\"time\":\"day, local\"}"),
        "{again}"
    );
    let (code, out, err) = parts(&["predict", "run", "t.csv", "--keep", "\"day, local\",a"]);
    assert_eq!(
        (code, out.lines().next()),
        (Some(0), Some("\"day, local\",a,prediction")),
        "{err}"
    );
    let (code, _, err) = parts(&["train", "t.csv", "--weights", "w,1"]);
    assert!(
        code == Some(2) && err.contains("a name with a comma stands in quotes"),
        "{err}"
    );
    // Quotes in names are shown as they are written.
    let (text, _) = done(at, "evaluate run t.csv");
    assert!(
        text.contains("\noak \"old\" ") && !text.contains("\\\""),
        "{text}"
    );
}

#[test]
fn weights_that_are_all_0_in_a_part_are_named_with_it() {
    let mut table = "a,day,w,y\n".to_owned();
    for row in 0..40 {
        writeln!(
            table,
            "{},{row},{},{}.5",
            row * 37 % 41,
            u8::from(row < 30),
            row % 7
        )
        .unwrap();
    }
    let at = &folder_with(&[("t.csv", &table)]);
    let options = "t.csv --weights w --split-by-time day --epochs 1";
    let error = refused(at, &format!("train {options} --test 0.2"), 1);
    assert!(
        error.contains("--weights: column `w` is 0 in all 8 test samples"),
        "{error}"
    );
    let error = refused(at, &format!("train {options} --validation 0.25"), 1);
    assert!(
        error.contains("column `w` is 0 in all 10 validation samples"),
        "{error}"
    );
    let error = refused(at, &format!("tune {options} --hidden 2,3"), 1);
    assert!(
        error.contains("column `w` is 0 in all 8 validation samples"),
        "{error}"
    );
}

#[test]
fn one_of_a_kind_is_told_as_one() {
    let table: String = (0..20).map(|row| format!("{row},{}.5\n", row * 7 % 11)).collect();
    let at = &folder_with(&[("t.csv", &format!("a,y\n{table}")), ("one.csv", "a,y\n3,4.5\n")]);
    let (out, _) = done(at, "train t.csv --epochs 1 --out run --test one.csv");
    assert!(out.contains(": 1 feature, 1 target, normalised"), "{out}");
    assert!(
        out.lines()
            .any(|line| line.starts_with("this network") && line.ends_with(" n/a")),
        "{out}"
    );
    assert!(done(at, "inspect run").0.contains("1 feature, normalised"));
    // R2 compares with the spread of the targets, and one has none.
    let (out, _) = done(at, "evaluate run one.csv");
    assert!(
        out.lines()
            .any(|line| line.starts_with("y ") && line.contains(" n/a ")),
        "{out}"
    );
    let (out, _) = done(at, "evaluate run one.csv --json");
    assert!(
        out.contains("\"r2\":null") && out.contains("\"mean_r2\":null"),
        "{out}"
    );
    let (_, err) = done(at, "evaluate run t.csv --importance --repeats 1");
    assert!(
        err.contains("importance of 1 feature by the r2, each in 1 random order\n"),
        "{err}"
    );
}

#[test]
fn options_of_early_stopping_in_a_file_go_with_it() {
    let at = &folder_with(&[("t.csv", "a,y\n1,0.5\n2,1\n3,2\n4,2.5\n")]);
    for (name, value) in [("early-stopping-score", "\"r2\""), ("min-delta", "0.01")] {
        fs::write(at.join("odd.toml"), format!("[training]\n{name} = {value}\n")).unwrap();
        let error = refused(at, "train t.csv --config odd.toml", 2);
        assert!(
            error.contains(&format!("{name} has no effect without early-stopping")),
            "{error}"
        );
        done(
            at,
            "train t.csv --config odd.toml --validation t.csv --early-stopping 2 --epochs 1",
        );
    }
}
