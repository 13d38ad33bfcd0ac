//! Writes a table of customers as CSV to standard output, to try the command with: numbers, categories, dates as text, missing
//! cells, an identifier, and a target that 16 in 100 customers have. The customers are drawn: they are nobody's.
//!
//! ```sh
//! cargo run --release --example 13_customers > customers.csv
//! cargo run --release --example 13_customers -- 1000 2 > new-customers.csv
//! ```
//!
//! Arguments: the number of customers (default: 5000), the seed (default: 1).

use std::io::{self, BufWriter, Write};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().map_or(Ok(5000), |text| text.parse())?;
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(
        out,
        "customer,since,age,plan,region,months,monthly_charge,support_calls,left"
    )?;
    for row in 0..rows {
        writeln!(out, "{}", customer(seed, row, &mut random))?;
    }
    out.flush()?;
    Ok(())
}

/// A line of the table.
fn customer(seed: u64, row: usize, random: &mut ChaCha8Rng) -> String {
    let months = random.random_range(1..72);
    let since = (2026 * 12 - months, random.random_range(1..29));
    let age = random.random_range(18..85);
    let (plan, price) = one_of(
        &[
            ("basic", 19.0),
            ("basic", 19.0),
            ("plus", 34.0),
            ("premium", 54.0),
        ],
        random,
    );
    let region = one_of(&["north", "east", "south", "west"], random);
    let charge = price + 12.0 * random.random::<f64>();
    // Most call rarely, some often.
    let calls = (-2.0 * (1.0 - random.random::<f64>()).ln()) as u32;
    let logit = -3.1 + 0.6 * f64::from(calls) - 0.04 * f64::from(months) + 0.04 * charge
        - if plan == "premium" { 1.2 } else { 0.0 }
        + if region == "west" { 0.4 } else { 0.0 }
        + if age < 30 { 0.7 } else { 0.0 };
    let left = random.random::<f64>() < 1.0 / (1.0 + (-logit).exp());
    let age = or_missing(0.05, age.to_string(), random);
    let region = or_missing(0.03, region.to_owned(), random);
    let charge = or_missing(0.02, format!("{charge:.2}"), random);
    let (year, month) = (since.0 / 12, since.0 % 12 + 1);
    let left = if left { "yes" } else { "no" };
    format!(
        "C{seed}-{row:05},{year}-{month:02}-{:02},{age},{plan},{region},{months},{charge},{calls},{left}",
        since.1
    )
}

fn one_of<T: Copy>(list: &[T], random: &mut impl Rng) -> T {
    list[random.random_range(0..list.len())]
}

/// The cell, or an empty one with this probability.
fn or_missing(probability: f64, cell: String, random: &mut impl Rng) -> String {
    if random.random::<f64>() < probability {
        String::new()
    } else {
        cell
    }
}
