//! The measurements of a job, and the rows of the table that show them.

use super::flops::Peak;
use super::spread::Spread;

/// The whole table, and what one must know to make use of it.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// A label and what belongs to it: machine, libraries, versions.
    pub(super) facts: Vec<(&'static str, String)>,
    /// Of this machine.
    pub(super) peak: Peak,
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
    pub(super) rows: Vec<Row>,
}

/// One implementation's way through a job.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) implementation: &'static str,
    pub(super) precision: &'static str,
    /// The epochs that the seconds are for.
    pub(super) epochs: usize,
    /// The epochs that were timed in this run.
    pub(super) measured: usize,
    /// NaN for a training that did not get where it was to end.
    pub(super) seconds: f64,
    /// The operations of its products over its time.
    pub(super) flops_per_second: Option<f64>,
    pub(super) results: Results,
    /// A peer's: how many times as long as mfnet it takes in the same precision.
    pub(super) times_mfnet: Option<Spread>,
}

/// The results of a training, or why there are none.
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

impl Section {
    /// How many times as long the plain implementation takes as this row; none for its own, and for times that are not
    /// from this machine.
    pub(super) fn times_plain(&self, row: &Row) -> Option<f64> {
        let plain = self.rows.iter().find(|row| row.implementation == PLAIN)?;
        (row.implementation != PLAIN && row.measured > 0).then(|| plain.seconds / row.seconds)
    }
}

impl Table {
    /// Whether any row is a peer's.
    pub(super) fn has_peers(&self) -> bool {
        let mut rows = self.sections.iter().flat_map(|section| &section.rows);
        rows.any(|row| row.times_mfnet.is_some())
    }

    /// The part of the machine's peak that a row achieves; none where it exceeds it, for then it was not the peak.
    pub(super) fn peak_share(&self, row: &Row) -> Option<f64> {
        let share = row.flops_per_second? / self.peak.of(row.precision)?;
        Some(share).filter(|&share| share <= 1.0)
    }
}

impl Row {
    /// Milliseconds of an epoch.
    pub(super) fn milliseconds(&self) -> f64 {
        1e3 * self.seconds / self.epochs as f64
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.implementation, self.precision)
            .trim_end()
            .to_owned()
    }
}
