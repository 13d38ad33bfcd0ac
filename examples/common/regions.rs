//! What a network takes the points of the unit square for.

use mfnet::report::{Picture, Plane, Prediction, plane};
use mfnet::{Dataset, Element, Targets};
use ndarray::Array2;

/// The cells of the picture along each side.
const CELLS: usize = 128;

/// Draws the classes that are predicted all over the unit square, 0 outside and 1 inside, and samples on top.
pub fn regions<T: Element>(
    title: &str,
    samples: &Dataset<T>,
    predict: impl Fn(Array2<T>) -> mfnet::Result<Vec<u32>>,
) -> Result<Picture, Box<dyn std::error::Error>> {
    let middle = |cell: usize| T::from_f64((cell as f64 + 0.5) / CELLS as f64);
    let middles = Array2::from_shape_fn((CELLS * CELLS, 2), |(cell, input)| match input {
        0 => middle(cell % CELLS),
        _ => middle(cell / CELLS),
    });
    let labels = Array2::from_shape_vec((CELLS, CELLS), predict(middles)?)?;
    let classes = match samples.targets() {
        Targets::Classes { labels, .. } => labels.as_slice(),
        Targets::Values(_) => &[],
    };
    let places = samples.to_values();
    let places = places.rows().into_iter().zip(classes);
    let samples: Vec<_> = places
        .map(|(row, &class)| (row[0].as_f64(), row[1].as_f64(), class))
        .collect();
    Ok(plane(&Plane {
        title,
        inputs: ["x", "y"],
        ranges: [(0.0, 1.0); 2],
        prediction: Prediction::Labels(labels.view()),
        classes: &["outside", "inside"],
        samples: &samples,
    })?)
}
