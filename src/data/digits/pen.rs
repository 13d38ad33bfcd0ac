//! The hand that writes: a skeleton, bent at random and drawn with a random pen.
//!
//! Only additions, multiplications, divisions and square roots are used, which every machine rounds alike; sines and
//! logarithms come from the system's library, and would make the images depend on it.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, SIDE};
use super::skeletons::{Point, SKELETONS, Stroke};

/// The middle of a skeleton's box, and half its side.
const MIDDLE: f32 = 10.0;
/// Lines that stand for the curve between two points of a stroke.
const LINES_PER_SPAN: usize = 5;
/// How far a point of a skeleton moves by itself at most, in units of its box.
const JITTER: f32 = 1.9;
/// How far a corner of the warp moves at most, in the same units.
const WARP: f32 = 4.3;
/// Corners a side of the warp.
const WARP_SIDE: usize = 3;

/// Writes a digit into a blank image, row by row from the top left.
pub(super) fn write(digit: usize, random: &mut ChaCha8Rng, image: &mut [u8]) {
    let ways = SKELETONS[digit];
    let skeleton = ways[random.random_range(0..ways.len() as u32) as usize];
    let bend = Bend::random(random);
    let radius = triangular(random, 1.25, 0.6);
    let softness = uniform(random, 0.5, 1.0);
    let mut canvas = Canvas::new(radius + softness);
    for stroke in skeleton {
        draw(stroke, &bend, random, &mut canvas);
    }
    let ink = uniform(random, 190.0, 262.0);
    let grain = uniform(random, 0.05, 0.3);
    for (pixel, distance) in canvas.inked() {
        let cover = ((radius + softness - distance) / (2.0 * softness)).min(1.0);
        // A float above 255 becomes 255 as a byte.
        image[pixel] = (ink * cover * (1.0 - grain * uniform(random, 0.0, 1.0))) as u8;
    }
}

/// Draws a stroke's curve as lines.
fn draw(stroke: Stroke, bend: &Bend, random: &mut ChaCha8Rng, canvas: &mut Canvas) {
    let jittered: Vec<Point> = stroke
        .iter()
        .map(|&(x, y)| {
            let jitter = (triangular(random, 0.0, JITTER), triangular(random, 0.0, JITTER));
            bend.place((x + jitter.0, y + jitter.1))
        })
        .collect();
    let last = jittered.len() - 1;
    let mut from = jittered[0];
    for span in 0..last {
        let points = [
            jittered[span.saturating_sub(1)],
            jittered[span],
            jittered[span + 1],
            jittered[(span + 2).min(last)],
        ];
        for line in 1..=LINES_PER_SPAN {
            let to = curve(points, line as f32 / LINES_PER_SPAN as f32);
            canvas.line(from, to);
            from = to;
        }
    }
}

/// The Catmull-Rom curve from the second to the third of four points, `t` from 0 to 1.
fn curve(points: [Point; 4], t: f32) -> Point {
    let along = |[a, b, c, d]: [f32; 4]| {
        let slope = (c - a, 2.0 * a - 5.0 * b + 4.0 * c - d, 3.0 * (b - c) + d - a);
        b + 0.5 * t * (slope.0 + t * (slope.1 + t * slope.2))
    };
    (
        along(points.map(|point| point.0)),
        along(points.map(|point| point.1)),
    )
}

/// How a skeleton's box is bent onto the canvas: a smooth warp, then a linear map.
struct Bend {
    warp: [[Point; WARP_SIDE]; WARP_SIDE],
    matrix: [Point; 2],
    centre: Point,
}

impl Bend {
    fn random(random: &mut ChaCha8Rng) -> Self {
        let warp = std::array::from_fn(|_| {
            std::array::from_fn(|_| (triangular(random, 0.0, WARP), triangular(random, 0.0, WARP)))
        });
        let scale = (triangular(random, 0.9, 0.3), triangular(random, 0.95, 0.2));
        let shear = triangular(random, -0.1, 0.4);
        // The tangent of half the angle gives sine and cosine by divisions: up to 15 degrees each way.
        let half = triangular(random, 0.0, 0.13);
        let (cosine, sine) = (
            (1.0 - half * half) / (1.0 + half * half),
            2.0 * half / (1.0 + half * half),
        );
        let middle = SIDE as f32 / 2.0;
        Bend {
            warp,
            matrix: [
                (cosine * scale.0, (cosine * shear - sine) * scale.1),
                (sine * scale.0, (sine * shear + cosine) * scale.1),
            ],
            centre: (triangular(random, middle, 1.2), triangular(random, middle, 1.2)),
        }
    }

    fn place(&self, point: Point) -> Point {
        let shift = self.warp_at(point);
        let (x, y) = (point.0 + shift.0 - MIDDLE, point.1 + shift.1 - MIDDLE);
        let [across, down] = self.matrix;
        (
            self.centre.0 + across.0 * x + across.1 * y,
            self.centre.1 + down.0 * x + down.1 * y,
        )
    }

    /// The shift at a point, between those of the four corners around it.
    fn warp_at(&self, point: Point) -> Point {
        let cells = (WARP_SIDE - 1) as f32;
        let cell = |coordinate: f32| {
            let position = (coordinate / (2.0 * MIDDLE) * cells).clamp(0.0, cells);
            let index = (position as usize).min(WARP_SIDE - 2);
            (index, position - index as f32)
        };
        let ((column, right), (row, down)) = (cell(point.0), cell(point.1));
        let between = |a: Point, b: Point, share: f32| (a.0 + share * (b.0 - a.0), a.1 + share * (b.1 - a.1));
        let across = |corners: [Point; WARP_SIDE]| between(corners[column], corners[column + 1], right);
        between(across(self.warp[row]), across(self.warp[row + 1]), down)
    }
}

/// A number from `low` to `high`, all alike.
fn uniform(random: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * random.random::<f32>()
}

/// A number within `spread` of `centre`, the near ones likelier.
fn triangular(random: &mut ChaCha8Rng, centre: f32, spread: f32) -> f32 {
    centre + spread * (random.random::<f32>() - random.random::<f32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_passes_through_its_points_and_keeps_straight_lines() {
        let points = [(0.0, 0.0), (1.0, 2.0), (4.0, 1.0), (5.0, 7.0)];
        assert_eq!((curve(points, 0.0), curve(points, 1.0)), (points[1], points[2]));
        let line = [(0.0, 8.0), (1.0, 6.0), (2.0, 4.0), (3.0, 2.0)];
        assert_eq!(curve(line, 0.25), (1.25, 5.5));
    }

    #[test]
    fn the_warp_is_its_corners_shift_and_even_between() {
        let warp =
            std::array::from_fn(|row| std::array::from_fn(|column| (column as f32, row as f32 * 10.0)));
        let bend = Bend {
            warp,
            matrix: [(1.0, 0.0), (0.0, 1.0)],
            centre: (14.0, 14.0),
        };
        assert_eq!(bend.warp_at((0.0, 20.0)), (0.0, 20.0));
        assert_eq!(bend.warp_at((15.0, 5.0)), (1.5, 5.0));
        assert_eq!(
            bend.warp_at((99.0, -99.0)),
            (2.0, 0.0),
            "outside it goes on as at the edge"
        );
        assert_eq!(bend.place((10.0, 10.0)), (15.0, 24.0));
    }
}
