//! The builder of a network.

use rand::Rng;

use super::{NeuralNetwork, Stage};
use crate::element::{Element, compiled};
use crate::error::{Error, Result};
use crate::layer::{
    Activation, BatchNorm1d, Conv2d, Dropout, Image, Initializer, Layer, Linear, Window, activation, has_room,
};
use crate::optimizer::NetworkId;
use crate::random::{Stream, generator};

/// A list of layers and activations. [`Builder::build`] checks that they fit, draws the weights and returns the
/// network.
#[derive(Debug)]
pub struct Builder<T> {
    inputs: usize,
    plans: Vec<Plan<T>>,
    initializer: Initializer,
    seed: u64,
}

/// An element of the list.
#[derive(Debug)]
enum Plan<T> {
    Linear(usize),
    Image(Image),
    Conv2d(usize, Window),
    BatchNorm,
    Dropout(f64),
    Layer(Box<dyn Layer<T>>),
    Activation(Box<dyn Activation<T>>),
    BuiltInActivation(&'static str),
}

impl<T: Element> Builder<T> {
    pub(super) fn new(inputs: usize) -> Self {
        Builder {
            inputs,
            plans: Vec::new(),
            initializer: Initializer::default(),
            seed: 0,
        }
    }

    /// Adds a fully connected layer with this many outputs, at least 1.
    pub fn linear(mut self, outputs: usize) -> Self {
        self.plans.push(Plan::Linear(outputs));
        self
    }

    /// Adds a ReLU, [`Relu`](crate::layer::Relu).
    pub fn relu(self) -> Self {
        self.built_in("relu")
    }

    /// Adds a sigmoid, [`Sigmoid`](crate::layer::Sigmoid).
    pub fn sigmoid(self) -> Self {
        self.built_in("sigmoid")
    }

    /// Adds a hyperbolic tangent, [`Tanh`](crate::layer::Tanh).
    pub fn tanh(self) -> Self {
        self.built_in("tanh")
    }

    /// Adds an exponential linear unit with an alpha of 1, [`Elu`](crate::layer::Elu).
    pub fn elu(self) -> Self {
        self.built_in("elu")
    }

    /// Adds a Gaussian error linear unit, [`Gelu`](crate::layer::Gelu).
    pub fn gelu(self) -> Self {
        self.built_in("gelu")
    }

    /// Adds a sigmoid linear unit, [`Silu`](crate::layer::Silu).
    pub fn silu(self) -> Self {
        self.built_in("silu")
    }

    /// Adds a softplus, [`Softplus`](crate::layer::Softplus).
    pub fn softplus(self) -> Self {
        self.built_in("softplus")
    }

    /// Adds a softmax, [`Softmax`](crate::layer::Softmax): after the last layer, for
    /// [`ProbabilityCrossEntropyLoss`](crate::loss::ProbabilityCrossEntropyLoss).
    pub fn softmax(self) -> Self {
        self.built_in("softmax")
    }

    /// Adds a [`Dropout`] that drops each feature with this probability in training, at least 0 and below 1.
    pub fn dropout(mut self, probability: f64) -> Self {
        self.plans.push(Plan::Dropout(probability));
        self
    }

    /// Declares that the features at this point are images, channel by channel and row by row, as [`Builder::conv2d`]
    /// needs them.
    ///
    /// ```
    /// use mfnet::{NeuralNetwork, layer::Window};
    ///
    /// let builder = NeuralNetwork::<f32>::builder(3 * 32 * 32).image(3, 32, 32);
    /// let network = builder.conv2d(8, Window::new([5, 5]).stride([2, 2])).relu().linear(10).build()?;
    /// assert_eq!(network.architecture(), "3072 - 1568 Conv2d ReLU - 10");
    /// assert!(NeuralNetwork::<f32>::builder(3071).image(3, 32, 32).linear(10).build().is_err());
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn image(mut self, channels: usize, height: usize, width: usize) -> Self {
        self.plans.push(Plan::Image(Image {
            channels,
            height,
            width,
        }));
        self
    }

    /// Adds a [`Conv2d`] with this many output channels, at least 1.
    ///
    /// It must follow an [image](Builder::image) or another convolution; only activations and dropouts may stand
    /// between. Any other layer takes the output of a convolution as a plain vector of features. After a
    /// [`Builder::layer`] that returns images, declare them with [`Builder::image`].
    pub fn conv2d(mut self, channels: usize, window: Window) -> Self {
        self.plans.push(Plan::Conv2d(channels, window));
        self
    }

    /// Adds a [`BatchNorm1d`] of all features, with its default epsilon and momentum.
    pub fn batch_norm(mut self) -> Self {
        self.plans.push(Plan::BatchNorm);
        self
    }

    /// Adds an existing layer with its weights: one of your own type, or one with known weights.
    ///
    /// The builder takes its output as a plain vector of features; if it is images, declare them with
    /// [`Builder::image`].
    ///
    /// ```
    /// use mfnet::NeuralNetwork;
    /// use mfnet::layer::{Conv2d, Image, Initializer, Window};
    ///
    /// let (image, window) = (Image { channels: 1, height: 8, width: 8 }, Window::new([3, 3]));
    /// let first = Conv2d::<f32>::new(image, 4, window, Initializer::He, 7)?;
    /// let out = first.output_image();
    /// let builder = NeuralNetwork::builder(64).layer(Box::new(first)).relu();
    /// let builder = builder.image(out.channels, out.height, out.width).conv2d(2, window);
    /// assert_eq!(builder.build()?.outputs(), 2 * 4 * 4);
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn layer(mut self, layer: Box<dyn Layer<T>>) -> Self {
        self.plans.push(Plan::Layer(layer));
        self
    }

    /// Adds an activation to the layer before it; a layer has at most one.
    pub fn activation(mut self, activation: Box<dyn Activation<T>>) -> Self {
        self.plans.push(Plan::Activation(activation));
        self
    }

    /// Adds the activation with this name, such as `relu`: see
    /// [`activation::by_name`](crate::layer::activation::by_name).
    ///
    /// # Errors
    ///
    /// Those of [`activation::by_name`](crate::layer::activation::by_name).
    ///
    /// ```
    /// use mfnet::NeuralNetwork;
    ///
    /// let network = NeuralNetwork::<f32>::builder(4).linear(8).activation_named("tanh")?.linear(1).build()?;
    /// assert_eq!(network.architecture(), "4 - 8 tanh - 1");
    /// # Ok::<(), mfnet::Error>(())
    /// ```
    pub fn activation_named(self, name: &str) -> Result<Self> {
        Ok(self.activation(activation::by_name(name)?))
    }

    /// Adds a built-in activation, which [`build`] constructs, so that its code is compiled in this crate.
    fn built_in(mut self, name: &'static str) -> Self {
        self.plans.push(Plan::BuiltInActivation(name));
        self
    }

    /// Sets the initialiser of the weights of fully connected layers and convolutions. Default: [`Initializer::He`].
    pub fn initializer(mut self, initializer: Initializer) -> Self {
        self.initializer = initializer;
        self
    }

    /// Sets the seed of the weights and of dropout. Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Builds the network and draws its weights.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for no layers, a layer without inputs or outputs or with more of them than there is
    /// memory for, a dropout probability out of range, an activation that does not follow a layer, or a convolution
    /// that does not follow an image; [`Error::Shape`] for a layer whose inputs are not the outputs of the layer
    /// before, images of another number of features, or a kernel larger than the padded image.
    pub fn build(self) -> Result<NeuralNetwork<T>> {
        build(self)
    }
}

compiled! {
    fn build<'a, 'b, T>(builder: Builder<T>) -> Result<NeuralNetwork<T>> {
        let mut width = builder.inputs;
        let mut image = None;
        let mut stages: Vec<Stage<T>> = Vec::new();
        for plan in builder.plans {
            let draw = |stream| generator(builder.seed, stream, stages.len() as u64).next_u64();
            let layer: Box<dyn Layer<T>> = match plan {
                Plan::Linear(outputs) => {
                    let seed = draw(Stream::Weights);
                    image = None;
                    Box::new(Linear::new(width, outputs, builder.initializer, seed)?)
                }
                Plan::Image(images) => {
                    if images.features() != Some(width) {
                        let expected = format_args!("images of the {width} features that there are");
                        return Err(Error::shape("Builder::image", expected, images));
                    }
                    image = Some(images);
                    continue;
                }
                Plan::Conv2d(channels, window) => {
                    let Some(input) = image else {
                        return Err(Error::option(
                            "conv2d",
                            channels,
                            "behind an image or another convolution",
                        ));
                    };
                    let seed = draw(Stream::Weights);
                    let layer = Conv2d::new(input, channels, window, builder.initializer, seed)?;
                    image = Some(layer.output_image());
                    Box::new(layer)
                }
                Plan::BatchNorm => {
                    let (epsilon, momentum) = (BatchNorm1d::<T>::EPSILON, BatchNorm1d::<T>::MOMENTUM);
                    image = None;
                    Box::new(BatchNorm1d::new(width, epsilon, momentum)?)
                }
                Plan::Dropout(probability) => {
                    Box::new(Dropout::new(width, probability, draw(Stream::Noise))?)
                }
                Plan::Layer(layer) => {
                    image = None;
                    layer
                }
                Plan::Activation(activation) => {
                    activate(&mut stages, activation)?;
                    continue;
                }
                Plan::BuiltInActivation(name) => {
                    activate(&mut stages, activation::by_name(name)?)?;
                    continue;
                }
            };
            if layer.inputs() != width {
                return Err(Error::shape(
                    "Builder::build",
                    format_args!("layer {} to take {width} features", stages.len()),
                    layer.inputs(),
                ));
            }
            // Every network needs memory for one sample's inputs and outputs of each layer.
            for (option, features) in [("inputs", width), ("outputs", layer.outputs())] {
                if !has_room::<T>(&[features.saturating_add(1)]) {
                    return Err(Error::option(option, features, "few enough for the memory"));
                }
            }
            width = layer.outputs();
            stages.push(Stage::new(layer));
        }
        if stages.is_empty() {
            return Err(Error::option("layers", 0, "at least 1"));
        }
        Ok(NeuralNetwork {
            version: NetworkId::next(),
            id: NetworkId::next(),
            stages,
        })
    }
}

/// Adds an activation to the last layer.
fn activate<T: Element>(stages: &mut [Stage<T>], activation: Box<dyn Activation<T>>) -> Result<()> {
    match stages.last_mut() {
        Some(stage) if stage.activation.is_none() => {
            stage.activation = Some(activation);
            Ok(())
        }
        _ => Err(Error::option(
            "activation",
            activation.name(),
            "behind a layer, one for each",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn message(builder: Builder<f64>) -> String {
        builder.build().unwrap_err().to_string()
    }

    #[test]
    fn errors_name_what_does_not_fit() {
        let start = NeuralNetwork::<f64>::builder;
        assert_eq!(message(start(3)), "layers = 0: it must be at least 1");
        assert_eq!(
            message(start(0).linear(2)),
            "inputs of Linear = 0: it must be at least 1"
        );
        assert_eq!(
            message(start(3).linear(0)),
            "outputs of Linear = 0: it must be at least 1"
        );
        assert!(message(start(3).relu().linear(2)).starts_with("activation = ReLU"));
        assert!(message(start(3).linear(2).relu().tanh()).starts_with("activation = tanh"));
        let layer = Linear::from_weights(array![[1.0, 2.0]].view(), &[0.0]).unwrap();
        assert_eq!(
            message(start(3).linear(4).layer(Box::new(layer))),
            "Builder::build: expected layer 1 to take 4 features, found 2"
        );
    }

    #[test]
    fn sizes_beyond_the_memory_are_refused() {
        let start = NeuralNetwork::<f64>::builder;
        let huge = usize::MAX;
        let window = Window::new([1, 1]);
        for (builder, start) in [
            (
                start(1).image(1, 1, 1).conv2d(1 << 62, window),
                "outputs of Conv2d = ",
            ),
            (
                start(1).image(1, 1, 1).conv2d(huge, window),
                "outputs of Conv2d = ",
            ),
            (start(1).linear(huge), "outputs of Linear = "),
            (
                start(huge).linear(1),
                "outputs of Linear = 1: it must be few enough",
            ),
            (start(huge).batch_norm(), "features of BatchNorm1d = "),
            (start(1 << 62).batch_norm(), "features of BatchNorm1d = "),
            (start(huge).dropout(0.5), "inputs = "),
            (start(1 << 60).dropout(0.5), "inputs = "),
            (
                start(1 << 62).image(1, 1 << 31, 1 << 31).conv2d(1, window),
                "image of Conv2d = ",
            ),
            (
                start(1)
                    .image(1, 1, 1)
                    .conv2d(1, Window::new([1 << 40, 1 << 40]).padding([1 << 39; 2])),
                "channels = 1: it must be few enough",
            ),
            (
                start(1)
                    .image(1, 1, 1)
                    .conv2d(1, Window::new([huge, 1]).padding([huge - 1, 0])),
                "convolution: ",
            ),
        ] {
            let error = message(builder);
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn a_convolution_needs_an_image_in_front() {
        let window = Window::new([1, 1]);
        let start = || NeuralNetwork::<f64>::builder(4).image(1, 2, 2).conv2d(1, window);
        assert!(start().relu().dropout(0.5).conv2d(1, window).build().is_ok());
        for between in [start().batch_norm(), start().linear(4)] {
            assert!(message(between.conv2d(1, window)).starts_with("conv2d = 1: it must be behind an image"));
        }
        // The builder does not know that an existing layer returns images.
        let image = Image {
            channels: 1,
            height: 2,
            width: 2,
        };
        let layer = || Box::new(Conv2d::new(image, 1, window, Initializer::He, 7).unwrap());
        let start = || NeuralNetwork::<f64>::builder(4).layer(layer());
        assert!(message(start().conv2d(1, window)).starts_with("conv2d = 1: it must be behind an image"));
        assert!(start().image(1, 2, 2).conv2d(1, window).build().is_ok());
    }

    #[test]
    fn seeds_determine_the_weights() {
        let weights = |seed| {
            let network = NeuralNetwork::<f64>::builder(3)
                .linear(3)
                .relu()
                .linear(3)
                .seed(seed)
                .build()
                .unwrap();
            network.parameters().cloned().collect::<Vec<_>>()
        };
        assert_eq!(weights(7), weights(7));
        assert_ne!(weights(7), weights(8));
        assert_ne!(weights(7)[0], weights(7)[1], "each layer has its own");
    }
}
