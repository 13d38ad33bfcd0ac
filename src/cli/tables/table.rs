//! What was measured, and the row of the table that shows it.

use super::spread::Spread;

/// The whole table, and what one must know to make use of it.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// A label and what belongs to it: machine, libraries, versions.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) sections: Vec<Section>,
    /// Sentences that explain the rows.
    pub(super) notes: Vec<String>,
}

/// The rows of one job.
#[derive(Debug)]
pub(super) struct Section {
    /// The job's name, as the user writes it.
    pub(super) job: &'static str,
    /// The job in a line.
    pub(super) title: String,
    /// The epochs that the seconds are for.
    pub(super) epochs: usize,
    pub(super) rows: Vec<Row>,
}

/// One implementation's way through a job.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) implementation: &'static str,
    pub(super) precision: &'static str,
    /// The epochs that were timed in this run.
    pub(super) measured: usize,
    /// Seconds for all epochs of the section.
    pub(super) seconds: f64,
    pub(super) results: Results,
    /// How many times as long PyTorch takes.
    pub(super) pytorch: Option<Spread>,
}

/// What came out, or why nothing did.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Results {
    Reached {
        train_loss: Option<f64>,
        test_loss: Option<f64>,
        accuracy: Option<f64>,
    },
    /// A few words: what the seconds come from.
    Remark(String),
}

pub(super) const PLAIN: &str = "plain";
pub(super) const MFNET: &str = "mfnet";
pub(super) const PYTORCH: &str = "PyTorch";

impl Section {
    /// How many times as long the plain implementation takes as this row; none for its own, and for times that are not
    /// from this machine.
    pub(super) fn times_plain(&self, row: &Row) -> Option<f64> {
        let plain = self.rows.iter().find(|row| row.implementation == PLAIN)?;
        (row.implementation != PLAIN && row.measured > 0).then(|| plain.seconds / row.seconds)
    }

    /// Milliseconds of an epoch.
    pub(super) fn milliseconds(&self, row: &Row) -> f64 {
        1e3 * row.seconds / self.epochs as f64
    }
}

impl Table {
    /// Whether any row was compared with PyTorch.
    pub(super) fn has_pytorch(&self) -> bool {
        let mut rows = self.sections.iter().flat_map(|section| &section.rows);
        rows.any(|row| row.pytorch.is_some())
    }
}

impl Row {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.implementation, self.precision)
            .trim_end()
            .to_owned()
    }
}
