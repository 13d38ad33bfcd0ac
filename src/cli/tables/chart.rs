//! The comparison with PyTorch as a picture.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::table::{MFNET, Table};

const WIDTH: i32 = 760;
const LEFT: i32 = 60;
const RIGHT: i32 = 150;
const TOP: i32 = 56;
const BAR: i32 = 18;
const SECTION: i32 = 74;
const BOTTOM: i32 = 34;

/// Blue and orange of the Okabe-Ito palette, which colour-blind readers tell apart.
const COLORS: [(&str, RGBColor); 2] = [("f32", RGBColor(0, 114, 178)), ("f64", RGBColor(230, 159, 0))];

/// A bar for each row of ours that was compared with PyTorch, as an SVG document; none if no row was.
pub(super) fn svg(table: &Table) -> anyhow::Result<Option<String>> {
    let compared = |section: &&super::table::Section| section.rows.iter().any(|row| row.pytorch.is_some());
    let sections: Vec<_> = table.sections.iter().filter(compared).collect();
    let ratios = sections
        .iter()
        .flat_map(|section| &section.rows)
        .filter_map(|row| row.pytorch);
    let Some(longest) = ratios.map(|spread| spread.greatest).reduce(f64::max) else {
        return Ok(None);
    };
    let height = TOP + SECTION * i32::try_from(sections.len())? + BOTTOM;
    let scale = f64::from(WIDTH - LEFT - RIGHT) / longest.max(1.0);
    let x = |ratio: f64| LEFT + (ratio * scale).round() as i32;

    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH as u32, height as u32)).into_drawing_area();
        root.fill(&WHITE)?;
        let label = |size: u32| ("sans-serif", size).into_font().color(&BLACK);
        let at = |size: u32, horizontal: HPos| label(size).pos(Pos::new(horizontal, VPos::Center));
        let title = "PyTorch's time for the same work, in multiples of mfnet's";
        root.draw(&Text::new(title, (LEFT, 20), at(18, HPos::Left)))?;

        let bottom = height - BOTTOM;
        let step = (longest / 8.0).ceil().max(1.0);
        for tick in 0..=(longest / step) as u32 {
            let ratio = f64::from(tick) * step;
            let line = [(x(ratio), TOP - 14), (x(ratio), bottom)];
            root.draw(&PathElement::new(line, RGBColor(210, 210, 210)))?;
            let name = format!("{ratio:.0}x");
            root.draw(&Text::new(name, (x(ratio), bottom + 12), at(13, HPos::Center)))?;
        }
        for (section, top) in sections.iter().zip((TOP..).step_by(SECTION as usize)) {
            root.draw(&Text::new(section.title.clone(), (LEFT, top), at(14, HPos::Left)))?;
            for ((precision, color), y) in COLORS.iter().zip((top + 12..).step_by(BAR as usize + 4)) {
                let row = section
                    .rows
                    .iter()
                    .find(|row| row.implementation == MFNET && row.precision == *precision);
                let Some(spread) = row.and_then(|row| row.pytorch) else {
                    continue;
                };
                let corners = [(x(0.0), y), (x(spread.median), y + BAR)];
                root.draw(&Rectangle::new(corners, color.filled()))?;
                let middle = y + BAR / 2;
                let range = [(x(spread.least), middle), (x(spread.greatest), middle)];
                root.draw(&PathElement::new(range, BLACK))?;
                root.draw(&Text::new(*precision, (LEFT - 8, middle), at(13, HPos::Right)))?;
                let value = format!(
                    "{:.1}x ({:.1} to {:.1})",
                    spread.median, spread.least, spread.greatest
                );
                let place = (x(spread.greatest.max(spread.median)) + 8, middle);
                root.draw(&Text::new(value, place, at(13, HPos::Left)))?;
            }
            let one = [(x(1.0), top + 10), (x(1.0), top + 14 + 2 * (BAR + 4))];
            root.draw(&PathElement::new(one, BLACK.stroke_width(2)))?;
        }
        root.present()?;
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::super::spread::Spread;
    use super::super::table::{PLAIN, Results, Row, Section};
    use super::*;

    fn table(pytorch: Option<Spread>) -> Table {
        let row = |implementation, pytorch| Row {
            implementation,
            precision: "f32",
            measured: 1,
            seconds: 1.0,
            results: Results::Remark(String::new()),
            pytorch,
        };
        let section = Section {
            job: "job",
            title: "a job <of> ours".to_owned(),
            epochs: 1,
            rows: vec![row(PLAIN, None), row(MFNET, pytorch)],
        };
        Table {
            sections: vec![section],
            ..Table::default()
        }
    }

    #[test]
    fn a_compared_row_is_a_bar_with_its_ratio() {
        let spread = Spread {
            median: 4.0,
            least: 3.5,
            greatest: 4.25,
        };
        let svg = svg(&table(Some(spread))).unwrap().unwrap();
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
        assert_eq!(svg(&table(None)).unwrap(), None);
    }
}
