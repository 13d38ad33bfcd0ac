//! Predictions as CSV, a line for each sample.

use std::collections::HashSet;
use std::io::Write;

use csv::Writer;
use mfnet::Element;
use mfnet::data::Schema;
use rayon::prelude::*;

use super::{Answers, Wanted};
use crate::model_path::target_name;
use crate::sample_arguments::KeptColumns;
use crate::usage;

/// The samples whose lines one task writes.
const ROWS: usize = 1 << 12;

/// How the lines are made.
#[derive(Debug)]
pub(super) struct Table {
    wanted: Wanted,
    labels: Vec<String>,
    /// The texts of no and of yes for each target.
    answers: Vec<[String; 2]>,
    /// The names of the predictions' columns.
    predictions: Vec<String>,
}

impl Table {
    pub(super) fn new<T: Element>(schema: &Schema<T>, wanted: Wanted) -> Self {
        let predictions = match wanted {
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
            predictions,
        }
    }

    /// Writes all parts, each when it is there. Before the first is, nothing is written; without any part, the header alone.
    pub(super) fn write<T: Element>(
        &self,
        parts: impl Iterator<Item = anyhow::Result<Answers<T>>>,
        sink: &mut impl Write,
    ) -> anyhow::Result<()> {
        let mut has_header = false;
        for part in parts {
            let part = part?;
            if !has_header {
                write_header(&self.header(part.kept.as_ref())?, sink)?;
                has_header = true;
            }
            let lines = (0..part.values.nrows()).into_par_iter().step_by(ROWS);
            let lines: Vec<_> = lines.map(|first| self.lines(&part, first)).collect();
            for lines in lines {
                sink.write_all(&lines?)?;
            }
        }
        if !has_header {
            write_header(&self.predictions, sink)?;
        }
        Ok(sink.flush()?)
    }

    /// The names of all columns: those that are kept, then the predictions', of which none has the name of a kept one.
    fn header(&self, kept: Option<&KeptColumns>) -> anyhow::Result<Vec<String>> {
        let kept: Vec<&str> = kept.into_iter().flat_map(KeptColumns::names).collect();
        let prediction = |name: &String| match kept.contains(&name.as_str()) {
            true => format!("predicted {name}"),
            false => name.clone(),
        };
        let predictions = self.predictions.iter().map(prediction);
        let header: Vec<String> = kept
            .iter()
            .map(|&name| name.to_owned())
            .chain(predictions)
            .collect();
        let mut seen = HashSet::new();
        match header.iter().find(|&name| !seen.insert(name)) {
            Some(name) if !kept.is_empty() => Err(usage(format!(
                "--keep makes two columns with the name `{name}`: leave one of the kept columns out"
            ))
            .into()),
            _ => Ok(header),
        }
    }

    /// The lines of the samples of one task.
    fn lines<T: Element>(&self, part: &Answers<T>, first: usize) -> anyhow::Result<Vec<u8>> {
        let samples = first..part.values.nrows().min(first + ROWS);
        let mut writer = Writer::from_writer(Vec::new());
        match self.wanted {
            Wanted::Class => {
                for sample in samples {
                    write_kept(part.kept.as_ref(), sample, &mut writer)?;
                    writer.write_record([&self.labels[part.classes[sample] as usize]])?;
                }
            }
            Wanted::Answers => {
                let outputs = self.answers.len();
                let rows = &part.classes[samples.start * outputs..samples.end * outputs];
                for (sample, row) in samples.zip(rows.chunks(outputs.max(1))) {
                    write_kept(part.kept.as_ref(), sample, &mut writer)?;
                    let texts = self.answers.iter().zip(row);
                    writer.write_record(texts.map(|(texts, &answer)| &texts[answer as usize]))?;
                }
            }
            Wanted::Probabilities | Wanted::Numbers => {
                for sample in samples {
                    write_kept(part.kept.as_ref(), sample, &mut writer)?;
                    let row = part.values.row(sample);
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

/// Begins a line with the cells that are kept of a row.
fn write_kept(kept: Option<&KeptColumns>, row: usize, writer: &mut Writer<Vec<u8>>) -> csv::Result<()> {
    for cell in kept.into_iter().flat_map(|kept| kept.cells(row)) {
        writer.write_field(cell)?;
    }
    Ok(())
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
