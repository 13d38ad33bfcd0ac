//! The table as text for a terminal, as Markdown, as CSV and as JSON.

use std::fmt::Write;

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::super::format;
use super::spread::Spread;
use super::table::{Results, Row, Section, Table};

/// The columns that are written for people, behind the name of the row.
struct Cells {
    seconds: String,
    gflops: String,
    peak: String,
    times_plain: String,
    times_mfnet: Option<String>,
    results: Result<[String; 3], String>,
}

const SECONDS: &str = "seconds";
const GFLOPS: &str = "GFLOP/s";
const PEAK: &str = "of peak";
const TIMES_PLAIN: &str = "plain/it";
const TIMES_MFNET: &str = "x mfnet";
const RESULTS: [&str; 3] = ["train loss", "test loss", "accuracy"];

/// Lines of at most 79 columns.
pub(super) fn terminal(table: &Table) -> String {
    let mut text = String::new();
    for (label, fact) in &table.facts {
        text += &wrapped(&format!("{label:<9} {fact}"), 10);
    }
    let line = |name: &str, [seconds, gflops, peak, plain]: [&str; 4], rest: &str| {
        let line = format!("{name:<17}{seconds:>9}{gflops:>8}{peak:>8}{plain:>9}{rest}");
        line.trim_end().to_owned() + "\n"
    };
    let results = |[train, test, accuracy]: [&str; 3]| format!("{train:>9}{test:>9}{accuracy:>9}");
    text += "\n";
    text += &line("", [""; 4], &results(["train", "test", "test"]));
    let losses = results(["loss", "loss", "accuracy"]);
    text += &line("", [SECONDS, GFLOPS, PEAK, TIMES_PLAIN], &losses);
    for section in &table.sections {
        text += &wrapped(&section.title, 2);
        for row in &section.rows {
            let cells = cells(table, section, row);
            // There is no room for both of what a peer's row has to say.
            let rest = match (&cells.times_mfnet, &cells.results) {
                (Some(ratio), _) => format!("  {ratio} {TIMES_MFNET}"),
                (None, Ok(cells)) => results(cells.each_ref().map(String::as_str)),
                (None, Err(remark)) => format!("  {remark}"),
            };
            let numbers = [&cells.seconds, &cells.gflops, &cells.peak, &cells.times_plain];
            text += &line(&format!("  {}", row.name()), numbers.map(String::as_str), &rest);
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
    let mut heads = vec![
        "job",
        "implementation",
        SECONDS,
        "ms per epoch",
        GFLOPS,
        PEAK,
        TIMES_PLAIN,
    ];
    heads.extend(table.has_peers().then_some(TIMES_MFNET));
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
            let cells = cells(table, section, row);
            let mut columns = vec![
                section.title.clone(),
                row.name(),
                cells.seconds,
                number(row.milliseconds()),
                cells.gflops,
                cells.peak,
                cells.times_plain,
            ];
            let times_mfnet = cells.times_mfnet.unwrap_or_else(|| "-".to_owned());
            columns.extend(table.has_peers().then_some(times_mfnet));
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

/// The columns of a record for programs.
const COLUMNS: [&str; 17] = [
    "job",
    "implementation",
    "precision",
    "epochs",
    "measured_epochs",
    "seconds",
    "ms_per_epoch",
    "gflops",
    "peak_share",
    "times_plain",
    "times_mfnet",
    "times_mfnet_least",
    "times_mfnet_greatest",
    "train_loss",
    "test_loss",
    "test_accuracy",
    "remark",
];

/// A row for programs, in the order of [`COLUMNS`]: numbers in full, null where there is none.
fn record(table: &Table, section: &Section, row: &Row) -> [Value; COLUMNS.len()] {
    let part = |part: fn(Spread) -> f64| json!(row.times_mfnet.map(part));
    let (results, remark) = match &row.results {
        Results::Reached {
            train_loss,
            test_loss,
            accuracy,
        } => ([*train_loss, *test_loss, *accuracy], None),
        Results::Remark(remark) => ([None; 3], Some(remark)),
    };
    let [train_loss, test_loss, accuracy] = results.map(|result| json!(result));
    [
        json!(section.job),
        json!(row.implementation),
        json!(row.precision),
        json!(row.epochs),
        json!(row.measured),
        json!(row.seconds),
        json!(row.milliseconds()),
        json!(row.flops_per_second.map(|flops| flops / 1e9)),
        json!(table.peak_share(row)),
        json!(section.times_plain(row)),
        part(|ratio| ratio.median),
        part(|ratio| ratio.least),
        part(|ratio| ratio.greatest),
        train_loss,
        test_loss,
        accuracy,
        json!(remark),
    ]
}

/// The records of all rows.
fn records(table: &Table) -> impl Iterator<Item = [Value; COLUMNS.len()]> {
    let rows = |section| -> Vec<_> {
        let section: &Section = section;
        section
            .rows
            .iter()
            .map(|row| record(table, section, row))
            .collect()
    };
    table.sections.iter().flat_map(rows)
}

/// One record a row; facts and notes in lines that begin with `#`.
pub(super) fn csv(table: &Table) -> anyhow::Result<String> {
    let mut text = String::new();
    let facts = table.facts.iter().map(|(label, fact)| format!("{label}: {fact}"));
    for line in facts.chain(table.notes.iter().cloned()) {
        writeln!(text, "# {line}")?;
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    let cell = |value: Value| match value {
        Value::String(text) => text,
        Value::Number(number) => number
            .as_f64()
            .map(|number| number.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    };
    for record in records(table) {
        writer.write_record(record.map(cell))?;
    }
    let records = writer.into_inner().context("cannot write CSV")?;
    text += std::str::from_utf8(&records)?;
    Ok(text)
}

/// One object, on one line.
pub(super) fn json(table: &Table) -> String {
    let facts: Map<String, Value> = table
        .facts
        .iter()
        .map(|(label, fact)| ((*label).to_owned(), json!(fact)))
        .collect();
    let names = || COLUMNS.iter().map(|name| (*name).to_owned());
    let rows: Vec<Map<String, Value>> = records(table)
        .map(|record| names().zip(record).collect())
        .collect();
    let object = json!({
        "facts": facts,
        "peak_flops": { "f32": table.peak.f32, "f64": table.peak.f64 },
        "rows": rows,
        "notes": table.notes,
    });
    format!("{object}\n")
}

fn cells(table: &Table, section: &Section, row: &Row) -> Cells {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    Cells {
        seconds: number(row.seconds),
        gflops: or_dash(row.flops_per_second.map(|flops| times(flops / 1e9))),
        peak: or_dash(table.peak_share(row).map(share)),
        times_plain: or_dash(section.times_plain(row).map(times)),
        times_mfnet: row.times_mfnet.map(|ratio| {
            let [median, least, greatest] = [ratio.median, ratio.least, ratio.greatest].map(times);
            format!("{median} ({least}..{greatest})")
        }),
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

/// A part of 1 to two digits or more: `12 %`, `3.4 %`.
fn share(part: f64) -> String {
    let places = usize::from(part < 0.0995);
    format!("{:.places$} %", 100.0 * part)
}

/// A time to three digits or more.
fn number(value: f64) -> String {
    let places = match value {
        _ if value.is_nan() => return "-".to_owned(),
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
    use super::super::flops::Peak;
    use super::super::table::{MFNET, PLAIN};
    use super::*;

    fn row(implementation: &'static str, seconds: f64, results: Results) -> Row {
        Row {
            implementation,
            precision: "f64",
            epochs: 100,
            measured: 2,
            seconds,
            flops_per_second: Some(1e12 / seconds),
            results,
            times_mfnet: None,
        }
    }

    fn table(peers: bool) -> Table {
        let remark = |text: &str| Results::Remark(text.to_owned());
        let reached = Results::Reached {
            train_loss: Some(0.025),
            test_loss: Some(0.0625),
            accuracy: Some(0.9821),
        };
        let mut rows = vec![
            Row {
                precision: "",
                measured: 0,
                flops_per_second: None,
                ..row("report mfnet", 401.7, remark("batch 1024, eta 0.001"))
            },
            row(PLAIN, 4000.0, remark("2 epochs, scaled")),
            row(MFNET, 40.0, reached),
        ];
        let ratio = Spread {
            median: 123.5,
            least: 112.5,
            greatest: 1100.0,
        };
        rows.extend(peers.then(|| Row {
            times_mfnet: Some(ratio),
            ..row("PyTorch", 60.0, remark("3 rounds of 2"))
        }));
        Table {
            peak: Peak {
                f32: 200e9,
                f64: 100e9,
            },
            facts: vec![("CPU", "Some CPU, with a name that goes on and on, ".repeat(3))],
            sections: vec![Section {
                job: "mnist-network",
                title: "MNIST, network 784-512-10, batches of 1,024, 100 epochs".to_owned(),
                rows,
            }],
            notes: vec!["report: a note with, a comma".to_owned()],
        }
    }

    #[test]
    fn a_terminal_of_80_columns_is_wide_enough() {
        for peers in [false, true] {
            let text = terminal(&table(peers));
            assert!(text.lines().all(|line| line.chars().count() < 80), "{text}");
            assert!(!text.lines().any(|line| line.ends_with(' ')), "{text:?}");
            assert_eq!(text.contains("  124 (112..1100) x mfnet\n"), peers, "{text}");
        }
        let text = terminal(&table(true));
        let ours = text.lines().find(|line| line.starts_with("  mfnet")).unwrap();
        let words: Vec<&str> = ours.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "mfnet", "f64", "40.0", "25.0", "25", "%", "100", "0.0250", "0.0625", "98.21", "%"
            ]
        );
        let heads = text.lines().find(|line| line.contains(SECONDS)).unwrap();
        assert_eq!(heads.chars().count(), ours.chars().count(), "columns end alike");
    }

    #[test]
    fn markdown_has_as_many_cells_as_heads() {
        for peers in [false, true] {
            let text = markdown(&table(peers));
            let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
            let cells = |row: &str| row.matches('|').count();
            assert_eq!(rows.len(), 2 + 3 + usize::from(peers));
            assert!(rows.iter().all(|row| cells(row) == cells(rows[0])), "{text}");
            assert!(
                rows[4].contains("| mfnet f64 | 40.0 | 400.0 | 25.0 | 25 % | 100 |"),
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
        assert_eq!((cell(2, "times_plain"), cell(2, "times_mfnet")), ("100", ""));
        assert_eq!(
            (cell(3, "times_mfnet"), cell(3, "times_mfnet_least")),
            ("123.5", "112.5")
        );
        assert_eq!((cell(2, "gflops"), cell(2, "peak_share")), ("25", "0.25"));
        assert_eq!((cell(0, "gflops"), cell(0, "epochs")), ("", "100"));
        assert_eq!(
            (cell(2, "test_accuracy"), cell(2, "ms_per_epoch")),
            ("0.9821", "400")
        );
    }

    #[test]
    fn json_has_what_csv_has() {
        let mut table = table(true);
        table.sections[0].rows[3].seconds = f64::NAN;
        let object: Value = serde_json::from_str(&json(&table)).unwrap();
        assert_eq!(object["facts"]["CPU"], table.facts[0].1);
        assert_eq!(object["peak_flops"]["f64"], 100e9);
        let rows = object["rows"].as_array().unwrap();
        assert!(
            rows.iter()
                .all(|row| row.as_object().unwrap().len() == COLUMNS.len())
        );
        assert_eq!(
            (&rows[2]["gflops"], &rows[2]["peak_share"]),
            (&json!(25.0), &json!(0.25))
        );
        assert_eq!(
            (&rows[0]["peak_share"], &rows[0]["remark"]),
            (&Value::Null, &json!("batch 1024, eta 0.001"))
        );
        assert_eq!(rows[3]["seconds"], Value::Null, "no number");
        assert!(
            csv(&table)
                .unwrap()
                .contains("mnist-network,PyTorch,f64,100,2,,,")
        );
    }

    #[test]
    fn what_exceeds_the_peak_was_not_measured_against_it() {
        let mut table = table(false);
        table.peak.f64 = 24e9;
        assert_eq!(table.peak_share(&table.sections[0].rows[2]), None);
        assert_eq!([0.254, 0.0994, 0.0995].map(share), ["25 %", "9.9 %", "10 %"]);
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
