//! The letters: how wide a text is, and its pixels.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, PxScale, point};

/// The families an SVG viewer may choose from, ours first.
pub(super) const FAMILIES: &str = "DejaVu Sans, Verdana, sans-serif";

/// Half the height of an x, in em: how far the line that letters stand on is below their optical middle.
pub(super) const HALF_X: f64 = 0.2735;

fn font() -> &'static FontRef<'static> {
    static FONT: OnceLock<FontRef<'static>> = OnceLock::new();
    FONT.get_or_init(|| {
        FontRef::try_from_slice(dejavu::sans::regular())
            .expect("the font is part of a crate, and a test reads it")
    })
}

/// A size in em as the scale of ab_glyph, which is the height of a line.
fn scale(em: f64) -> PxScale {
    let font = font();
    let em_per_line = font.units_per_em().unwrap_or(2048.0) / font.height_unscaled();
    PxScale::from(em as f32 / em_per_line)
}

/// The width of a text in letters of the given size.
pub(super) fn width(text: &str, em: f64) -> f64 {
    let font = font();
    let per_unit = em / f64::from(font.units_per_em().unwrap_or(2048.0));
    let advance = |letter| f64::from(font.h_advance_unscaled(font.glyph_id(letter)));
    text.chars().map(advance).sum::<f64>() * per_unit
}

/// The text, or its beginning and an ellipsis if it is wider than `room`.
pub(super) fn cut(text: &str, em: f64, room: f64) -> String {
    if width(text, em) <= room {
        return text.to_owned();
    }
    let room = room - width("…", em);
    let mut kept = String::new();
    let mut used = 0.0;
    for letter in text.chars() {
        used += width(letter.encode_utf8(&mut [0; 4]), em);
        if used > room {
            break;
        }
        kept.push(letter);
    }
    kept.truncate(kept.trim_end().len());
    kept + "…"
}

/// Calls `pixel` with x, y and coverage of each pixel of a text that starts at (0, 0) and stands on y = 0.
pub(super) fn pixels(text: &str, em: f64, mut pixel: impl FnMut(i32, i32, f64)) {
    let (font, scale) = (font(), scale(em));
    let mut pen = 0.0;
    for letter in text.chars() {
        let glyph = font
            .glyph_id(letter)
            .with_scale_and_position(scale, point(pen as f32, 0.0));
        if let Some(outline) = font.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            let (left, top) = (corner.x as i32, corner.y as i32);
            outline.draw(|x, y, coverage| {
                pixel(
                    left + x as i32,
                    top + y as i32,
                    f64::from(coverage).clamp(0.0, 1.0),
                );
            });
        }
        pen += width(letter.encode_utf8(&mut [0; 4]), em);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_what_pictures_write() {
        let letters = (' '..='~').chain("äßéœΩяё×−²⁻⁰⁹…≥€µ\u{fffd}".chars());
        for letter in letters {
            assert!(font().glyph_id(letter).0 != 0, "{letter}");
        }
    }

    #[test]
    fn widths_are_the_fonts() {
        // An n of DejaVu Sans is 1298 of 2048 units wide.
        assert!((width("nn", 10.0) - 20.0 * 1298.0 / 2048.0).abs() < 1e-9);
        let (mut left, mut right, mut top) = (i32::MAX, i32::MIN, i32::MAX);
        pixels("nnnn", 40.0, |x, y, coverage| {
            if coverage > 0.5 {
                (left, right, top) = (left.min(x), right.max(x), top.min(y));
            }
        });
        assert!(
            left >= 0 && f64::from(right) <= width("nnnn", 40.0),
            "{left} {right}"
        );
        let x_height = f64::from(-top) / 40.0;
        assert!((x_height - 2.0 * HALF_X).abs() < 0.03, "{x_height}");
    }

    #[test]
    fn long_texts_are_cut_to_fit() {
        assert_eq!(cut("short", 10.0, 100.0), "short");
        let text = cut("Iris versicolor of the Gaspé peninsula", 10.0, 80.0);
        assert!(
            text.starts_with("Iris v") && text.ends_with('…') && width(&text, 10.0) <= 80.0,
            "{text}"
        );
        assert_eq!(cut("abc", 10.0, 1.0), "…");
    }
}
