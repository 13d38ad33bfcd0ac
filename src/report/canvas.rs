//! A picture before it is SVG or PNG: the list of its shapes, in pixels of the screen.

use super::color::{self, Color};
use super::font;

/// x to the right, y downwards.
pub(super) type Point = (f64, f64);

pub(super) enum Shape {
    Path {
        points: Vec<Point>,
        color: Color,
        width: f64,
    },
    Polygon {
        points: Vec<Point>,
        color: Color,
    },
    Disc {
        center: Point,
        radius: f64,
        color: Color,
    },
    Text {
        text: String,
        at: Point,
        style: Type,
    },
}

/// How letters look. A text's point is on its middle line, at its start, middle or end.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub size: f64,
    pub color: Color,
    pub anchor: Anchor,
    /// Runs from the bottom to the top.
    pub upwards: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Type {
    pub(super) fn new(size: f64, color: Color) -> Self {
        Type {
            size,
            color,
            anchor: Anchor::Start,
            upwards: false,
        }
    }

    pub(super) fn middle(self) -> Self {
        Type {
            anchor: Anchor::Middle,
            ..self
        }
    }

    pub(super) fn end(self) -> Self {
        Type {
            anchor: Anchor::End,
            ..self
        }
    }

    pub(super) fn upwards(self) -> Self {
        Type {
            upwards: true,
            ..self
        }
    }
}

/// How a line looks; `dash` holds lengths drawn and left out in turn, nothing for a line without gaps.
#[derive(Clone, Copy)]
pub(super) struct Stroke {
    pub color: Color,
    pub width: f64,
    pub dash: &'static [f64],
}

impl Stroke {
    pub(super) fn new(color: Color, width: f64) -> Self {
        Stroke {
            color,
            width,
            dash: &[],
        }
    }
}

/// What stands at the points of a series, or for the class of a sample.
#[derive(Clone, Copy)]
pub(super) enum Marker {
    Disc,
    Square,
    Triangle,
    Diamond,
    Wedge,
}

impl Marker {
    pub(super) fn of(index: usize) -> Self {
        use Marker::{Diamond, Disc, Square, Triangle, Wedge};
        [Disc, Square, Triangle, Diamond, Wedge][index % 5]
    }
}

pub(super) struct Canvas {
    pub width: f64,
    pub height: f64,
    pub shapes: Vec<Shape>,
}

impl Canvas {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Canvas {
            width: width.ceil(),
            height: height.ceil(),
            shapes: Vec::new(),
        }
    }

    pub(super) fn line(&mut self, from: Point, to: Point, stroke: Stroke) {
        self.path(&[from, to], stroke);
    }

    pub(super) fn path(&mut self, points: &[Point], stroke: Stroke) {
        let Stroke { color, width, dash } = stroke;
        let pieces = if dash.is_empty() {
            vec![points.to_vec()]
        } else {
            dashes(points, dash)
        };
        let pieces = pieces.into_iter().filter(|points| points.len() > 1);
        self.shapes
            .extend(pieces.map(|points| Shape::Path { points, color, width }));
    }

    pub(super) fn polygon(&mut self, points: Vec<Point>, color: Color) {
        self.shapes.push(Shape::Polygon { points, color });
    }

    pub(super) fn rectangle(&mut self, (left, top): Point, (right, bottom): Point, color: Color) {
        self.polygon(
            vec![(left, top), (right, top), (right, bottom), (left, bottom)],
            color,
        );
    }

    /// The outline of a rectangle.
    pub(super) fn outline(&mut self, (left, top): Point, (right, bottom): Point, stroke: Stroke) {
        let corners = [
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top),
        ];
        self.path(&corners, stroke);
    }

    pub(super) fn disc(&mut self, center: Point, radius: f64, color: Color) {
        self.shapes.push(Shape::Disc {
            center,
            radius,
            color,
        });
    }

    /// A marker of the area of a disc of that radius, or about.
    pub(super) fn marker(&mut self, marker: Marker, (x, y): Point, radius: f64, color: Color) {
        let by = |corners: &[Point]| -> Vec<Point> {
            let corner = |(dx, dy): &Point| (x + dx * radius, y + dy * radius);
            corners.iter().map(corner).collect()
        };
        match marker {
            Marker::Disc => self.disc((x, y), radius, color),
            Marker::Square => self.polygon(by(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]), color),
            Marker::Triangle => self.polygon(by(&[(0.0, -1.3), (1.2, 0.85), (-1.2, 0.85)]), color),
            Marker::Diamond => self.polygon(by(&[(0.0, -1.3), (1.2, 0.0), (0.0, 1.3), (-1.2, 0.0)]), color),
            Marker::Wedge => self.polygon(by(&[(0.0, 1.3), (1.2, -0.85), (-1.2, -0.85)]), color),
        }
    }

    pub(super) fn text(&mut self, text: &str, at: Point, style: Type) {
        // What XML has no place for, nor a font a shape.
        let misplaced = |letter: char| letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}');
        let shown = |letter: char| if misplaced(letter) { ' ' } else { letter };
        let text: String = text.chars().map(shown).collect();
        if !text.trim().is_empty() {
            self.shapes.push(Shape::Text { text, at, style });
        }
    }

    /// Places all shapes of another canvas, whose corner comes to this point.
    pub(super) fn place(&mut self, other: Canvas, (left, top): Point) {
        let moved = |(x, y): Point| (x + left, y + top);
        let all = |points: Vec<Point>| points.into_iter().map(moved).collect();
        self.shapes
            .extend(other.shapes.into_iter().map(|shape| match shape {
                Shape::Path { points, color, width } => Shape::Path {
                    points: all(points),
                    color,
                    width,
                },
                Shape::Polygon { points, color } => Shape::Polygon {
                    points: all(points),
                    color,
                },
                Shape::Disc {
                    center,
                    radius,
                    color,
                } => Shape::Disc {
                    center: moved(center),
                    radius,
                    color,
                },
                Shape::Text { text, at, style } => Shape::Text {
                    text,
                    at: moved(at),
                    style,
                },
            }));
    }

    /// A title in the middle between two sides, cut if it is longer.
    pub(super) fn title(&mut self, text: &str, (left, right): (f64, f64), y: f64) {
        let text = font::cut(text, 16.0, right - left - 24.0);
        self.text(
            &text,
            ((left + right) / 2.0, y),
            Type::new(16.0, color::INK).middle(),
        );
    }
}

/// Cuts a path into its dashes.
fn dashes(points: &[Point], dash: &[f64]) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<Point> = points.first().copied().into_iter().collect();
    let (mut index, mut left) = (0, dash[0]);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            if length <= left {
                left -= length;
                if index % 2 == 0 {
                    piece.push(to);
                }
                break;
            }
            let part = left / length;
            from = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            piece.push(from);
            if index % 2 == 0 {
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![from];
            }
            index += 1;
            left = dash[index % dash.len()];
        }
    }
    if index % 2 == 0 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The box around a shape: left, top, right, bottom.
    fn bounds(shape: &Shape) -> [f64; 4] {
        let around = |points: &[Point], margin: f64| {
            let of = |axis: fn(&Point) -> f64, pick: fn(f64, f64) -> f64| {
                points.iter().map(axis).reduce(pick).unwrap()
            };
            [
                of(|point| point.0, f64::min) - margin,
                of(|point| point.1, f64::min) - margin,
                of(|point| point.0, f64::max) + margin,
                of(|point| point.1, f64::max) + margin,
            ]
        };
        match shape {
            Shape::Path { points, width, .. } => around(points, width / 2.0),
            Shape::Polygon { points, .. } => around(points, 0.0),
            Shape::Disc { center, radius, .. } => around(&[*center], *radius),
            Shape::Text { text, at, style } => {
                let wide = font::width(text, style.size);
                let start = match style.anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => -wide / 2.0,
                    Anchor::End => -wide,
                };
                let corner = |along: f64, across: f64| {
                    if style.upwards {
                        (at.0 + across, at.1 - along)
                    } else {
                        (at.0 + along, at.1 + across)
                    }
                };
                let half = style.size / 2.0;
                around(&[corner(start, -half), corner(start + wide, half)], 0.0)
            }
        }
    }

    /// That every number is one, nothing is cut off, and no two texts overlap.
    pub(in super::super) fn check(canvas: &Canvas) {
        let mut texts: Vec<(&str, [f64; 4])> = Vec::new();
        for shape in &canvas.shapes {
            let [left, top, right, bottom] = bounds(shape);
            let name = match shape {
                Shape::Text { text, .. } => text,
                _ => "a shape",
            };
            assert!(
                left >= 0.0 && top >= 0.0 && right <= canvas.width && bottom <= canvas.height,
                "{name} is at {left} to {right}, {top} to {bottom} of {} x {}",
                canvas.width,
                canvas.height
            );
            if let Shape::Text { text, .. } = shape {
                let overlaps = |[l, t, r, b]: &[f64; 4]| left < *r && *l < right && top < *b && *t < bottom;
                let other = texts.iter().find(|(_, box_)| overlaps(box_));
                assert!(other.is_none(), "{text} overlaps {other:?}");
                texts.push((text, [left, top, right, bottom]));
            }
        }
    }

    /// All texts of a picture, as drawn.
    pub(in super::super) fn texts(canvas: &Canvas) -> Vec<&str> {
        canvas
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn dashes_go_around_corners() {
        let pieces = dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)], &[4.0, 2.0]);
        let expected = [vec![(0.0, 0.0), (4.0, 0.0)], vec![(5.0, 1.0), (5.0, 5.0)]];
        assert_eq!(pieces, expected);
    }
}
