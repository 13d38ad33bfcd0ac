//! Predictions as CSV, a line for each sample.

use std::io::Write;

use csv::Writer;
use mfnet::Element;
use mfnet::data::Schema;
use ndarray::s;
use rayon::prelude::*;

use super::{Answers, Wanted};
use crate::model_path::target_name;

/// The samples whose lines one task writes.
const ROWS: usize = 1 << 12;

/// How the lines are made.
#[derive(Debug)]
pub(super) struct Table {
    wanted: Wanted,
    labels: Vec<String>,
    /// The texts of no and of yes for each target.
    answers: Vec<[String; 2]>,
    header: Vec<String>,
}

impl Table {
    pub(super) fn new<T: Element>(schema: &Schema<T>, wanted: Wanted) -> Self {
        let header = match wanted {
            Wanted::Class => vec!["prediction".to_owned()],
            Wanted::Probabilities if schema.answers.is_empty() => schema.labels.clone(),
            Wanted::Probabilities => (0..schema.outputs)
                .map(|target| yes_name(schema, target))
                .collect(),
            Wanted::Numbers | Wanted::Answers if schema.target_names.is_empty() && schema.outputs == 1 => {
                vec!["prediction".to_owned()]
            }
            Wanted::Numbers | Wanted::Answers => (0..schema.outputs)
                .map(|target| target_name(schema, target))
                .collect(),
        };
        Table {
            wanted,
            labels: schema.labels.clone(),
            answers: schema.answers.clone(),
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
            if let Some(header) = header.take() {
                write_header(header, sink)?;
            }
            let lines = (0..part.values.nrows()).into_par_iter().step_by(ROWS);
            let lines: Vec<_> = lines.map(|first| self.lines(&part, first)).collect();
            for lines in lines {
                sink.write_all(&lines?)?;
            }
        }
        if let Some(header) = header {
            write_header(header, sink)?;
        }
        Ok(sink.flush()?)
    }

    /// The lines of the samples of one task.
    fn lines<T: Element>(&self, part: &Answers<T>, first: usize) -> anyhow::Result<Vec<u8>> {
        let samples = first..part.values.nrows().min(first + ROWS);
        let mut writer = Writer::from_writer(Vec::new());
        match self.wanted {
            Wanted::Class => {
                for &class in &part.classes[samples] {
                    writer.write_record([&self.labels[class as usize]])?;
                }
            }
            Wanted::Answers => {
                let outputs = self.answers.len();
                let rows = &part.classes[samples.start * outputs..samples.end * outputs];
                for row in rows.chunks(outputs.max(1)) {
                    let texts = self.answers.iter().zip(row);
                    writer.write_record(texts.map(|(texts, &answer)| &texts[answer as usize]))?;
                }
            }
            Wanted::Probabilities | Wanted::Numbers => {
                for row in part.values.slice(s![samples, ..]).rows() {
                    writer.write_record(row.iter().map(|&value| number(value)))?;
                }
            }
        }
        Ok(writer.into_inner()?)
    }
}

/// The name of the probability of yes: the target's where yes is a word for that, else with the text of yes, as `kind=spam`.
fn yes_name<T: Element>(schema: &Schema<T>, target: usize) -> String {
    let name = target_name(schema, target);
    let yes = &schema.answers[target][1];
    match ["1", "1.0", "true", "yes"].contains(&yes.to_ascii_lowercase().as_str()) {
        true => name,
        false => format!("{name}={yes}"),
    }
}

fn write_header(header: &[String], sink: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    Ok(sink.write_all(&writer.into_inner()?)?)
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
