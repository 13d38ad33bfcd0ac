//! The window that a convolution moves over an image, and the patches of the image under it.

use super::Image;
use crate::element::Element;
use crate::error::{Error, Result};

/// The size, stride and zero padding of a convolution's window.
///
/// Default: a stride of 1 and no padding.
///
/// ```
/// use mfnet::layer::{Image, Window};
///
/// let image = Image { channels: 3, height: 28, width: 28 };
/// let window = Window::new([5, 3]).stride([2, 1]).padding([2, 1]);
/// assert_eq!(window.places(image)?, [14, 28]);
/// assert!(Window::new([29, 3]).places(image).is_err());
/// # Ok::<(), mfnet::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width, at least 1.
    pub size: [usize; 2],
    /// Steps between two places, rows down and columns to the right: at least 1.
    pub stride: [usize; 2],
    /// Zeros around the image, rows above and below, columns to the left and to the right: less than the window's size.
    pub padding: [usize; 2],
}

impl Window {
    /// A window of this height and width.
    pub fn new(size: [usize; 2]) -> Self {
        Window {
            size,
            stride: [1, 1],
            padding: [0, 0],
        }
    }

    /// Sets the stride: rows down, and columns to the right.
    pub fn stride(self, stride: [usize; 2]) -> Self {
        Window { stride, ..self }
    }

    /// Sets the zeros around the image: rows above and below, columns to the left and to the right.
    pub fn padding(self, padding: [usize; 2]) -> Self {
        Window { padding, ..self }
    }

    /// Returns how many places the window has on an image, down and across: (size + 2 padding - window) / stride + 1,
    /// rounded down.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`] for a size or a stride of 0, or a padding as large as the window; [`Error::Shape`] for a
    /// window larger than the padded image.
    pub fn places(self, image: Image) -> Result<[usize; 2]> {
        let along = |axis: usize, size: usize| {
            let (window, stride, padding) = (self.size[axis], self.stride[axis], self.padding[axis]);
            if window == 0 {
                return Err(Error::option("kernel size", window, "at least 1"));
            }
            if stride == 0 {
                return Err(Error::option("stride", stride, "at least 1"));
            }
            if padding >= window {
                return Err(Error::option("padding", padding, "less than the kernel size"));
            }
            // Sizes near the largest `usize` would overflow.
            let padded = padding.checked_mul(2).and_then(|zeros| size.checked_add(zeros));
            match padded.and_then(|padded| padded.checked_sub(window)) {
                Some(rest) => Ok(rest / stride + 1),
                None => {
                    let [height, width] = self.size;
                    let [above, left] = self.padding;
                    Err(Error::shape(
                        "convolution",
                        format_args!(
                            "a kernel within the image of {image} and its padding of {above} x {left}"
                        ),
                        format_args!("one of {height} x {width}"),
                    ))
                }
            }
        };
        Ok([along(0, image.height)?, along(1, image.width)?])
    }
}

/// The patches of an image under a window in all its places, as a matrix: a row for each number of a patch (channel,
/// row and column in the window), a column for each place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patches {
    image: Image,
    window: Window,
    /// The number of places, down and across.
    pub(super) places: [usize; 2],
}

impl Patches {
    pub(super) fn new(image: Image, window: Window) -> Result<Self> {
        let places = window.places(image)?;
        Ok(Patches {
            image,
            window,
            places,
        })
    }

    pub(super) fn image(&self) -> Image {
        self.image
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// The number of columns of the matrix; the largest number there is for an image beyond all memory.
    pub(super) fn count(&self) -> usize {
        self.places[0].saturating_mul(self.places[1])
    }

    /// The number of rows of the matrix.
    pub(super) fn numbers(&self) -> usize {
        self.image.channels * self.window.size[0] * self.window.size[1]
    }

    /// Writes the matrix, row-major with a row stride of `line` numbers.
    pub(super) fn unfold<T: Element>(&self, image: &[T], matrix: &mut [T], line: usize) {
        let stride = self.window.stride[1];
        self.for_each_line(line, |start, (first_place, end), pixels| {
            let places = &mut matrix[start..start + self.places[1]];
            let Some(first) = pixels else {
                places.fill(T::zero());
                return;
            };
            let (left, others) = places.split_at_mut(first_place);
            let (inside, right) = others.split_at_mut(end - first_place);
            left.fill(T::zero());
            right.fill(T::zero());
            if stride == 1 {
                inside.copy_from_slice(&image[first..first + inside.len()]);
            } else {
                for (place, &pixel) in inside.iter_mut().zip(image[first..].iter().step_by(stride)) {
                    *place = pixel;
                }
            }
        });
    }

    /// Adds each number of the matrix to its pixel: the transpose of [`Patches::unfold`].
    pub(super) fn fold<T: Element>(&self, matrix: &[T], line: usize, image: &mut [T]) {
        let stride = self.window.stride[1];
        self.for_each_line(line, |start, (first_place, end), pixels| {
            let Some(first) = pixels else { return };
            let inside = &matrix[start + first_place..start + end];
            if stride == 1 {
                for (pixel, &value) in image[first..].iter_mut().zip(inside) {
                    *pixel += value;
                }
            } else {
                for (pixel, &value) in image[first..].iter_mut().step_by(stride).zip(inside) {
                    *pixel += value;
                }
            }
        });
    }

    /// Calls `work` for each row of the matrix and each row of places, with the index at which they begin in the matrix,
    /// the start and end of the places whose pixel is not padding, and the pixel of the first of these; `None` if all are
    /// padding.
    #[inline(always)]
    fn for_each_line(&self, line: usize, mut work: impl FnMut(usize, (usize, usize), Option<usize>)) {
        let Patches {
            image,
            window,
            places: [down, across],
        } = *self;
        let [height, width] = window.size;
        let mut row = 0;
        for channel in 0..image.channels {
            for y in 0..height {
                for x in 0..width {
                    let first = window.padding[1].saturating_sub(x).div_ceil(window.stride[1]);
                    let first = first.min(across);
                    let reach = (image.width + window.padding[1]).saturating_sub(x);
                    let behind = reach.div_ceil(window.stride[1]).clamp(first, across);
                    for place in 0..down {
                        let start = row * line + place * across;
                        let pixel_row = (place * window.stride[0] + y).checked_sub(window.padding[0]);
                        let pixel = pixel_row
                            .filter(|&pixel_row| pixel_row < image.height && first < behind)
                            .map(|pixel_row| {
                                let column = first * window.stride[1] + x - window.padding[1];
                                (channel * image.height + pixel_row) * image.width + column
                            });
                        work(start, (first, behind), pixel);
                    }
                    row += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::property;
    use super::*;
    use proptest::prelude::*;

    /// For each number of the matrix its pixel; `None` for padding.
    fn pixels(patches: &Patches) -> Vec<Option<usize>> {
        let (image, window) = (patches.image, patches.window);
        let mut pixels = Vec::new();
        for number in 0..patches.numbers() {
            let (x, rest) = (number % window.size[1], number / window.size[1]);
            let (y, channel) = (rest % window.size[0], rest / window.size[0]);
            for place in 0..patches.count() {
                let at = |axis: usize, place: usize, offset: usize| {
                    (place * window.stride[axis] + offset).checked_sub(window.padding[axis])
                };
                let row = at(0, place / patches.places[1], y).filter(|&row| row < image.height);
                let column = at(1, place % patches.places[1], x).filter(|&column| column < image.width);
                let pixel = row.zip(column);
                pixels.push(pixel.map(|(row, column)| (channel * image.height + row) * image.width + column));
            }
        }
        pixels
    }

    proptest! {
        #![proptest_config(property::config(256))]

        #[test]
        fn patches_have_the_pixels_of_their_places(
            channels in 1..3_usize,
            sizes in [1..7_usize, 1..7],
            window in [1..5_usize, 1..5],
            stride in [1..4_usize, 1..4],
            padding in [0..3_usize, 0..3],
            gap in 0..3_usize,
        ) {
            let image = Image { channels, height: sizes[0], width: sizes[1] };
            let window = Window { size: window, stride, padding };
            let Ok(patches) = Patches::new(image, window) else {
                let fits = |axis| padding[axis] < window.size[axis] && window.size[axis] <= sizes[axis] + 2 * padding[axis];
                prop_assert!(!(fits(0) && fits(1)));
                return Ok(());
            };
            let values: Vec<f64> = (1..=channels * sizes[0] * sizes[1]).map(|value| value as f64).collect();
            let line = patches.count() + gap;
            let mut matrix = vec![-1.0; patches.numbers() * line];
            patches.unfold(&values, &mut matrix, line);
            let mut sums = vec![0.0; values.len()];
            patches.fold(&matrix, line, &mut sums);
            let mut expected = vec![0.0; values.len()];
            for (index, pixel) in pixels(&patches).into_iter().enumerate() {
                let (number, place) = (index / patches.count(), index % patches.count());
                let found = matrix[number * line + place];
                prop_assert_eq!(found, pixel.map_or(0.0, |pixel| values[pixel]));
                if let Some(pixel) = pixel {
                    expected[pixel] += found;
                }
            }
            prop_assert_eq!(sums, expected);
            prop_assert_eq!(matrix.iter().filter(|&&value| value == -1.0).count(), patches.numbers() * gap);
        }
    }

    #[test]
    fn impossible_windows_are_named() {
        let image = Image {
            channels: 1,
            height: 4,
            width: 6,
        };
        let message = |window: Window| window.places(image).unwrap_err().to_string();
        assert_eq!(
            message(Window::new([7, 2]).padding([1, 0])),
            "convolution: expected a kernel within the image of 1 x 4 x 6 and its padding of 1 x 0, found one of 7 x 2"
        );
        assert_eq!(
            message(Window::new([0, 2])),
            "kernel size = 0: it must be at least 1"
        );
        assert_eq!(
            message(Window::new([1, 2]).stride([1, 0])),
            "stride = 0: it must be at least 1"
        );
        assert!(message(Window::new([2, 2]).padding([2, 0])).starts_with("padding = 2"));
        let huge = Window::new([usize::MAX, 1]).padding([usize::MAX - 1, 0]);
        assert!(huge.places(image).is_err());
    }
}
