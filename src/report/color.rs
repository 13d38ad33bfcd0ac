//! Colours that colour-blind readers tell apart, and scales of them that run from light to dark.

use plotters::style::RGBAColor;

pub(super) type Color = RGBAColor;

const fn opaque(red: u8, green: u8, blue: u8) -> Color {
    RGBAColor(red, green, blue, 1.0)
}

pub(super) const WHITE: Color = opaque(255, 255, 255);
/// Titles and labels.
pub(super) const INK: Color = opaque(34, 34, 34);
/// Remarks.
pub(super) const GRAY: Color = opaque(96, 96, 96);
/// What runs across a picture to guide the eye.
pub(super) const GRID: Color = opaque(226, 226, 226);
/// What there is no number for.
pub(super) const EMPTY: Color = opaque(236, 236, 236);

/// Okabe and Ito's palette, without its yellow, which is too light for lines on white. Neighbours differ in
/// lightness too.
const PALETTE: [Color; 7] = [
    opaque(0, 114, 178),
    opaque(230, 159, 0),
    opaque(0, 0, 0),
    opaque(204, 121, 167),
    opaque(0, 158, 115),
    opaque(213, 94, 0),
    opaque(86, 180, 233),
];

/// The colour of a series or class.
pub(super) fn of(index: usize) -> Color {
    PALETTE[index % PALETTE.len()]
}

/// The same colour, `amount` of the way to white.
pub(super) fn lighter(color: Color, amount: f64) -> Color {
    let toward = |part: u8| (f64::from(part) + (255.0 - f64::from(part)) * amount).round() as u8;
    opaque(toward(color.0), toward(color.1), toward(color.2))
}

/// The same colour, through which the ground shows.
pub(super) fn translucent(color: Color, opacity: f64) -> Color {
    RGBAColor(color.0, color.1, color.2, opacity)
}

/// From almost white at 0 to dark blue at 1, in even steps of lightness.
pub(super) fn sequential(part: f64) -> Color {
    let part = part.clamp(0.0, 1.0);
    oklab(
        0.985 - 0.64 * part,
        0.006 + 0.18 * part * (1.35 - part),
        248f64.to_radians(),
    )
}

/// From the blue of the first class at 0 over almost white at one half to the orange of the second at 1.
pub(super) fn diverging(part: f64) -> Color {
    let distance = (2.0 * part.clamp(0.0, 1.0) - 1.0).abs();
    let hue: f64 = if part < 0.5 { 245.0 } else { 75.0 };
    oklab(0.98 - 0.16 * distance, 0.1 * distance, hue.to_radians())
}

/// Black or white, whichever is read better on the given ground.
pub(super) fn contrasting(ground: Color) -> Color {
    // Where black and white contrast equally, by the luminances of WCAG 2: sqrt(1.05 * 0.05) - 0.05.
    if luminance(ground) > 0.179 { INK } else { WHITE }
}

/// Relative luminance, 0 to 1.
fn luminance(color: Color) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(color.0) + 0.7152 * linear(color.1) + 0.0722 * linear(color.2)
}

/// From lightness, chroma and hue of Björn Ottosson's Oklab, in which equal steps look equal.
fn oklab(lightness: f64, chroma: f64, hue: f64) -> Color {
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    let encoded = |linear: f64| {
        let linear = linear.clamp(0.0, 1.0);
        let part = if linear <= 0.003_130_8 {
            12.92 * linear
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        };
        (255.0 * part).round() as u8
    };
    opaque(
        encoded(4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s),
        encoded(-1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s),
        encoded(-0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_darkens_all_the_way() {
        let lights: Vec<f64> = (0..=20)
            .map(|step| luminance(sequential(f64::from(step) / 20.0)))
            .collect();
        assert!(lights.windows(2).all(|pair| pair[1] < pair[0]), "{lights:?}");
        assert!(lights[0] > 0.9 && lights[20] < 0.08, "{lights:?}");
    }

    #[test]
    fn text_is_legible_on_every_shade() {
        for step in 0..=100 {
            let ground = sequential(f64::from(step) / 100.0);
            let (text, ground) = (luminance(contrasting(ground)), luminance(ground));
            let ratio = (text.max(ground) + 0.05) / (text.min(ground) + 0.05);
            assert!(ratio > 3.5, "{step}: {ratio}");
        }
    }
}
