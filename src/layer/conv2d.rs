//! The convolution of images, as one matrix product for a few images at a time.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, s};

use super::window::Patches;
use super::{Context, Image, Initializer, Layer, Window, has_room};
use crate::augment::{body, body_mut};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::product::gemm;

/// A convolution: each output channel has a window of weights that moves over the image. In each place, its output is
/// the sum of the pixels under the window, times their weights, plus a bias: PyTorch's `nn.Conv2d`, a
/// cross-correlation.
///
/// The patches under the window become the columns of a matrix P, whose row 0 is the bias feature, so that the
/// convolution and its gradients are products for BLAS:
///
/// ```text
/// Z = W P,   dJ/dW = Delta P^T,   dJ/dP = W^T Delta
/// ```
///
/// dJ/dA adds up dJ/dP over all places that contain the same pixel.
///
/// # Shapes
///
/// samples x (channels height width) -> samples x (outputs rows columns), channel by channel and row by row, see [`Image`]
/// and [`Window::places`]; W: (outputs + 1) x (channels kernel-height kernel-width + 1), row 0 constant (1 0 ... 0),
/// column 0 the bias
///
/// Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing", 2006.
///
/// ```
/// use mfnet::{NeuralNetwork, layer::Window};
///
/// let network = NeuralNetwork::<f32>::builder(784)
///     .image(1, 28, 28)
///     .conv2d(8, Window::new([3, 3]).padding([1, 1]))
///     .relu()
///     .conv2d(16, Window::new([3, 3]).stride([2, 2]))
///     .relu()
///     .linear(10)
///     .build()?;
/// assert_eq!(network.parameter_count(), 8 * (9 + 1) + 16 * (8 * 9 + 1) + 10 * (16 * 13 * 13 + 1));
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Conv2d<T> {
    weights: [Array2<T>; 1],
    patches: Patches,
    /// The number of images in one product: enough of them to keep BLAS busy.
    group: usize,
}

impl<T: Element> Conv2d<T> {
    /// A layer with `outputs` channels of weights and biases drawn from `seed` by the initialiser.
    ///
    /// The initialiser takes the numbers of a patch as the inputs, and the channels as the outputs.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for an image or a window without extent, a stride of 0, no outputs, a padding as large as the
    /// window, or more numbers than there is memory for; [`Error::Shape`] for a window larger than the padded image.
    pub fn new(
        image: Image,
        outputs: usize,
        window: Window,
        initializer: Initializer,
        seed: u64,
    ) -> Result<Self> {
        let patches = checked::<T>(image, outputs, window)?;
        let mut weights = Array2::zeros((outputs + 1, patches.numbers() + 1));
        weights[[0, 0]] = T::one();
        initializer.fill(weights.slice_mut(s![1.., ..]), seed);
        Ok(Conv2d {
            weights: [weights],
            patches,
            group: group(&patches),
        })
    }

    /// A layer with these weights and biases.
    ///
    /// # Shapes
    ///
    /// weights: outputs x (channels kernel-height kernel-width), the rows of PyTorch's tensor; biases: outputs
    ///
    /// # Errors
    ///
    /// Those of [`Conv2d::new`]; [`Error::Shape`] for weights of other shapes, [`Error::InvalidData`] for a number that is
    /// not finite.
    pub fn from_weights(
        image: Image,
        window: Window,
        weights: ArrayView2<'_, T>,
        biases: &[T],
    ) -> Result<Self> {
        let outputs = weights.nrows();
        let numbers = checked::<T>(image, outputs, window)?.numbers();
        if (weights.ncols(), biases.len()) != (numbers, outputs) {
            return Err(Error::shape(
                "Conv2d::from_weights",
                format_args!("{outputs} x {numbers} weights and {outputs} biases"),
                format_args!("{outputs} x {} and {}", weights.ncols(), biases.len()),
            ));
        }
        if !weights.iter().chain(biases).all(|value| value.is_finite()) {
            let problem = "a weight or bias is not a finite number";
            return Err(Error::data("Conv2d::from_weights", problem));
        }
        let mut layer = Conv2d::new(image, outputs, window, Initializer::Zeros, 0)?;
        let [augmented] = &mut layer.weights;
        augmented.slice_mut(s![1.., 1..]).assign(&weights);
        augmented.slice_mut(s![1.., 0]).assign(&ArrayView1::from(biases));
        Ok(layer)
    }

    /// The shape of the input images.
    pub(crate) fn input_image(&self) -> Image {
        self.patches.image()
    }

    /// The window.
    pub(crate) fn window(&self) -> Window {
        self.patches.window()
    }

    /// W with its constant row 0 and the biases in column 0; see [the shapes](Conv2d#shapes).
    pub(crate) fn augmented_weights(&self) -> ArrayView2<'_, T> {
        self.weights[0].view()
    }

    /// The shape of the output images.
    pub fn output_image(&self) -> Image {
        let [height, width] = self.patches.places;
        Image {
            channels: self.weights[0].nrows() - 1,
            height,
            width,
        }
    }

    /// Writes the matrix P of some images: the bias feature in row 0, and the patches, one image after the other in
    /// each row.
    fn unfold(&self, images: ArrayView2<'_, T>, columns: &mut [T]) {
        let line = images.ncols() * self.patches.count();
        let (bias, matrix) = columns.split_at_mut(line);
        bias.fill(T::one());
        for (image, start) in images
            .columns()
            .into_iter()
            .zip((0..).step_by(self.patches.count()))
        {
            self.patches.unfold(numbers(image), &mut matrix[start..], line);
        }
    }

    /// Images as a matrix with a row for each channel; several images are copied into `memory`.
    fn gathered<'a>(&self, images: ArrayView2<'a, T>, memory: &'a mut [T]) -> ArrayView2<'a, T> {
        let (channels, places) = (self.weights[0].nrows() - 1, self.patches.count());
        if images.ncols() == 1 {
            return matrix(channels, places, numbers(images.index_axis_move(Axis(1), 0)));
        }
        let line = images.ncols() * places;
        let gathered = &mut memory[..channels * line];
        for (image, start) in images.columns().into_iter().zip((0..).step_by(places)) {
            for (channel, numbers) in numbers(image).chunks_exact(places).enumerate() {
                gathered[channel * line + start..][..places].copy_from_slice(numbers);
            }
        }
        matrix(channels, line, gathered)
    }

    /// The length of the scratch memory for a group of images: for the matrix P, and for the images gathered by
    /// channel.
    fn scratch_len(&self) -> usize {
        let [weights] = &self.weights;
        (weights.ncols() + weights.nrows() - 1) * self.group * self.patches.count()
    }

    /// Splits the scratch memory for `images` images in two: for the matrix P, and for the images gathered by channel.
    fn parts<'a>(&self, scratch: &'a mut [T], images: usize) -> (&'a mut [T], &'a mut [T]) {
        let patches = (self.patches.numbers() + 1) * images * self.patches.count();
        scratch.split_at_mut(patches)
    }
}

/// The number of columns at which BLAS computes a product at full speed, or nearly so.
const PLACES_AT_ONCE: usize = 512;

/// The number of images in one product.
fn group(patches: &Patches) -> usize {
    (PLACES_AT_ONCE / patches.count()).max(1)
}

/// Checks the shapes of a convolution and that there is memory for it; returns its patches.
fn checked<T: Element>(image: Image, outputs: usize, window: Window) -> Result<Patches> {
    for (option, value) in [
        ("channels", image.channels),
        ("height", image.height),
        ("width", image.width),
        ("outputs of Conv2d", outputs),
    ] {
        if value == 0 {
            return Err(Error::option(option, value, "at least 1"));
        }
    }
    let patches = Patches::new(image, window)?;
    let [height, width] = patches.places;
    let output = Image {
        channels: outputs,
        height,
        width,
    };
    let seen = Image {
        channels: image.channels,
        height: window.size[0],
        width: window.size[1],
    };
    let few = "few enough for the memory";
    let rows = outputs.saturating_add(1);
    let fits = |image: Image| {
        image
            .features()
            .is_some_and(|features| has_room::<T>(&[features]))
    };
    let Some(columns) = seen.features().and_then(|numbers| numbers.checked_add(1)) else {
        return Err(Error::option("channels", image.channels, few));
    };
    if !has_room::<T>(&[rows, columns]) {
        return Err(Error::option("outputs of Conv2d", outputs, few));
    }
    // Memory for one image, and for the scratch memory of a group.
    let places = [height, width, group(&patches), rows.saturating_add(columns)];
    if !fits(image) || !fits(output) || !has_room::<T>(&places) {
        return Err(Error::option(
            "image of Conv2d",
            image,
            "small enough for the memory",
        ));
    }
    Ok(patches)
}

/// A sample's features, which are contiguous.
fn numbers<T>(sample: ArrayView1<'_, T>) -> &[T] {
    sample.to_slice().expect(CONTIGUOUS)
}

fn numbers_mut<T>(sample: ArrayViewMut1<'_, T>) -> &mut [T] {
    sample.into_slice().expect(CONTIGUOUS)
}

const CONTIGUOUS: &str = "a sample's features are contiguous";

/// A row-major matrix of these numbers.
fn matrix<T>(rows: usize, columns: usize, numbers: &[T]) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows, columns), numbers).expect(AS_MANY)
}

fn matrix_mut<T>(rows: usize, columns: usize, numbers: &mut [T]) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((rows, columns), numbers).expect(AS_MANY)
}

const AS_MANY: &str = "there are as many numbers as the matrix has";

impl<T: Element> Layer<T> for Conv2d<T> {
    fn name(&self) -> &'static str {
        "Conv2d"
    }

    fn inputs(&self) -> usize {
        self.patches.image().features().unwrap_or_default()
    }

    fn outputs(&self) -> usize {
        self.output_image().features().unwrap_or_default()
    }

    fn parameters(&self) -> &[Array2<T>] {
        &self.weights
    }

    fn parameters_mut(&mut self) -> &mut [Array2<T>] {
        &mut self.weights
    }

    fn forward(&self, input: ArrayView2<'_, T>, output: ArrayViewMut2<'_, T>, context: &mut Context<'_, T>) {
        let (input, mut output) = (body(input), body_mut(output));
        let weights = body(self.weights[0].view());
        let (channels, places) = (weights.nrows(), self.patches.count());
        let scratch = context.scratch(self.scratch_len());
        let groups = input.axis_chunks_iter(Axis(1), self.group);
        for (images, mut outputs) in groups.zip(output.axis_chunks_iter_mut(Axis(1), self.group)) {
            let line = images.ncols() * places;
            let (columns, gathered) = self.parts(scratch, images.ncols());
            self.unfold(images, columns);
            let columns = matrix(weights.ncols(), line, columns);
            if images.ncols() == 1 {
                let output = numbers_mut(outputs.column_mut(0));
                let output = matrix_mut(channels, places, output);
                gemm(T::one(), weights, columns, T::zero(), output);
                continue;
            }
            let gathered = &mut gathered[..channels * line];
            let all = matrix_mut(channels, line, gathered);
            gemm(T::one(), weights, columns, T::zero(), all);
            for (output, start) in outputs.columns_mut().into_iter().zip((0..).step_by(places)) {
                for (channel, numbers) in numbers_mut(output).chunks_exact_mut(places).enumerate() {
                    numbers.copy_from_slice(&gathered[channel * line + start..][..places]);
                }
            }
        }
    }

    fn backward(
        &self,
        _input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        delta_input: ArrayViewMut2<'_, T>,
        context: &mut Context<'_, T>,
    ) {
        let (delta, mut delta_input) = (body(delta), body_mut(delta_input));
        let weights = self.weights[0].slice(s![1.., 1..]);
        let places = self.patches.count();
        let scratch = context.scratch(self.scratch_len());
        let groups = delta.axis_chunks_iter(Axis(1), self.group);
        for (deltas, mut images) in groups.zip(delta_input.axis_chunks_iter_mut(Axis(1), self.group)) {
            let line = deltas.ncols() * places;
            let (columns, gathered) = self.parts(scratch, deltas.ncols());
            let columns = &mut columns[..weights.ncols() * line];
            let deltas = self.gathered(deltas, gathered);
            let all = matrix_mut(weights.ncols(), line, columns);
            gemm(T::one(), weights.reversed_axes(), deltas, T::zero(), all);
            for (image, start) in images.columns_mut().into_iter().zip((0..).step_by(places)) {
                let image = numbers_mut(image);
                image.fill(T::zero());
                self.patches.fold(&columns[start..], line, image);
            }
        }
    }

    fn gradient(
        &self,
        input: ArrayView2<'_, T>,
        delta: ArrayView2<'_, T>,
        gradients: &mut [Array2<T>],
        context: &mut Context<'_, T>,
    ) {
        let (input, delta) = (body(input), body(delta));
        let mut gradient = body_mut(gradients[0].view_mut());
        let mut beta = T::zero();
        let scratch = context.scratch(self.scratch_len());
        let groups = input.axis_chunks_iter(Axis(1), self.group);
        for (images, deltas) in groups.zip(delta.axis_chunks_iter(Axis(1), self.group)) {
            let line = images.ncols() * self.patches.count();
            let (columns, gathered) = self.parts(scratch, images.ncols());
            self.unfold(images, columns);
            let columns = matrix(gradient.ncols(), line, columns);
            let deltas = self.gathered(deltas, gathered);
            gemm(
                T::one(),
                deltas,
                columns.reversed_axes(),
                beta,
                gradient.view_mut(),
            );
            beta = T::one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::{augment, augmented};
    use crate::layer::Mode;
    use ndarray::array;

    fn layer(window: Window) -> Conv2d<f64> {
        let image = Image {
            channels: 1,
            height: 3,
            width: 3,
        };
        let weights = array![[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 1.0]];
        Conv2d::from_weights(image, window, weights.view(), &[0.0, 10.0]).unwrap()
    }

    fn forward(layer: &Conv2d<f64>, design: &Array2<f64>) -> Array2<f64> {
        let mut output = augmented(layer.outputs(), design.nrows());
        let mut scratch = vec![f64::NAN; layer.scratch_len()];
        let input = augment(design.view());
        layer.forward(
            input.view(),
            output.view_mut(),
            &mut Context::new(Mode::Eval, &mut scratch),
        );
        crate::augment::strip(output.view())
    }

    #[test]
    fn an_image_by_hand() {
        let image = array![[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]];
        let plain = forward(&layer(Window::new([2, 2])), &image);
        // 1 + 2 * 2 + 3 * 4 + 4 * 5 and so on; and the window's last pixel, plus 10.
        let expected = array![[37.0, 47.0, 67.0, 77.0, 15.0, 16.0, 18.0, 19.0]];
        assert_eq!(plain, expected);
        // Several images make one product.
        let both = ndarray::concatenate![Axis(0), image, image.mapv(|value| 2.0 * value)];
        let found = forward(&layer(Window::new([2, 2])), &both);
        assert_eq!(found.row(0), expected.row(0));
        assert_eq!(found[[1, 0]], 74.0);
        let moved = Window::new([2, 2]).stride([2, 2]).padding([1, 1]);
        // Top left only pixel 1 is seen, by the last weight; top right 2 and 3, by the last row; bottom left 4 and 7.
        let expected = array![[4.0, 18.0, 36.0, 77.0, 11.0, 13.0, 17.0, 19.0]];
        assert_eq!(forward(&layer(moved), &image), expected);
    }

    #[test]
    fn impossible_layers_are_refused() {
        let image = |channels, height, width| Image {
            channels,
            height,
            width,
        };
        let new = |image, outputs, window| Conv2d::<f32>::new(image, outputs, window, Initializer::He, 7);
        let window = Window::new([2, 2]);
        assert!(new(image(1, 2, 2), 1, window).is_ok());
        for (image, outputs, window) in [
            (image(0, 2, 2), 1, window),
            (image(1, 0, 2), 1, window),
            (image(1, 2, 0), 1, window),
            (image(1, 2, 2), 0, window),
            (image(1, 2, 1), 1, window),
            (image(1, 2, 2), 1, window.stride([0, 1])),
            (image(usize::MAX, 2, 2), 1, window),
            (image(1, usize::MAX, usize::MAX), 1, window),
        ] {
            assert!(new(image, outputs, window).is_err(), "{image}");
        }
        let weights = array![[1.0, 2.0, 3.0, 4.0]];
        let of = |weights, biases: &[f64]| Conv2d::from_weights(image(1, 2, 2), window, weights, biases);
        assert!(of(weights.view(), &[0.0]).is_ok());
        assert!(of(weights.view(), &[]).is_err());
        assert!(of(weights.slice(s![.., 1..]), &[0.0]).is_err());
        assert!(of(weights.view(), &[f64::NAN]).is_err());
    }
}
