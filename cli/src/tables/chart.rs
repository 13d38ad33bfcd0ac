//! The table as pictures: times in multiples of mfnet's, and what is achieved of the machine's peak.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::peers::PYTORCH;
use super::table::{MFNET, Row, Section, Table};

const WIDTH: i32 = 760;
const LEFT: i32 = 108;
const RIGHT: i32 = 160;
const TOP: i32 = 56;
const BAR: i32 = 18;
const GAP: i32 = 4;
/// The title of a section and the space below its bars.
const AROUND: i32 = 30;
const BOTTOM: i32 = 34;

/// Blue and orange of the Okabe-Ito palette, which colour-blind readers tell apart.
const COLORS: [(&str, RGBColor); 2] = [("f32", RGBColor(0, 114, 178)), ("f64", RGBColor(230, 159, 0))];

/// Bars in sections, one below the other.
struct Chart<'a> {
    title: &'a str,
    /// Behind the numbers of the axis.
    unit: &'a str,
    sections: Vec<(&'a str, Vec<Bar>)>,
    /// Values that all bars are to be seen against, with their names and colours.
    marks: Vec<(f64, String, RGBColor)>,
}

struct Bar {
    name: String,
    color: RGBColor,
    value: f64,
    /// From the least to the greatest measurement.
    range: Option<(f64, f64)>,
    /// The value in words.
    text: String,
}

/// How many times as long as mfnet PyTorch takes for each job, as an SVG document; none if no job was compared.
pub(super) fn ratios(table: &Table) -> anyhow::Result<Option<String>> {
    draw(&Chart {
        title: "PyTorch's time for the same work, in multiples of mfnet's",
        unit: "x",
        sections: sections(table, |row| {
            let ratio = row.times_mfnet.filter(|_| row.implementation == PYTORCH)?;
            Some(Bar {
                name: row.precision.to_owned(),
                color: color(row)?,
                value: ratio.median,
                range: Some((ratio.least, ratio.greatest)),
                text: format!(
                    "{:.1}x ({:.1} to {:.1})",
                    ratio.median, ratio.least, ratio.greatest
                ),
            })
        }),
        marks: vec![(1.0, String::new(), BLACK)],
    })
}

/// What mfnet and its peers achieve in each job, below the peak of the machine, as an SVG document; none without a job
/// that has products.
pub(super) fn roofline(table: &Table) -> anyhow::Result<Option<String>> {
    let marks = COLORS.iter().filter_map(|(precision, color)| {
        let peak = table.peak.of(precision)? / 1e9;
        Some((peak, format!("peak {precision}"), *color))
    });
    draw(&Chart {
        title: "GFLOP/s of the products over the time of all, and the machine's peak",
        unit: "",
        sections: sections(table, |row| {
            let gflops = row.flops_per_second? / 1e9;
            let is_shown = row.implementation.starts_with(MFNET) || row.times_mfnet.is_some();
            let share = table
                .peak_share(row)
                .map(|share| format!(" ({:.0} %)", 100.0 * share));
            is_shown.then_some(Bar {
                name: row.name(),
                color: color(row)?,
                value: gflops,
                range: None,
                text: format!("{gflops:.1}{}", share.unwrap_or_default()),
            })
        }),
        marks: marks.collect(),
    })
}

/// The bars of each section's rows, those in f32 first; sections without a bar are left out.
fn sections(table: &Table, bar: impl Fn(&Row) -> Option<Bar>) -> Vec<(&str, Vec<Bar>)> {
    let bars = |section: &'_ Section| -> Vec<Bar> {
        let mut rows: Vec<&Row> = section.rows.iter().collect();
        rows.sort_by_key(|row| row.precision);
        rows.into_iter().filter_map(&bar).collect()
    };
    let sections = table
        .sections
        .iter()
        .map(|section| (section.title.as_str(), bars(section)));
    sections.filter(|(_, bars)| !bars.is_empty()).collect()
}

fn color(row: &Row) -> Option<RGBColor> {
    let color = COLORS.iter().find(|(precision, _)| *precision == row.precision);
    color.map(|(_, color)| *color)
}

/// The picture as an SVG document; none without bars.
fn draw(chart: &Chart<'_>) -> anyhow::Result<Option<String>> {
    let bars = chart.sections.iter().flat_map(|(_, bars)| bars);
    let ends = bars.map(|bar| {
        bar.range
            .map_or(bar.value, |(_, greatest)| greatest.max(bar.value))
    });
    let Some(longest) = ends.reduce(f64::max) else {
        return Ok(None);
    };
    let longest = chart
        .marks
        .iter()
        .map(|(value, ..)| *value)
        .fold(longest, f64::max);
    let section_height =
        |bars: &[Bar]| -> anyhow::Result<i32> { Ok(AROUND + (BAR + GAP) * i32::try_from(bars.len())?) };
    let mut height = TOP + BOTTOM;
    for (_, bars) in &chart.sections {
        height += section_height(bars)?;
    }
    let scale = f64::from(WIDTH - LEFT - RIGHT) / longest;
    let x = |value: f64| LEFT + (value * scale).round() as i32;

    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH as u32, height as u32)).into_drawing_area();
        root.fill(&WHITE)?;
        let label = |size: u32| ("sans-serif", size).into_font().color(&BLACK);
        let at = |size: u32, horizontal: HPos| label(size).pos(Pos::new(horizontal, VPos::Center));
        root.draw(&Text::new(chart.title, (20, 20), at(18, HPos::Left)))?;

        let bottom = height - BOTTOM;
        let step = round_step(longest / 8.0);
        for tick in 0..=(longest / step) as u32 {
            let value = f64::from(tick) * step;
            let line = [(x(value), TOP - 14), (x(value), bottom)];
            root.draw(&PathElement::new(line, RGBColor(210, 210, 210)))?;
            let name = format!("{value:.0}{}", chart.unit);
            root.draw(&Text::new(name, (x(value), bottom + 12), at(13, HPos::Center)))?;
        }
        let mut top = TOP;
        for (title, bars) in &chart.sections {
            root.draw(&Text::new(*title, (20, top), at(14, HPos::Left)))?;
            for (bar, y) in bars.iter().zip((top + 12..).step_by((BAR + GAP) as usize)) {
                let corners = [(x(0.0), y), (x(bar.value), y + BAR)];
                root.draw(&Rectangle::new(corners, bar.color.filled()))?;
                let middle = y + BAR / 2;
                let (least, greatest) = bar.range.unwrap_or((bar.value, bar.value));
                root.draw(&PathElement::new(
                    [(x(least), middle), (x(greatest), middle)],
                    BLACK,
                ))?;
                root.draw(&Text::new(
                    bar.name.clone(),
                    (LEFT - 8, middle),
                    at(13, HPos::Right),
                ))?;
                let place = (x(greatest.max(bar.value)) + 8, middle);
                root.draw(&Text::new(bar.text.clone(), place, at(13, HPos::Left)))?;
            }
            let next = top + section_height(bars)?;
            for (value, _, color) in &chart.marks {
                let mark = [(x(*value), top + 10), (x(*value), next - AROUND + 14)];
                root.draw(&PathElement::new(mark, color.stroke_width(2)))?;
            }
            top = next;
        }
        for (value, name, _) in &chart.marks {
            root.draw(&Text::new(
                name.clone(),
                (x(*value), TOP - 18),
                at(13, HPos::Center),
            ))?;
        }
        root.present()?;
    }
    Ok(Some(text))
}

/// The next greater one of 1, 2, 5, 10, 20, 50, ...
fn round_step(least: f64) -> f64 {
    let mut unit = 1.0;
    loop {
        for step in [unit, 2.0 * unit, 5.0 * unit] {
            if step >= least || !least.is_finite() {
                return step;
            }
        }
        unit *= 10.0;
    }
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
        let svg = ratios(&table(Some(RATIO))).unwrap().unwrap();
        assert!(svg.starts_with("<svg"), "{svg}");
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
        let svg = roofline(&table(Some(RATIO))).unwrap().unwrap();
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

    #[test]
    fn steps_are_round() {
        assert_eq!(
            [0.1, 1.0, 1.2, 4.0, 60.0].map(round_step),
            [1.0, 1.0, 2.0, 5.0, 100.0]
        );
    }
}
