//! The table as text for a terminal, as Markdown and as CSV.

use std::fmt::Write;

use anyhow::Context;

use super::super::format;
use super::spread::Spread;
use super::table::{Results, Row, Section, Table};

/// The columns that are written for people, behind the name of the row.
struct Cells {
    seconds: String,
    times_plain: String,
    pytorch: String,
    results: Result<[String; 3], String>,
}

const SECONDS: &str = "seconds";
const TIMES_PLAIN: &str = "plain/it";
const TIMES_PYTORCH: &str = "PyTorch/it";
const RESULTS: [&str; 3] = ["train loss", "test loss", "accuracy"];

/// Lines of at most 79 columns.
pub(super) fn terminal(table: &Table) -> String {
    let mut text = String::new();
    for (label, fact) in &table.facts {
        text += &wrapped(&format!("{label:<9} {fact}"), 10);
    }
    let with_pytorch = table.has_pytorch();
    let line = |name: &str, seconds: &str, plain: &str, pytorch: &str, rest: &str| {
        let pytorch = if with_pytorch {
            format!("{pytorch:>18}")
        } else {
            String::new()
        };
        let line = format!("{name:<16}{seconds:>9}{plain:>9}{pytorch}{rest}");
        line.trim_end().to_owned() + "\n"
    };
    let results = |[train, test, accuracy]: [&str; 3]| format!("{train:>9}{test:>9}{accuracy:>9}");
    text += "\n";
    let losses = results(["train", "test", "test"]);
    text += &line("", "", "", "", &losses);
    let losses = results(["loss", "loss", "accuracy"]);
    text += &line("", SECONDS, TIMES_PLAIN, TIMES_PYTORCH, &losses);
    for section in &table.sections {
        text += &wrapped(&section.title, 2);
        for row in &section.rows {
            let cells = cells(section, row);
            let rest = match &cells.results {
                Ok(cells) => results(cells.each_ref().map(String::as_str)),
                Err(remark) => format!("  {remark}"),
            };
            let name = format!("  {}", row.name());
            text += &line(&name, &cells.seconds, &cells.times_plain, &cells.pytorch, &rest);
        }
    }
    text += "\n";
    for note in &table.notes {
        text += &wrapped(note, 2);
    }
    text
}

/// A document with one table.
pub(super) fn markdown(table: &Table) -> String {
    let mut text = "# Timing tables\n\n".to_owned();
    for (label, fact) in &table.facts {
        text += &format!("- {label}: {fact}\n");
    }
    let mut heads = vec!["job", "implementation", SECONDS, "ms per epoch", TIMES_PLAIN];
    heads.extend(table.has_pytorch().then_some(TIMES_PYTORCH));
    heads.extend(RESULTS);
    let rules = heads
        .iter()
        .enumerate()
        .map(|(column, _)| if column < 2 { "---" } else { "---:" });
    text += &format!(
        "\n| {} |\n|{}|\n",
        heads.join(" | "),
        rules.collect::<Vec<_>>().join("|")
    );
    for section in &table.sections {
        for row in &section.rows {
            let cells = cells(section, row);
            let mut columns = vec![
                section.title.clone(),
                row.name(),
                cells.seconds,
                number(section.milliseconds(row)),
                cells.times_plain,
            ];
            columns.extend(table.has_pytorch().then_some(cells.pytorch));
            match cells.results {
                Ok(results) => columns.extend(results),
                Err(remark) => columns.extend([remark, String::new(), String::new()]),
            }
            text += &format!("| {} |\n", columns.join(" | "));
        }
    }
    text += "\n";
    for note in &table.notes {
        text += &format!("- {note}\n");
    }
    text
}

/// One record a row, numbers in full; facts and notes in lines that begin with `#`.
pub(super) fn csv(table: &Table) -> anyhow::Result<String> {
    let mut text = String::new();
    let facts = table.facts.iter().map(|(label, fact)| format!("{label}: {fact}"));
    for line in facts.chain(table.notes.iter().cloned()) {
        writeln!(text, "# {line}")?;
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "job",
        "implementation",
        "precision",
        "epochs",
        "measured_epochs",
        "seconds",
        "ms_per_epoch",
        "times_plain",
        "times_pytorch",
        "times_pytorch_least",
        "times_pytorch_greatest",
        "train_loss",
        "test_loss",
        "test_accuracy",
        "remark",
    ])?;
    let cell = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    for section in &table.sections {
        for row in &section.rows {
            let part = |part: fn(Spread) -> f64| cell(row.pytorch.map(part));
            let (results, remark) = match &row.results {
                Results::Reached {
                    train_loss,
                    test_loss,
                    accuracy,
                } => ([*train_loss, *test_loss, *accuracy], ""),
                Results::Remark(remark) => ([None; 3], remark.as_str()),
            };
            let [train_loss, test_loss, accuracy] = results.map(cell);
            writer.write_record([
                section.job,
                row.implementation,
                row.precision,
                &section.epochs.to_string(),
                &row.measured.to_string(),
                &row.seconds.to_string(),
                &section.milliseconds(row).to_string(),
                &cell(section.times_plain(row)),
                &part(|ratio| ratio.median),
                &part(|ratio| ratio.least),
                &part(|ratio| ratio.greatest),
                &train_loss,
                &test_loss,
                &accuracy,
                remark,
            ])?;
        }
    }
    let records = writer.into_inner().context("cannot write CSV")?;
    text += std::str::from_utf8(&records)?;
    Ok(text)
}

fn cells(section: &Section, row: &Row) -> Cells {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    Cells {
        seconds: number(row.seconds),
        times_plain: or_dash(section.times_plain(row).map(times)),
        pytorch: or_dash(row.pytorch.map(|ratio| {
            let [median, least, greatest] = [ratio.median, ratio.least, ratio.greatest].map(times);
            format!("{median} ({least}..{greatest})")
        })),
        results: match &row.results {
            Results::Reached {
                train_loss,
                test_loss,
                accuracy,
            } => Ok([
                or_dash(train_loss.map(format::loss)),
                or_dash(test_loss.map(format::loss)),
                or_dash(accuracy.map(format::percent)),
            ]),
            Results::Remark(remark) => Err(remark.clone()),
        },
    }
}

/// A time to three digits or more.
fn number(value: f64) -> String {
    let places = match value {
        _ if value == 0.0 => 1,
        _ if value < 0.001 => return format!("{value:.1e}"),
        _ if value < 0.01 => 5,
        _ if value < 0.1 => 4,
        _ if value < 1.0 => 3,
        _ if value < 10.0 => 2,
        _ if value < 10_000.0 => 1,
        _ => 0,
    };
    format!("{value:.places$}")
}

/// A ratio to three digits, without places from 100 on.
fn times(ratio: f64) -> String {
    let places = match ratio {
        _ if ratio < 10.0 => 2,
        _ if ratio < 100.0 => 1,
        _ => 0,
    };
    format!("{ratio:.places$}")
}

/// The words in lines of at most 79 columns, all but the first indented.
fn wrapped(text: &str, indent: usize) -> String {
    const WIDTH: usize = 79;
    let mut lines = String::new();
    let mut line = String::new();
    // A label's padding is part of its word.
    for word in text.split_inclusive(' ') {
        if line.chars().count() + word.trim_end().chars().count() > WIDTH {
            lines += line.trim_end();
            lines += "\n";
            line = " ".repeat(indent);
        }
        line += word;
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::table::{MFNET, PLAIN, PYTORCH};
    use super::*;

    fn row(implementation: &'static str, seconds: f64, results: Results) -> Row {
        Row {
            implementation,
            precision: "f64",
            measured: 2,
            seconds,
            results,
            pytorch: None,
        }
    }

    fn table(pytorch: bool) -> Table {
        let remark = |text: &str| Results::Remark(text.to_owned());
        let reached = Results::Reached {
            train_loss: Some(0.025),
            test_loss: Some(0.0625),
            accuracy: Some(0.9821),
        };
        let mut ours = row(MFNET, 40.0, reached);
        ours.pytorch = pytorch.then_some(Spread {
            median: 1.5,
            least: 1.25,
            greatest: 10.0,
        });
        Table {
            facts: vec![("CPU", "Some CPU, with a name that goes on and on, ".repeat(3))],
            sections: vec![Section {
                job: "mnist-network",
                title: "MNIST, network 784-512-10, batches of 1,024, 100 epochs".to_owned(),
                epochs: 100,
                rows: vec![
                    Row {
                        precision: "",
                        measured: 0,
                        ..row("report mfnet", 401.7, remark("batch 1024, eta 0.001"))
                    },
                    row(PLAIN, 4000.0, remark("2 epochs, scaled")),
                    ours,
                    row(PYTORCH, 60.0, remark("3 rounds of 2 epochs")),
                ],
            }],
            notes: vec!["report: a note with, a comma".to_owned()],
        }
    }

    #[test]
    fn a_terminal_of_80_columns_is_wide_enough() {
        for pytorch in [false, true] {
            let text = terminal(&table(pytorch));
            assert!(text.lines().all(|line| line.chars().count() < 80), "{text}");
            assert!(!text.lines().any(|line| line.ends_with(' ')), "{text:?}");
            assert_eq!(text.contains(TIMES_PYTORCH), pytorch);
        }
        let text = terminal(&table(true));
        let ours = text.lines().find(|line| line.starts_with("  mfnet")).unwrap();
        let words: Vec<&str> = ours.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "mfnet",
                "f64",
                "40.0",
                "100",
                "1.50",
                "(1.25..10.0)",
                "0.0250",
                "0.0625",
                "98.21",
                "%"
            ]
        );
        let heads = text.lines().find(|line| line.contains(SECONDS)).unwrap();
        assert_eq!(heads.chars().count(), ours.chars().count(), "columns end alike");
    }

    #[test]
    fn markdown_has_as_many_cells_as_heads() {
        for pytorch in [false, true] {
            let text = markdown(&table(pytorch));
            let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
            let cells = |row: &str| row.matches('|').count();
            assert_eq!(rows.len(), 2 + 4);
            assert!(rows.iter().all(|row| cells(row) == cells(rows[0])), "{text}");
            assert!(
                rows[4].contains("| mfnet f64 | 40.0 | 400.0 | 100 |"),
                "{}",
                rows[4]
            );
        }
    }

    #[test]
    fn csv_can_be_read_again() {
        let text = csv(&table(true)).unwrap();
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .from_reader(text.as_bytes());
        let heads = reader.headers().unwrap().clone();
        let column = |name| heads.iter().position(|head| head == name).unwrap();
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let cell = |row: usize, name| &records[row][column(name)];
        assert_eq!(records.len(), 4);
        assert_eq!(
            (cell(1, "measured_epochs"), cell(1, "remark")),
            ("2", "2 epochs, scaled")
        );
        assert_eq!(cell(0, "times_plain"), "", "not a time of this machine");
        assert_eq!((cell(1, "times_plain"), cell(1, "test_loss")), ("", ""));
        assert_eq!((cell(2, "times_plain"), cell(2, "times_pytorch")), ("100", "1.5"));
        assert_eq!(
            (cell(2, "test_accuracy"), cell(2, "ms_per_epoch")),
            ("0.9821", "400")
        );
    }

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!(
            [0.0, 0.000_123, 0.021_34, 0.4, 2.345, 235.4, 23_456.7].map(number),
            ["0.0", "1.2e-4", "0.0213", "0.400", "2.35", "235.4", "23457"]
        );
        assert_eq!([1.499, 12.34, 123.4].map(times), ["1.50", "12.3", "123"]);
    }
}
