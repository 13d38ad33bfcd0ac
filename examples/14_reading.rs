//! The time that the reading of a CSV file takes: its cells, and the numbers of its features and its target. The file is one of
//! your own, or one of 100,000 rows of 20 decimals.
//!
//! ```text
//! cargo run --release --example 14_reading [ROUNDS [TABLE.csv]]
//! ```

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use mfnet::data::Columns;
use mfnet::data::read::{CsvOptions, read_csv};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().map_or(Ok(3), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let path = match arguments.next() {
        Some(path) => PathBuf::from(path),
        None => {
            let path = folder.path().join("drawn.csv");
            std::fs::write(&path, drawn()?)?;
            path
        }
    };
    for _ in 0..rounds {
        let start = Instant::now();
        let table = read_csv(&path, &CsvOptions::default())?;
        let cells = start.elapsed();
        let examples = table.examples::<f64>(&Columns::default())?;
        println!(
            "{} rows of {} columns in {:.3} s, {:.3} s of it for the cells; {}",
            table.rows(),
            table.width(),
            start.elapsed().as_secs_f64(),
            cells.as_secs_f64(),
            examples.reason
        );
    }
    Ok(())
}

/// A table of decimals with names.
fn drawn() -> Result<String, std::fmt::Error> {
    let names: Vec<String> = (0..20).map(|column| format!("x{column}")).collect();
    let mut text = names.join(",") + "\n";
    for row in 0..100_000_u32 {
        for column in 0..20 {
            let number = f64::from((row * 20 + column).wrapping_mul(2_654_435_761)) / f64::from(u32::MAX);
            let end = if column == 19 { '\n' } else { ',' };
            write!(text, "{:.6}{end}", 4.0 * number - 2.0)?;
        }
    }
    Ok(text)
}
