//! Pictures of a training and of what came of it, each as SVG and as PNG.
//!
//! [`curves`] shows losses and accuracies over the epochs, [`confusion`] which classes are taken for which,
//! [`confusions`] the same of several yes/no targets, [`predictions`] predicted against true values, [`ranking`] which of
//! several models is best, [`plane`] what a network of two inputs answers all over the plane, and [`bars`] any values in
//! groups. All take plain numbers and names, so that they serve training loops other than this crate's too.
//!
//! Colours are those of Okabe and Ito, which colour-blind readers tell apart, and no picture depends on colour
//! alone: series differ in dashes and markers as well, and matrices run from light to dark.
//!
//! The same input gives the same picture, byte for byte, on every machine: letters of PNG pictures come from a
//! font of the crate `dejavu`, DejaVu Sans. SVG pictures name
//! that font and leave it to the viewer to have it, or another sans-serif.

mod axis;
mod bars;
mod canvas;
mod color;
mod confusion;
mod confusions;
mod curves;
mod font;
mod frame;
mod key;
mod picture;
mod plane;
mod predictions;
mod ranking;
mod render;

pub use bars::{Bar, BarGroup, Bars, Mark, bars};
pub use confusion::confusion;
pub use confusions::{TargetConfusion, confusions};
pub use curves::{Curves, Panel, Series, curves};
pub use picture::Picture;
pub use plane::{Plane, Prediction, plane};
pub use predictions::{Output, predictions};
pub use ranking::{Ranked, ranking};
