//! How files describe the built-in layers and activations: the names, options and shapes of PyTorch's modules, and the
//! operators of ONNX.

use std::f64::consts::FRAC_1_SQRT_2;

use ndarray::{ArrayD, ArrayView1, ArrayView2, Ix1, s};

use super::saved_layer::refused;
use super::{Attribute, FeatureLayout, FileActivation, FileLayer, Operator, Record, Registry, SavedLayer};
use crate::element::Element;
use crate::error::Result;
use crate::layer::{
    BatchNorm1d, Conv2d, Dropout, Elu, Gelu, Identity, Image, LeakyRelu, Linear, Relu, Sigmoid, Silu,
    Softmax, Softplus, Tanh, Window,
};

/// Returns the registry of all built-in layers and activations. A new one is added here, and implements its trait below.
pub(super) fn built_in<T: Element>() -> Registry<T> {
    Registry::empty()
        .with_layer::<Linear<T>>()
        .with_layer::<Conv2d<T>>()
        .with_layer::<BatchNorm1d<T>>()
        .with_layer::<Dropout>()
        .with_activation::<Relu>()
        .with_activation::<LeakyRelu>()
        .with_activation::<Elu>()
        .with_activation::<Gelu>()
        .with_activation::<Silu>()
        .with_activation::<Softplus>()
        .with_activation::<Sigmoid>()
        .with_activation::<Tanh>()
        .with_activation::<Softmax>()
        .with_activation::<Identity>()
}

impl<T: Element> FileLayer<T> for Linear<T> {
    const KIND: &'static str = "Linear";

    fn record(&self) -> Record<T> {
        let weights = self.augmented_weights();
        let (outputs, inputs) = (weights.nrows() - 1, weights.ncols() - 1);
        let gemm = Operator::new("Gemm").tensor("weight").tensor("bias");
        Record::new()
            .number("in_features", inputs as f64)
            .number("out_features", outputs as f64)
            .tensor("weight", row_major(weights.slice(s![1.., 1..])).into_dyn())
            .tensor("bias", weights.slice(s![1.., 0]).to_owned().into_dyn())
            .operator(gemm.attribute("transB", Attribute::Integer(1)))
    }

    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        let (inputs, outputs) = (saved.size("in_features")?, saved.size("out_features")?);
        let weights = matrix(saved.tensor("weight", &[outputs, inputs])?, outputs, inputs)?;
        let biases = vector(saved.tensor("bias", &[outputs])?)?;
        Linear::from_weights(weights.view(), &biases)
    }
}

impl<T: Element> FileLayer<T> for Conv2d<T> {
    const KIND: &'static str = "Conv2d";

    fn record(&self) -> Record<T> {
        let (weights, window) = (self.augmented_weights(), self.window());
        let ([height, width], [above, left]) = (window.size, window.padding);
        let (outputs, channels) = (weights.nrows() - 1, self.input_image().channels);
        let kernels = row_major(weights.slice(s![1.., 1..]));
        let kernels = kernels
            .into_shape_with_order(vec![outputs, channels, height, width])
            .expect("a row is a window full of weights for each channel");
        let integers =
            |numbers: &[usize]| Attribute::Integers(numbers.iter().map(|&number| number as i64).collect());
        let conv = Operator::new("Conv").tensor("weight").tensor("bias");
        let conv = conv
            .attribute("kernel_shape", integers(&window.size))
            .attribute("strides", integers(&window.stride))
            .attribute("pads", integers(&[above, left, above, left]));
        Record::new()
            .number("in_channels", channels as f64)
            .number("out_channels", outputs as f64)
            .sizes("kernel_size", &window.size)
            .sizes("stride", &window.stride)
            .sizes("padding", &window.padding)
            .tensor("weight", kernels)
            .tensor("bias", weights.slice(s![1.., 0]).to_owned().into_dyn())
            .operator(conv)
    }

    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        let channels = saved.size("in_channels")?;
        let image = saved.image().filter(|image| image.channels == channels);
        let problem = || refused(format_args!("it is not given images of {channels} channels"));
        let image = image.ok_or_else(problem)?;
        let window = Window {
            size: saved.sizes("kernel_size")?,
            stride: saved.sizes("stride")?,
            padding: saved.sizes("padding")?,
        };
        let outputs = saved.size("out_channels")?;
        window.places(image)?;
        let [height, width] = window.size;
        let weights = saved.tensor("weight", &[outputs, channels, height, width])?;
        let numbers = weights.len().checked_div(outputs).unwrap_or_default();
        let weights = matrix(weights, outputs, numbers)?;
        let biases = vector(saved.tensor("bias", &[outputs])?)?;
        Conv2d::from_weights(image, window, weights.view(), &biases)
    }

    fn feature_layout(&self) -> FeatureLayout {
        FeatureLayout::Images {
            input: self.input_image(),
            output: self.output_image(),
        }
    }
}

impl<T: Element> FileLayer<T> for BatchNorm1d<T> {
    const KIND: &'static str = "BatchNorm1d";

    fn record(&self) -> Record<T> {
        let vector = |numbers: ArrayView1<'_, T>| numbers.to_owned().into_dyn();
        let normalization = Operator::new("BatchNormalization")
            .tensor("weight")
            .tensor("bias")
            .tensor("running_mean")
            .tensor("running_var")
            .attribute("epsilon", Attribute::Float(self.epsilon() as f32));
        Record::new()
            .number("num_features", self.gamma().len() as f64)
            .number("eps", self.epsilon())
            .number("momentum", self.momentum())
            .tensor("weight", vector(self.gamma()))
            .tensor("bias", vector(self.beta()))
            .tensor("running_mean", vector(self.running_mean()))
            .tensor("running_var", vector(self.running_variance()))
            .count("num_batches_tracked", self.batches())
            .operator(normalization)
    }

    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        let features = saved.size("num_features")?;
        let (epsilon, momentum) = (saved.number("eps")?, saved.number("momentum")?);
        BatchNorm1d::<T>::check(epsilon, momentum)?;
        let mut take = |name| vector(saved.tensor(name, &[features])?);
        let numbers = [
            take("weight")?,
            take("bias")?,
            take("running_mean")?,
            take("running_var")?,
        ];
        let batches = saved.count("num_batches_tracked")?;
        let mut layer = BatchNorm1d::new(features, epsilon, momentum)?;
        layer.assign(numbers.each_ref().map(ArrayView1::from), batches)?;
        Ok(layer)
    }
}

impl<T: Element> FileLayer<T> for Dropout {
    const KIND: &'static str = "Dropout";

    /// The ONNX operator is `Identity`, as dropout is active in training only.
    fn record(&self) -> Record<T> {
        let record = Record::new().number("p", self.probability()).seed(self.seed());
        record.operator(Operator::new("Identity"))
    }

    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        Dropout::new(saved.inputs(), saved.number("p")?, saved.seed())
    }

    fn feature_layout(&self) -> FeatureLayout {
        FeatureLayout::Any
    }
}

impl<T: Element> FileActivation<T> for Relu {
    const KIND: &'static str = "ReLU";

    fn record(&self) -> Record<T> {
        Record::new().operator(Operator::new("Relu"))
    }

    fn from_record(_saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        Ok(Relu)
    }
}

impl<T: Element> FileActivation<T> for LeakyRelu {
    const KIND: &'static str = "LeakyReLU";

    fn record(&self) -> Record<T> {
        let leaky = Operator::new("LeakyRelu").attribute("alpha", Attribute::Float(self.slope() as f32));
        Record::new()
            .number("negative_slope", self.slope())
            .operator(leaky)
    }

    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        LeakyRelu::new(saved.number("negative_slope")?)
    }
}

impl<T: Element> FileActivation<T> for Elu {
    const KIND: &'static str = "ELU";

    fn record(&self) -> Record<T> {
        let elu = Operator::new("Elu").attribute("alpha", Attribute::Float(self.alpha() as f32));
        Record::new().number("alpha", self.alpha()).operator(elu)
    }

    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        Elu::new(saved.number("alpha")?)
    }
}

impl<T: Element> FileActivation<T> for Gelu {
    const KIND: &'static str = "GELU";

    /// ONNX has an operator `Gelu` only since set 20.
    fn record(&self) -> Record<T> {
        Record::new()
            .operator(Operator::new("Mul").number(FRAC_1_SQRT_2))
            .operator(Operator::new("Erf"))
            .operator(Operator::new("Add").number(1.0))
            .operator(Operator::new("Mul").layer_input())
            .operator(Operator::new("Mul").number(0.5))
    }

    fn from_record(_saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        Ok(Gelu)
    }
}

impl<T: Element> FileActivation<T> for Silu {
    const KIND: &'static str = "SiLU";

    fn record(&self) -> Record<T> {
        Record::new()
            .operator(Operator::new("Sigmoid"))
            .operator(Operator::new("Mul").layer_input())
    }

    fn from_record(_saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        Ok(Silu)
    }
}

impl<T: Element> FileActivation<T> for Softplus {
    const KIND: &'static str = "Softplus";

    fn record(&self) -> Record<T> {
        Record::new().operator(Operator::new("Softplus"))
    }

    fn from_record(_saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        Ok(Softplus)
    }
}

impl<T: Element> FileActivation<T> for Sigmoid {
    const KIND: &'static str = "Sigmoid";

    fn record(&self) -> Record<T> {
        Record::new().operator(Operator::new("Sigmoid"))
    }

    fn from_record(_saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        Ok(Sigmoid)
    }
}

impl<T: Element> FileActivation<T> for Tanh {
    const KIND: &'static str = "Tanh";

    fn record(&self) -> Record<T> {
        Record::new().operator(Operator::new("Tanh"))
    }

    fn from_record(_saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        Ok(Tanh)
    }
}

impl<T: Element> FileActivation<T> for Softmax {
    const KIND: &'static str = "Softmax";

    fn record(&self) -> Record<T> {
        let softmax = Operator::new("Softmax").attribute("axis", Attribute::Integer(1));
        Record::new().number("dim", 1.0).operator(softmax)
    }

    fn from_record(saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        match saved.size("dim")? {
            1 => Ok(Softmax),
            dim => Err(refused(format_args!(
                "a softmax along {dim}, not along the features"
            ))),
        }
    }
}

impl<T: Element> FileActivation<T> for Identity {
    const KIND: &'static str = "Identity";

    fn record(&self) -> Record<T> {
        Record::new().operator(Operator::new("Identity"))
    }

    fn from_record(_saved: &mut SavedLayer<'_, T>) -> Result<Self> {
        Ok(Identity)
    }
}

/// Returns the record of the reshaping from rows of features to images.
pub(super) fn unflatten<T>(image: Image) -> Record<T> {
    let sizes = [image.channels, image.height, image.width];
    let shape = std::iter::once(-1).chain(sizes.map(|size| size as i64));
    let mut record = Record::new()
        .number("dim", 1.0)
        .sizes("unflattened_size", &sizes)
        .operator(Operator::new("Reshape").integers(shape.collect()));
    record.kind = super::registry::UNFLATTEN;
    record
}

/// Returns the record of the reshaping from images to rows of features.
pub(super) fn flatten<T>() -> Record<T> {
    let mut record = Record::new().operator(Operator::new("Flatten"));
    record.kind = super::registry::FLATTEN;
    record
}

/// Returns the same numbers in row-major order, as in files.
fn row_major<T: Element>(view: ArrayView2<'_, T>) -> ndarray::Array2<T> {
    view.as_standard_layout().into_owned()
}

fn matrix<T: Element>(tensor: ArrayD<T>, rows: usize, columns: usize) -> Result<ndarray::Array2<T>> {
    let matrix = tensor.into_shape_with_order((rows, columns));
    matrix.map_err(|error| refused(format_args!("its weights are no matrix: {error}")))
}

fn vector<T: Element>(tensor: ArrayD<T>) -> Result<Vec<T>> {
    let vector = tensor.into_dimensionality::<Ix1>();
    let vector = vector.map_err(|error| refused(format_args!("its numbers are in no row: {error}")))?;
    Ok(vector.to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::saved_layer::tests::Own;
    use super::*;
    use crate::layer::{Context, Layer, Mode};
    use ndarray::{Array2, array};

    /// Makes the layer of a record.
    fn made<L: FileLayer<f64>>(record: &Record<f64>, inputs: usize, image: Option<Image>) -> Result<L> {
        L::from_record(&mut SavedLayer {
            options: &record.options,
            seed: record.seed.unwrap_or_default(),
            inputs,
            image,
            tensors: &mut Own(record),
        })
    }

    #[test]
    fn a_convolution_has_pytorchs_shapes() {
        let image = Image {
            channels: 1,
            height: 3,
            width: 3,
        };
        let window = Window::new([2, 2]).stride([2, 1]).padding([1, 0]);
        let weights = array![[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 1.0]];
        let layer = Conv2d::from_weights(image, window, weights.view(), &[0.0, 10.0]).unwrap();
        let mut record = layer.record();
        assert_eq!(record.tensors[0].values.shape(), [2, 1, 2, 2]);
        assert_eq!(record.tensors[1].values.shape(), [2]);
        assert_eq!(record.options["stride"].to_string(), "2x1");
        record.tensors[0].values *= 2.0;
        let other: Conv2d<f64> = made(&record, 9, Some(image)).unwrap();
        let expected = array![
            [1.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 2.0, 4.0, 6.0, 8.0],
            [10.0, 0.0, 0.0, 0.0, 2.0]
        ];
        assert_eq!(other.augmented_weights(), expected);
        assert_eq!((other.input_image(), other.window()), (image, window));
        assert!(made::<Conv2d<f64>>(&record, 9, None).is_err());
    }

    #[test]
    fn batch_normalisation_keeps_its_statistics() {
        let mut layer = BatchNorm1d::<f64>::from_weights(&[1.0, 3.0], &[0.0, 0.5]).unwrap();
        let numbers = [
            array![1.0, 3.0],
            array![0.0, 0.5],
            array![2.0, -7.0],
            array![0.25, 4.0],
        ];
        layer
            .assign(numbers.each_ref().map(|numbers| numbers.view()), 1 << 40)
            .unwrap();
        let mut record = FileLayer::record(&layer);
        assert_eq!(record.counts, [("num_batches_tracked", 1 << 40)]);
        let other: BatchNorm1d<f64> = made(&record, 2, None).unwrap();
        assert_eq!(FileLayer::record(&other), record);
        let output = |layer: &BatchNorm1d<f64>| {
            let mut output = Array2::<f64>::ones((3, 1));
            let input = array![[1.0], [2.0], [3.0]];
            let mut scratch = Vec::new();
            layer.forward(
                input.view(),
                output.view_mut(),
                &mut Context::new(Mode::Eval, &mut scratch),
            );
            output
        };
        assert_eq!(output(&other), output(&layer));
        record.tensors[3].values[0] = -1.0;
        let error = made::<BatchNorm1d<f64>>(&record, 2, None)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "running_var: -1 is no variance, which is at least 0");
    }

    #[test]
    fn the_registry_knows_each_once() {
        let registry = built_in::<f32>();
        let shown = format!("{registry:?}");
        assert_eq!(
            shown,
            "Registry { layers: [\"Linear\", \"Conv2d\", \"BatchNorm1d\", \"Dropout\"], activations: [\"ReLU\", \
             \"LeakyReLU\", \"ELU\", \"GELU\", \"SiLU\", \"Softplus\", \"Sigmoid\", \"Tanh\", \"Softmax\", \"Identity\"] }"
        );
        // The public method refuses a type that is already there.
        assert!(registry.layer::<Dropout>().is_err());
    }
}
