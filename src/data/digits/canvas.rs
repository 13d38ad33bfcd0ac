//! A small grey image, drawn on with a round pen.

use super::skeletons::Point;

/// Pixels a side.
pub(super) const SIDE: usize = 28;

/// For each pixel, the squared distance of its centre to the nearest line drawn so far, as far as it matters.
pub(super) struct Canvas {
    squared_distances: [f32; SIDE * SIDE],
    reach: f32,
}

impl Canvas {
    /// A blank canvas for lines whose ink ends at `reach` pixels from their middle.
    pub(super) fn new(reach: f32) -> Self {
        Canvas {
            squared_distances: [f32::INFINITY; SIDE * SIDE],
            reach,
        }
    }

    /// Draws a line. Only the pixels of its bounding box, widened by the reach, are looked at.
    pub(super) fn line(&mut self, from: Point, to: Point) {
        let along = (to.0 - from.0, to.1 - from.1);
        let squared_length = along.0 * along.0 + along.1 * along.1;
        let per_length = if squared_length > 0.0 {
            1.0 / squared_length
        } else {
            0.0
        };
        let columns = self.pixels_between(from.0.min(to.0), from.0.max(to.0));
        for row in self.pixels_between(from.1.min(to.1), from.1.max(to.1)) {
            let y = row as f32 + 0.5 - from.1;
            let pixels = &mut self.squared_distances[row * SIDE..][columns.clone()];
            for (column, squared_distance) in columns.clone().zip(pixels) {
                let x = column as f32 + 0.5 - from.0;
                let share = ((x * along.0 + y * along.1) * per_length).clamp(0.0, 1.0);
                let (off_x, off_y) = (x - share * along.0, y - share * along.1);
                *squared_distance = squared_distance.min(off_x * off_x + off_y * off_y);
            }
        }
    }

    /// The pixels with ink on them, by index, with their distance to the nearest line; all below the reach.
    pub(super) fn inked(&self) -> impl Iterator<Item = (usize, f32)> {
        let limit = self.reach * self.reach;
        let pixels = self.squared_distances.iter().enumerate();
        pixels
            .filter(move |(_, squared)| **squared < limit)
            .map(|(index, squared)| (index, squared.sqrt()))
    }

    /// The pixels along one axis whose centres may be within reach of an interval.
    fn pixels_between(&self, low: f32, high: f32) -> std::ops::Range<usize> {
        // A float below 0 becomes 0 as an integer.
        let end = ((high + self.reach + 0.5) as usize).min(SIDE);
        let start = ((low - self.reach) as usize).min(end);
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_to_the_nearest_line() {
        let mut canvas = Canvas::new(2.5);
        canvas.line((5.5, 10.5), (9.5, 10.5));
        canvas.line((20.0, -3.0), (20.0, 1.0));
        canvas.line((24.5, 24.5), (24.5, 24.5));
        canvas.line((-90.0, 50.0), (90.0, 50.0));
        let inked: Vec<(usize, f32)> = canvas.inked().collect();
        let at = |row: usize, column: usize| {
            inked
                .iter()
                .find(|(index, _)| *index == row * SIDE + column)
                .map(|&(_, distance)| distance)
        };
        assert_eq!(at(10, 7), Some(0.0), "on the line");
        assert_eq!(at(12, 7), Some(2.0), "below it");
        assert_eq!(at(13, 7), None, "out of reach");
        assert_eq!(at(10, 11), Some(2.0), "past its end");
        assert_eq!(at(0, 19), Some(0.5), "a line that comes from outside");
        assert_eq!(at(24, 25), Some(1.0), "a dot");
        let brute = (0..SIDE * SIDE).filter(|index| {
            let (x, y) = ((index % SIDE) as f32 + 0.5, (index / SIDE) as f32 + 0.5);
            let squared = |px: f32, py: f32| (x - px).powi(2) + (y - py).powi(2);
            squared(x.clamp(5.5, 9.5), 10.5)
                .min(squared(20.0, y.clamp(-3.0, 1.0)))
                .min(squared(24.5, 24.5))
                < 6.25
        });
        assert_eq!(inked.len(), brute.count());
    }
}
