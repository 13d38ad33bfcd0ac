//! Shapes become SVG or pixels, by plotters' two backends.

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontTransform, IntoFont, TextStyle};

use super::canvas::{Anchor, Canvas, Point, Shape, Type};
use super::color::{self, Color};
use super::font;
use crate::error::{Error, Result};

/// Backends count in whole units; a quarter of a pixel is fine enough for smooth curves.
const UNITS: u32 = 4;

/// Each PNG pixel is the mean of this many units across and down, so two make a pixel of the screen: the picture
/// stays sharp on dense screens and in print.
const BLOCK: u32 = 2;

type Unit = (i32, i32);

/// The SVG document.
pub(super) fn svg(canvas: &Canvas) -> Result<String> {
    let (width, height) = size(canvas)?;
    let mut text = String::new();
    let mut backend = SVGBackend::with_string(&mut text, (width, height));
    draw(canvas, &mut backend, svg_path, svg_text)?;
    drop(backend);
    // The view box stays in units, the size is that of the screen.
    let opening = |width: u32, height: u32| format!("<svg width=\"{width}\" height=\"{height}\"");
    let screen = opening(width / UNITS, height / UNITS);
    Ok(text.replacen(&opening(width, height), &screen, 1))
}

/// The PNG file, of twice the canvas' width and height.
pub(super) fn png(canvas: &Canvas) -> Result<Vec<u8>> {
    let (width, height) = size(canvas)?;
    let mut units = vec![255; width as usize * height as usize * 3];
    let mut backend = BitMapBackend::with_buffer(&mut units, (width, height));
    draw(canvas, &mut backend, bitmap_path, bitmap_text)?;
    drop(backend);

    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width / BLOCK, height / BLOCK);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // 192 dots to the inch.
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: 7559,
        yppu: 7559,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(failed)?;
    writer
        .write_image_data(&averaged(&units, width))
        .map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(file)
}

/// The size in units.
fn size(canvas: &Canvas) -> Result<(u32, u32)> {
    // 4,000 pixels each way are 770 MB of units.
    let side = |length: f64| (length > 0.0 && length <= 4_000.0).then_some(length as u32 * UNITS);
    side(canvas.width).zip(side(canvas.height)).ok_or_else(|| {
        let size = format_args!("{} x {}", canvas.width, canvas.height).to_string();
        Error::option("picture size", size, "up to 4000 x 4000 pixels")
    })
}

/// Draws all shapes. Lines and letters are handed on: each backend does them in its own way.
fn draw<B: DrawingBackend>(
    canvas: &Canvas,
    backend: &mut B,
    path: fn(&mut B, &[Unit], Color, u32) -> Result<()>,
    text: fn(&mut B, &str, Unit, Type) -> Result<()>,
) -> Result<()> {
    let unit = |length: f64| (length * f64::from(UNITS)).round() as i32;
    let units = |point: &Point| (unit(point.0), unit(point.1));
    let end = (unit(canvas.width), unit(canvas.height));
    backend
        .draw_rect((0, 0), end, &color::WHITE, true)
        .map_err(failed)?;
    for shape in &canvas.shapes {
        match shape {
            Shape::Path { points, color, width } => {
                let points: Vec<Unit> = points.iter().map(units).collect();
                path(backend, &points, *color, unit(*width).max(1) as u32)?;
            }
            Shape::Polygon { points, color } => backend
                .fill_polygon(points.iter().map(units), color)
                .map_err(failed)?,
            Shape::Disc {
                center,
                radius,
                color,
            } => backend
                .draw_circle(units(center), unit(*radius).max(1) as u32, color, true)
                .map_err(failed)?,
            Shape::Text {
                text: words,
                at,
                style,
            } => text(backend, words, units(at), *style)?,
        }
    }
    backend.present().map_err(failed)
}

/// Neither backend fails in memory; if one ever does, its words are passed on.
fn failed(error: impl std::fmt::Display) -> Error {
    Error::data("picture", error)
}

fn svg_path(backend: &mut SVGBackend<'_>, points: &[Unit], color: Color, width: u32) -> Result<()> {
    let style = color.stroke_width(width);
    backend.draw_path(points.iter().copied(), &style).map_err(failed)
}

fn svg_text(backend: &mut SVGBackend<'_>, text: &str, at: Unit, style: Type) -> Result<()> {
    // plotters divides a font's size by this before it writes it.
    const LINE: f64 = 1.24;
    let along = match style.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let turned = if style.upwards {
        FontTransform::Rotate270
    } else {
        FontTransform::None
    };
    let font = (font::FAMILIES, style.size * f64::from(UNITS) * LINE).into_font();
    let style = TextStyle::from(font.transform(turned))
        .color(&style.color)
        .pos(Pos::new(along, VPos::Center));
    backend.draw_text(text, &style, at).map_err(failed)
}

/// One bar for each piece of the line, with round joints: plotters' own wide lines break at sharp turns.
fn bitmap_path(backend: &mut BitMapBackend<'_>, points: &[Unit], color: Color, width: u32) -> Result<()> {
    let half = f64::from(width) / 2.0;
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = f64::from(x1 - x0).hypot(f64::from(y1 - y0));
        if length == 0.0 {
            continue;
        }
        let across = (
            f64::from(y0 - y1) * half / length,
            f64::from(x1 - x0) * half / length,
        );
        let corner = |(x, y): Unit, side: f64| {
            (
                (f64::from(x) + side * across.0).round() as i32,
                (f64::from(y) + side * across.1).round() as i32,
            )
        };
        let bar = [
            corner(pair[0], -1.0),
            corner(pair[1], -1.0),
            corner(pair[1], 1.0),
            corner(pair[0], 1.0),
        ];
        backend.fill_polygon(bar, &color).map_err(failed)?;
    }
    if width > UNITS && points.len() > 2 {
        for &joint in &points[1..points.len() - 1] {
            backend
                .draw_circle(joint, half as u32, &color, true)
                .map_err(failed)?;
        }
    }
    Ok(())
}

fn bitmap_text(backend: &mut BitMapBackend<'_>, text: &str, at: Unit, style: Type) -> Result<()> {
    let em = style.size * f64::from(UNITS);
    let width = font::width(text, em);
    let start = match style.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let (start, base) = (start.round() as i32, (font::HALF_X * em).round() as i32);
    let mut outcome = Ok(());
    font::pixels(text, em, |x, y, coverage| {
        let (x, y) = (x + start, y + base);
        let (x, y) = if style.upwards { (y, -x) } else { (x, y) };
        let ink = style.color.mix(coverage).to_backend_color();
        if let Err(error) = backend.draw_pixel((at.0 + x, at.1 + y), ink) {
            outcome = Err(failed(error));
        }
    });
    outcome
}

/// The mean of each block of units; three bytes to a unit, and to a pixel.
fn averaged(units: &[u8], width: u32) -> Vec<u8> {
    let (row, block) = (width as usize * 3, BLOCK as usize);
    let mut pixels = Vec::with_capacity(units.len() / (block * block));
    for rows in units.chunks_exact(row * block) {
        for left in (0..row).step_by(3 * block) {
            for channel in left..left + 3 {
                let places = (0..block * block).map(|place| place / block * row + place % block * 3);
                let sum: u32 = places.map(|place| u32::from(rows[channel + place])).sum();
                pixels.push(((sum + BLOCK * BLOCK / 2) / (BLOCK * BLOCK)) as u8);
            }
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::super::canvas::Stroke;
    use super::*;

    #[test]
    fn pixels_are_means() {
        // Two rows of four units.
        let mut units = vec![100; 24];
        (units[0], units[21]) = (0, 104);
        assert_eq!(averaged(&units, 4), [75, 100, 100, 101, 100, 100]);
    }

    #[test]
    fn a_bitmap_has_its_shapes_where_they_belong() {
        let mut canvas = Canvas::new(40.0, 20.0);
        canvas.rectangle((20.0, 0.0), (40.0, 20.0), color::of(0));
        canvas.line((0.0, 10.0), (20.0, 10.0), Stroke::new(color::INK, 2.0));
        let file = png(&canvas).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (80, 40));
        let at = |x: usize, y: usize| {
            let start = (y * 80 + x) * 3;
            [pixels[start], pixels[start + 1], pixels[start + 2]]
        };
        assert_eq!(at(10, 5), [255, 255, 255]);
        assert_eq!(at(10, 20), [34, 34, 34]);
        assert_eq!(at(60, 20), [0, 114, 178]);
    }

    #[test]
    fn a_picture_that_no_one_can_hold_is_refused() {
        for (width, height) in [(0.0, 10.0), (10.0, 4_001.0), (f64::NAN, 10.0)] {
            let error = svg(&Canvas::new(width, height)).unwrap_err();
            assert!(error.to_string().contains("picture size"), "{error}");
        }
    }
}
