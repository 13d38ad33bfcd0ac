//! The table as pictures: times in multiples of mfnet's, and GFLOP/s against the machine's peak.

use mfnet::report::{Bar, BarGroup, Bars, Mark, Picture, bars};

use super::peers::PYTORCH;
use super::table::{MFNET, Row, Section, Table};

/// The precisions, in the order of their colours.
const PRECISIONS: [&str; 2] = ["f32", "f64"];

/// PyTorch's time for each job in multiples of mfnet's; none if no job was compared.
pub(super) fn ratios(table: &Table) -> mfnet::Result<Option<Picture>> {
    draw(Bars {
        title: "PyTorch's time for the same work, in multiples of mfnet's".to_owned(),
        unit: "x".to_owned(),
        groups: groups(table, |row| {
            let ratio = row.times_mfnet.filter(|_| row.implementation == PYTORCH)?;
            Some(Bar {
                name: row.precision.to_owned(),
                color: color(row.precision)?,
                value: ratio.median,
                range: Some((ratio.least, ratio.greatest)),
                text: format!(
                    "{:.1}x ({:.1} to {:.1})",
                    ratio.median, ratio.least, ratio.greatest
                ),
            })
        }),
        marks: vec![Mark {
            value: 1.0,
            ..Mark::default()
        }],
    })
}

/// The GFLOP/s of mfnet and its peers in each job, below the peak of the machine; none without a job that has products.
pub(super) fn roofline(table: &Table) -> mfnet::Result<Option<Picture>> {
    let marks = PRECISIONS.iter().filter_map(|precision| {
        Some(Mark {
            value: table.peak.of(precision)? / 1e9,
            name: format!("peak {precision}"),
            color: color(precision),
        })
    });
    draw(Bars {
        title: "GFLOP/s of the products over the time of all, and the machine's peak".to_owned(),
        unit: String::new(),
        groups: groups(table, |row| {
            let gflops = row.flops_per_second? / 1e9;
            let is_shown = row.implementation.starts_with(MFNET) || row.times_mfnet.is_some();
            let share = table
                .peak_share(row)
                .map(|share| format!(" ({:.0} %)", 100.0 * share));
            is_shown.then_some(Bar {
                name: row.name(),
                color: color(row.precision)?,
                value: gflops,
                range: None,
                text: format!("{gflops:.1}{}", share.unwrap_or_default()),
            })
        }),
        marks: marks.collect(),
    })
}

/// The bars of each section's rows, those in f32 first; sections without a bar are left out.
fn groups(table: &Table, bar: impl Fn(&Row) -> Option<Bar>) -> Vec<BarGroup> {
    let bars = |section: &Section| -> Vec<Bar> {
        let mut rows: Vec<&Row> = section.rows.iter().collect();
        rows.sort_by_key(|row| row.precision);
        rows.into_iter().filter_map(&bar).collect()
    };
    let groups = table.sections.iter().map(|section| BarGroup {
        title: section.title.clone(),
        bars: bars(section),
    });
    groups.filter(|group| !group.bars.is_empty()).collect()
}

fn color(precision: &str) -> Option<usize> {
    PRECISIONS.iter().position(|name| *name == precision)
}

/// The picture; none without bars.
fn draw(content: Bars) -> mfnet::Result<Option<Picture>> {
    if content.groups.is_empty() {
        return Ok(None);
    }
    bars(&content).map(Some)
}

#[cfg(test)]
mod tests {
    use super::super::flops::Peak;
    use super::super::spread::Spread;
    use super::super::table::{PLAIN, Results};
    use super::*;

    fn table(ratio: Option<Spread>) -> Table {
        let row = |implementation, seconds, times_mfnet| Row {
            implementation,
            precision: "f32",
            epochs: 1,
            measured: 1,
            seconds,
            flops_per_second: Some(100e9 / seconds),
            results: Results::Remark(String::new()),
            times_mfnet,
        };
        let section = Section {
            job: "job",
            title: "a job <of> ours".to_owned(),
            rows: vec![
                row(PLAIN, 90.0, None),
                row(MFNET, 1.0, None),
                row(PYTORCH, 4.0, ratio),
            ],
        };
        Table {
            sections: vec![section],
            peak: Peak {
                f32: 200e9,
                f64: 120e9,
            },
            ..Table::default()
        }
    }

    const RATIO: Spread = Spread {
        median: 4.0,
        least: 3.5,
        greatest: 4.25,
    };

    #[test]
    fn a_compared_row_is_a_bar_with_its_ratio() {
        let picture = ratios(&table(Some(RATIO))).unwrap().unwrap();
        let svg = picture.svg();
        assert!(svg.contains("4.0x (3.5 to 4.2)"), "{svg}");
        assert!(svg.contains("a job &lt;of&gt; ours"), "{svg}");
        assert!(
            svg.contains("#0072B2") && !svg.contains("#E69F00"),
            "one bar: {svg}"
        );
    }

    #[test]
    fn without_a_comparison_there_is_no_picture() {
        assert_eq!(ratios(&table(None)).unwrap(), None);
        assert_eq!(roofline(&Table::default()).unwrap(), None);
    }

    #[test]
    fn the_roofline_has_rows_and_peaks() {
        let picture = roofline(&table(Some(RATIO))).unwrap().unwrap();
        let svg = picture.svg();
        for expected in [
            "100.0 (50 %)",
            "25.0 (12 %)",
            "mfnet f32",
            "PyTorch f32",
            "peak f32",
            "peak f64",
        ] {
            assert!(svg.contains(expected), "{expected}: {svg}");
        }
        assert!(!svg.contains("plain"), "{svg}");
    }
}
