//! Predictions as CSV, a line for each sample.

use std::io::Write;

use csv::Writer;
use mfnet::Element;
use mfnet::data::Schema;

use super::{Answers, Wanted};
use crate::model_path::target_name;

/// How the lines are made.
#[derive(Debug)]
pub(super) struct Table {
    wanted: Wanted,
    labels: Vec<String>,
    header: Vec<String>,
}

impl Table {
    pub(super) fn new<T: Element>(schema: &Schema<T>, wanted: Wanted) -> Self {
        let header = match wanted {
            Wanted::Class => vec!["prediction".to_owned()],
            Wanted::Probabilities => schema.labels.clone(),
            Wanted::Numbers if schema.target_names.is_empty() && schema.outputs == 1 => {
                vec!["prediction".to_owned()]
            }
            Wanted::Numbers => (0..schema.outputs)
                .map(|target| target_name(schema, target))
                .collect(),
        };
        Table {
            wanted,
            labels: schema.labels.clone(),
            header,
        }
    }

    /// Writes all parts, each when it is there. Before the first is, nothing is written; without any part, the header alone.
    pub(super) fn write<T: Element>(
        &self,
        parts: impl Iterator<Item = anyhow::Result<Answers<T>>>,
        sink: &mut impl Write,
    ) -> anyhow::Result<()> {
        let mut header = Some(&self.header);
        for part in parts {
            let part = part?;
            let mut writer = Writer::from_writer(Vec::new());
            if let Some(header) = header.take() {
                writer.write_record(header)?;
            }
            match self.wanted {
                Wanted::Class => {
                    for &class in &part.classes {
                        writer.write_record([&self.labels[class as usize]])?;
                    }
                }
                Wanted::Probabilities | Wanted::Numbers => {
                    for row in part.values.rows() {
                        writer.write_record(row.iter().map(|&value| number(value)))?;
                    }
                }
            }
            sink.write_all(&writer.into_inner()?)?;
        }
        if let Some(header) = header {
            let mut writer = Writer::from_writer(Vec::new());
            writer.write_record(header)?;
            sink.write_all(&writer.into_inner()?)?;
        }
        Ok(sink.flush()?)
    }
}

/// A number with as many digits as it takes to read the very same back.
fn number<T: Element>(value: T) -> String {
    let magnitude = value.as_f64().abs();
    let is_plain = magnitude == 0.0 || (1e-5..1e16).contains(&magnitude) || !magnitude.is_finite();
    match (is_plain, T::NAME) {
        (true, _) => value.to_string(),
        (false, f32::NAME) => format!("{:e}", value.as_f64() as f32),
        (false, _) => format!("{:e}", value.as_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_exact() {
        assert_eq!(number(0.1_f32), "0.1");
        assert_eq!(number(0.1_f64 + 0.2), "0.30000000000000004");
        assert_eq!(number(1e-7_f32), "1e-7");
        assert_eq!(number(-2.5e300_f64), "-2.5e300");
        assert_eq!(number(0.0_f32), "0");
    }
}
