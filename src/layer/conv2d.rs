//! The convolution of images, as one matrix product for each few of them.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, s};

use super::record::{Attribute, Operand, Operator, Options, Record, Tensor};
use super::window::Patches;
use super::{Context, Fetch, Form, Image, Initializer, Layer, Window};
use crate::augment::{body, body_mut};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::product::gemm;

/// Each output channel is a window full of weights that moves over the image, and gives in each of its places the sum of
/// all it sees, times its weights, and its bias: PyTorch's `nn.Conv2d`, a cross-correlation.
///
/// What the window sees in its places becomes the columns of a matrix P, whose row 0 is the bias feature, so that the
/// convolution and its gradients are products for BLAS:
///
/// ```text
/// Z = W P,   dJ/dW = Delta P^T,   dJ/dP = W^T Delta
/// ```
///
/// dJ/dA adds up dJ/dP wherever the same pixel was seen.
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
/// assert_eq!(network.parameters(), 8 * (9 + 1) + 16 * (8 * 9 + 1) + 10 * (16 * 13 * 13 + 1));
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Conv2d<T> {
    weights: [Array2<T>; 1],
    patches: Patches,
    /// The images whose places make one product: enough of them to keep BLAS busy.
    group: usize,
}

impl<T: Element> Conv2d<T> {
    /// A layer with `outputs` channels of weights drawn from `seed`, and biases of 0.
    ///
    /// To an initializer, the inputs are all that a window sees, and the outputs the channels.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for an image or a window without extent, a stride of 0, no outputs or a padding as large
    /// as the window; [`Error::Shape`] for a window larger than the padded image, or images beyond all counting.
    pub fn new(
        image: Image,
        outputs: usize,
        window: Window,
        initializer: Initializer,
        seed: u64,
    ) -> Result<Self> {
        let patches = checked(image, outputs, window)?;
        let mut weights = Array2::zeros((outputs + 1, patches.numbers() + 1));
        weights[[0, 0]] = T::one();
        initializer.fill(weights.slice_mut(s![1.., 1..]), seed);
        Ok(Conv2d {
            weights: [weights],
            patches,
            group: (PLACES_AT_ONCE / patches.count()).max(1),
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
        let numbers = checked(image, outputs, window)?.numbers();
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
        layer.assign(weights, ArrayView1::from(biases));
        Ok(layer)
    }

    /// A layer with saved weights and biases.
    #[cfg(feature = "save")]
    pub(super) fn restored(
        image: Image,
        outputs: usize,
        window: Window,
        fetch: &mut Fetch<'_, T>,
    ) -> Result<Self> {
        let patches = checked(image, outputs, window)?;
        // Before any memory is taken: that there are tensors of such sizes is what bounds it.
        let saved = Saved::fetched(&patches, outputs, fetch)?;
        let mut layer = Conv2d::new(image, outputs, window, Initializer::Zeros, 0)?;
        layer.assign(saved.weights.view(), saved.biases.column(0));
        Ok(layer)
    }

    fn assign(&mut self, weights: ArrayView2<'_, T>, biases: ArrayView1<'_, T>) {
        self.weights[0].slice_mut(s![1.., 1..]).assign(&weights);
        self.weights[0].slice_mut(s![1.., 0]).assign(&biases);
    }

    /// The images that come out.
    pub fn output_image(&self) -> Image {
        let [height, width] = self.patches.places;
        Image {
            channels: self.weights[0].nrows() - 1,
            height,
            width,
        }
    }

    /// Writes the bias feature and the patches of some images, one image behind the other in each row.
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

    /// The numbers of `images` images as a matrix of a row for each channel; copied together where they are several.
    fn gathered<'a>(&self, images: ArrayView2<'a, T>, room: &'a mut [T]) -> ArrayView2<'a, T> {
        let (channels, places) = (self.weights[0].nrows() - 1, self.patches.count());
        if images.ncols() == 1 {
            return matrix(channels, places, numbers(images.index_axis_move(Axis(1), 0)));
        }
        let line = images.ncols() * places;
        let room = &mut room[..channels * line];
        for (image, start) in images.columns().into_iter().zip((0..).step_by(places)) {
            for (channel, numbers) in numbers(image).chunks_exact(places).enumerate() {
                room[channel * line + start..][..places].copy_from_slice(numbers);
            }
        }
        matrix(channels, line, room)
    }

    /// The numbers of scratch memory for a group of images: their patches, and the images themselves gathered.
    fn scratch_len(&self) -> usize {
        let [weights] = &self.weights;
        (weights.ncols() + weights.nrows() - 1) * self.group * self.patches.count()
    }

    /// The two parts of the scratch memory for so many images: for patches, and for images that are gathered.
    fn parts<'a>(&self, scratch: &'a mut [T], images: usize) -> (&'a mut [T], &'a mut [T]) {
        let patches = (self.patches.numbers() + 1) * images * self.patches.count();
        scratch.split_at_mut(patches)
    }
}

/// The columns of a product that BLAS works at full speed on, or nearly so.
const PLACES_AT_ONCE: usize = 512;

/// What a window sees of images, if all of it can be.
fn checked(image: Image, outputs: usize, window: Window) -> Result<Patches> {
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
    let countable = [image, output, seen]
        .iter()
        .all(|image| image.features().is_some());
    if !countable {
        return Err(Error::shape("Conv2d", "images that memory has room for", image));
    }
    Ok(patches)
}

/// A sample's features, which lie next to each other.
fn numbers<T>(sample: ArrayView1<'_, T>) -> &[T] {
    sample.to_slice().expect(ONE_PIECE)
}

fn numbers_mut<T>(sample: ArrayViewMut1<'_, T>) -> &mut [T] {
    sample.into_slice().expect(ONE_PIECE)
}

const ONE_PIECE: &str = "a sample's features lie next to each other";

/// Numbers as a matrix, row by row.
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

    fn form(&self) -> Form {
        Form::Images {
            input: self.patches.image(),
            output: self.output_image(),
        }
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
            let (columns, room) = self.parts(scratch, deltas.ncols());
            let columns = &mut columns[..weights.ncols() * line];
            let deltas = self.gathered(deltas, room);
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
            let (columns, room) = self.parts(scratch, images.ncols());
            self.unfold(images, columns);
            let columns = matrix(gradient.ncols(), line, columns);
            let deltas = self.gathered(deltas, room);
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

    fn record(&self) -> Option<Record<T>> {
        let [weights] = &self.weights;
        let (image, window) = (self.patches.image(), self.patches.window());
        let (outputs, [height, width]) = (weights.nrows() - 1, window.size);
        let whole = |numbers: &[usize]| numbers.iter().map(|&number| number as i64).collect();
        let kernels = weights.slice(s![1.., 1..]).as_standard_layout().into_owned();
        let kernels = kernels.into_shape_with_order(vec![outputs, image.channels, height, width]);
        let [above, left] = window.padding;
        Some(Record {
            kind: "Conv2d",
            options: Options::of(&[
                ("in_channels", image.channels as f64),
                ("out_channels", outputs as f64),
            ])
            .counts_of("kernel_size", &window.size)
            .counts_of("stride", &window.stride)
            .counts_of("padding", &window.padding),
            seed: None,
            tensors: vec![
                Tensor {
                    name: "weight",
                    values: kernels.ok()?,
                },
                Tensor {
                    name: "bias",
                    values: weights.slice(s![1.., 0]).to_owned().into_dyn(),
                },
            ],
            counts: Vec::new(),
            operators: vec![Operator {
                kind: "Conv",
                operands: vec![Operand::Tensor("weight"), Operand::Tensor("bias")],
                attributes: vec![
                    ("kernel_shape", Attribute::Integers(whole(&window.size))),
                    ("strides", Attribute::Integers(whole(&window.stride))),
                    ("pads", Attribute::Integers(whole(&[above, left, above, left]))),
                ],
            }],
        })
    }

    fn restore(&mut self, fetch: &mut Fetch<'_, T>) -> Result<()> {
        let saved = Saved::fetched(&self.patches, self.weights[0].nrows() - 1, fetch)?;
        self.assign(saved.weights.view(), saved.biases.column(0));
        Ok(())
    }
}

/// What a file has of a layer, as matrices.
struct Saved<T> {
    weights: Array2<T>,
    biases: Array2<T>,
}

impl<T: Element> Saved<T> {
    fn fetched(patches: &Patches, outputs: usize, fetch: &mut Fetch<'_, T>) -> Result<Self> {
        let (channels, [height, width]) = (patches.image().channels, patches.window().size);
        let weights = fetch("weight", &[outputs, channels, height, width])?;
        let biases = fetch("bias", &[outputs])?;
        let misshapen = |_| Error::data("Conv2d", "its tensors are not of the shapes that were asked for");
        Ok(Saved {
            weights: weights
                .into_shape_with_order((outputs, patches.numbers()))
                .map_err(misshapen)?,
            biases: biases.into_shape_with_order((outputs, 1)).map_err(misshapen)?,
        })
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
    fn a_record_has_pytorchs_shapes() {
        let window = Window::new([2, 2]).stride([2, 1]).padding([1, 0]);
        let mut first = layer(window);
        let record = first.record().unwrap();
        assert_eq!(record.tensors[0].values.shape(), [2, 1, 2, 2]);
        assert_eq!(record.tensors[1].values.shape(), [2]);
        assert_eq!(record.options.counts("stride").unwrap(), [2, 1]);
        let mut fetch = |name: &str, shape: &[usize]| {
            let tensor = record.tensors.iter().find(|tensor| tensor.name == name).unwrap();
            assert_eq!(tensor.values.shape(), shape);
            Ok(tensor.values.clone() * 2.0)
        };
        first.restore(&mut fetch).unwrap();
        assert_eq!(first.weights[0].row(2), array![20.0, 0.0, 0.0, 0.0, 2.0]);
        assert_eq!(first.weights[0].row(0), array![1.0, 0.0, 0.0, 0.0, 0.0]);
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
