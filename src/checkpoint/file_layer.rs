//! Layers and activations that files know: how each is described for a file, and made from what a file says.

use super::{Record, SavedLayer};
use crate::element::Element;
use crate::error::Result;
use crate::layer::{Activation, Image, Layer};

/// A layer that model files, checkpoints and ONNX exports can hold.
///
/// Every built-in layer is one. A network with a layer of your own is saved and loaded with a
/// [`Registry`](super::Registry) that knows it:
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
    /// The layer's name in files, which no other layer or activation has: a file is read by it.
    const KIND: &'static str;

    /// The layer as files describe it.
    fn record(&self) -> Record<T>;

    /// The layer that a file describes; the inverse of [`FileLayer::record`].
    ///
    /// It takes every tensor that the record has, those of a size that the file names before memory is taken for it: files
    /// come from anywhere.
    ///
    /// # Errors
    ///
    /// Those of [`SavedLayer`], and any for options that cannot be.
    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self>;

    /// The meaning of the features; by default, each has its own.
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
    /// The activation's name in files, which no other layer or activation has: a file is read by it.
    const KIND: &'static str;

    /// The activation as files describe it.
    fn record(&self) -> Record<T>;

    /// The activation that a file describes; the inverse of [`FileActivation::record`].
    ///
    /// # Errors
    ///
    /// Those of [`SavedLayer`], and any for options that cannot be.
    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self>;

    /// Whether an image stays one: by default, unless the results are probabilities, which depend on all features.
    fn feature_layout(&self) -> FeatureLayout {
        if self.gives_probabilities() {
            FeatureLayout::Flat
        } else {
            FeatureLayout::Any
        }
    }
}

/// The meaning of a layer's features, in and out.
///
/// In memory all are features in a row. Files, as PyTorch, reshape them between a layer of images and one of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeatureLayout {
    /// Features in a row, each with its own meaning.
    Flat,
    /// Whatever comes in: each feature is treated alike, and stays where it is.
    Any,
    /// Images.
    Images {
        /// Those that come in.
        input: Image,
        /// Those that go out.
        output: Image,
    },
}

impl FeatureLayout {
    /// The images that come out if such, or none, come in; none if features in a row come out.
    pub(super) fn output_image(self, input: Option<Image>) -> Option<Image> {
        match self {
            FeatureLayout::Flat => None,
            FeatureLayout::Any => input,
            FeatureLayout::Images { output, .. } => Some(output),
        }
    }
}
