//! The time that the reading of a CSV file takes: its cells, and the numbers of its features and its target.
//!
//! ```text
//! cargo run --release --example 14_reading TABLE.csv [ROUNDS]
//! ```

use std::path::PathBuf;
use std::time::Instant;

use mfnet::data::Columns;
use mfnet::data::read::{CsvOptions, read_csv};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = PathBuf::from(arguments.next().ok_or("the path of a CSV file is needed")?);
    let rounds = arguments.next().map_or(Ok(1), |text| text.parse())?;
    for _ in 0..rounds {
        let start = Instant::now();
        let table = read_csv(&path, &CsvOptions::default())?;
        let cells = start.elapsed();
        let examples = table.examples::<f64>(&Columns::default())?;
        println!(
            "{} rows of {} columns in {:.3} s ({:.3} s for the cells); {}",
            table.rows(),
            table.width(),
            start.elapsed().as_secs_f64(),
            cells.as_secs_f64(),
            examples.reason
        );
    }
    Ok(())
}
