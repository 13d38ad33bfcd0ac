//! The traits of layers and activations that can be saved: a record for the file, and the way back from it.

use super::{Record, SavedLayer};
use crate::element::Element;
use crate::error::Result;
use crate::layer::{Activation, Image, Layer};

/// A layer that model files, checkpoints and ONNX exports can hold.
///
/// All built-in layers implement it. A network with a layer of your own is saved and loaded with a
/// [`Registry`](super::Registry) that has the layer:
///
/// ```
/// use mfnet::NeuralNetwork;
/// use mfnet::checkpoint::{FileLayer, Operator, Record, Registry, SavedLayer};
/// use mfnet::layer::{Context, Layer};
/// use ndarray::{Array1, ArrayView2, ArrayViewMut2, s};
///
/// /// a = f z, with a fixed factor f for each feature.
/// #[derive(Debug)]
/// struct Scale {
///     factors: Array1<f32>,
/// }
///
/// impl Layer<f32> for Scale {
///     fn name(&self) -> &'static str { "Scale" }
///     fn inputs(&self) -> usize { self.factors.len() }
///     fn outputs(&self) -> usize { self.factors.len() }
///
///     fn forward(&self, z: ArrayView2<'_, f32>, mut a: ArrayViewMut2<'_, f32>, _: &mut Context<'_, f32>) {
///         // A sample is a column; row 0 is the bias, which stays.
///         let factors = self.factors.view().insert_axis(ndarray::Axis(1));
///         a.slice_mut(s![1.., ..]).assign(&(&z.slice(s![1.., ..]) * &factors));
///     }
///
///     fn backward(
///         &self,
///         _: ArrayView2<'_, f32>,
///         delta: ArrayView2<'_, f32>,
///         delta_input: ArrayViewMut2<'_, f32>,
///         context: &mut Context<'_, f32>,
///     ) {
///         self.forward(delta, delta_input, context);
///     }
/// }
///
/// impl FileLayer<f32> for Scale {
///     const KIND: &'static str = "Scale";
///
///     fn record(&self) -> Record<f32> {
///         Record::new()
///             .tensor("factors", self.factors.clone().into_dyn())
///             .operator(Operator::new("Mul").tensor("factors"))
///     }
///
///     fn from_record(saved: &mut SavedLayer<'_, f32>) -> mfnet::Result<Self> {
///         let factors = saved.tensor("factors", &[saved.inputs()])?;
///         Ok(Scale { factors: factors.into_iter().collect() })
///     }
/// }
///
/// let scale = Scale { factors: Array1::linspace(1.0, 2.0, 4) };
/// let network = NeuralNetwork::builder(3).linear(4).layer(Box::new(scale)).linear(2).seed(7).build()?;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("network.safetensors");
/// assert!(network.save(&path).is_err() && !path.exists(), "a file that nobody could load");
///
/// let registry = Registry::new().layer::<Scale>()?;
/// network.save_with(&path, &registry)?;
/// let same = NeuralNetwork::load_with(&path, &registry)?;
/// let samples = ndarray::Array2::ones((5, 3));
/// assert_eq!(same.predict(samples.view())?, network.predict(samples.view())?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait FileLayer<T: Element>: Layer<T> + Sized {
    /// The layer's name in files, unique among all layers and activations of a registry.
    const KIND: &'static str;

    /// Returns the description of the layer for files.
    fn record(&self) -> Record<T>;

    /// Makes the layer that a file describes; the inverse of [`FileLayer::record`].
    ///
    /// It takes every tensor of the record. As files may come from untrusted sources, it takes the tensors of a size that
    /// the file states before it allocates memory of that size.
    ///
    /// # Errors
    ///
    /// Those of [`SavedLayer`], and any for invalid options.
    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self>;

    /// Returns the layout of the features; by default, [`FeatureLayout::Flat`].
    fn feature_layout(&self) -> FeatureLayout {
        FeatureLayout::Flat
    }
}

/// An activation that model files, checkpoints and ONNX exports can hold; see [`FileLayer`].
///
/// ```
/// use mfnet::NeuralNetwork;
/// use mfnet::checkpoint::{Attribute, FileActivation, Operator, Record, Registry, SavedLayer};
/// use mfnet::layer::Activation;
/// use ndarray::{ArrayView2, ArrayViewMut2, Zip};
///
/// /// a = z above 0, and slope z below.
/// #[derive(Debug)]
/// struct LeakyRelu {
///     slope: f64,
/// }
///
/// impl Activation<f64> for LeakyRelu {
///     fn name(&self) -> &'static str { "leaky ReLU" }
///
///     fn forward(&self, mut values: ArrayViewMut2<'_, f64>) {
///         values.mapv_inplace(|z| if z < 0.0 { self.slope * z } else { z });
///     }
///
///     fn backward(&self, output: ArrayView2<'_, f64>, delta: ArrayViewMut2<'_, f64>) {
///         Zip::from(delta).and(output).for_each(|delta, &a| if a < 0.0 { *delta *= self.slope });
///     }
/// }
///
/// impl FileActivation<f64> for LeakyRelu {
///     const KIND: &'static str = "OwnLeakyReLU";
///
///     fn record(&self) -> Record<f64> {
///         let leaky = Operator::new("LeakyRelu").attribute("alpha", Attribute::Float(self.slope as f32));
///         Record::new().number("negative_slope", self.slope).operator(leaky)
///     }
///
///     fn from_record(saved: &mut SavedLayer<'_, f64>) -> mfnet::Result<Self> {
///         Ok(LeakyRelu { slope: saved.number("negative_slope")? })
///     }
/// }
///
/// let network = NeuralNetwork::builder(3).linear(4).activation(Box::new(LeakyRelu { slope: 0.1 })).seed(7).build()?;
/// let registry = Registry::new().activation::<LeakyRelu>()?;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("network.safetensors");
/// network.save_with(&path, &registry)?;
/// let same = NeuralNetwork::load_with(&path, &registry)?;
/// assert_eq!(same.records_with(&registry)?, network.records_with(&registry)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait FileActivation<T: Element>: Activation<T> + Sized {
    /// The activation's name in files, unique among all layers and activations of a registry.
    const KIND: &'static str;

    /// Returns the description of the activation for files.
    fn record(&self) -> Record<T>;

    /// Makes the activation that a file describes; the inverse of [`FileActivation::record`].
    ///
    /// # Errors
    ///
    /// Those of [`SavedLayer`], and any for invalid options.
    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self>;

    /// Returns the layout of the features; by default, [`FeatureLayout::Any`], or [`FeatureLayout::Flat`] for probabilities,
    /// which depend on all features.
    fn feature_layout(&self) -> FeatureLayout {
        if self.gives_probabilities() {
            FeatureLayout::Flat
        } else {
            FeatureLayout::Any
        }
    }
}

/// The layout of a layer's features in PyTorch: rows of features, or images.
///
/// In memory, all features are in a row. Files, as PyTorch, have a reshaping between a layer of images and one of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeatureLayout {
    /// A row of features, each with its own meaning.
    Flat,
    /// The layout of the input: all features are treated alike, and stay in their places.
    Any,
    /// Images.
    Images {
        /// The input images.
        input: Image,
        /// The output images.
        output: Image,
    },
}

impl FeatureLayout {
    /// Returns the shape of the output images for these input images; `None` stands for rows of features.
    pub(super) fn output_image(self, input: Option<Image>) -> Option<Image> {
        match self {
            FeatureLayout::Flat => None,
            FeatureLayout::Any => input,
            FeatureLayout::Images { output, .. } => Some(output),
        }
    }
}
