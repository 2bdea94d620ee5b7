//! The geometry of convolutions and pooling: [`Padding`], [`DataFormat`], [`Window`].

use crate::{Axes, Shape, ShapeError};

/// Which axis of an image tensor is the channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DataFormat {
    /// `[N, H, W, C]`, Keras's default and ours.
    #[default]
    ChannelsLast,
    /// `[N, C, H, W]`.
    ChannelsFirst,
}

impl DataFormat {
    /// `[N, H, W, C]` of an image tensor's shape in this format.
    pub fn nhwc(self, s: &Shape) -> [usize; 4] {
        match self {
            DataFormat::ChannelsLast => [s[0], s[1], s[2], s[3]],
            DataFormat::ChannelsFirst => [s[0], s[2], s[3], s[1]],
        }
    }

    /// The axes of an image tensor but the channel.
    pub fn pixels(self) -> Axes {
        Axes::from_iter(match self {
            DataFormat::ChannelsLast => [0, 1, 2],
            DataFormat::ChannelsFirst => [0, 2, 3],
        })
    }

    /// The shape of an image tensor in this format.
    pub fn shape(self, [n, h, w, c]: [usize; 4]) -> Shape {
        match self {
            DataFormat::ChannelsLast => Shape::from([n, h, w, c]),
            DataFormat::ChannelsFirst => Shape::from([n, c, h, w]),
        }
    }
}

/// What stands around an image for the windows that reach over its edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Padding {
    /// Nothing: only windows that lie wholly inside.
    #[default]
    Valid,
    /// As much as makes the output ⌈size / stride⌉ long; an odd rest goes after (Keras's and TensorFlow's rule).
    Same,
    /// This much: `[top, bottom, left, right]`.
    Explicit([usize; 4]),
}

/// One axis of a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slide {
    /// The input's size.
    pub input: usize,
    /// The output's size: the number of window positions.
    pub output: usize,
    /// The number of taps.
    pub kernel: usize,
    /// The distance between windows.
    pub stride: usize,
    /// The distance between taps.
    pub dilation: usize,
    /// How far the first window reaches over the start.
    pub before: usize,
}

impl Slide {
    /// The input position under tap `tap` of window `out`; `None` in the padding.
    #[inline(always)]
    pub fn at(&self, out: usize, tap: usize) -> Option<usize> {
        (out * self.stride + tap * self.dilation).checked_sub(self.before).filter(|&i| i < self.input)
    }
}

/// The sliding window of a convolution or pooling over both image axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The vertical axis.
    pub h: Slide,
    /// The horizontal axis.
    pub w: Slide,
}

/// Kernel, stride, padding and dilation as a user gives them, before the input's size is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WindowSpec {
    /// `[height, width]` in taps.
    pub kernel: [usize; 2],
    /// `[vertical, horizontal]`.
    pub stride: [usize; 2],
    /// What stands around the image.
    pub padding: Padding,
    /// `[vertical, horizontal]` distance between taps.
    pub dilation: [usize; 2],
    /// Whether a last window that reaches over the end counts (PyTorch's `ceil_mode`); it must start inside.
    pub ceil: bool,
}

impl WindowSpec {
    /// Stride 1, valid, undilated.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: [1, 1], padding: Padding::Valid, dilation: [1, 1], ceil: false }
    }

    /// The window over an `h × w` image, or why there is none.
    pub fn over(&self, op: &'static str, size: [usize; 2]) -> Result<Window, ShapeError> {
        let axis = |i: usize| {
            let name = ["height", "width"][i];
            let (kernel, stride, dilation, input) = (self.kernel[i], self.stride[i], self.dilation[i], size[i]);
            if kernel == 0 || stride == 0 || dilation == 0 {
                let message = format!(
                    "kernel {kernel}, stride {stride}, dilation {dilation} of the {name}: all must be at least 1"
                );
                return Err(ShapeError::new(op, message));
            }
            let reach = (kernel - 1) * dilation + 1;
            let (before, after) = match self.padding {
                Padding::Valid => (0, 0),
                Padding::Same => {
                    let total = (input.div_ceil(stride).max(1) - 1) * stride + reach;
                    let missing = total.saturating_sub(input);
                    (missing / 2, missing - missing / 2)
                }
                Padding::Explicit(p) => (p[2 * i], p[2 * i + 1]),
            };
            let padded = input + before + after;
            if padded < reach {
                let message = format!(
                    "the window does not fit: {name} {input} with padding {before} + {after} is below the kernel's reach of {reach}"
                );
                return Err(ShapeError::new(op, message));
            }
            let room = padded - reach;
            let mut output = room / stride + 1;
            if self.ceil && room % stride != 0 && output * stride < input + before {
                output += 1;
            }
            Ok(Slide { input, output, kernel, stride, dilation, before })
        };
        Ok(Window { h: axis(0)?, w: axis(1)? })
    }
}

/// Everything that a convolution kernel needs to know. Weights are `[kh, kw, C / groups, K]`, as Keras has
/// them, whatever the data format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    /// N, the images.
    pub batch: usize,
    /// C, the channels of x.
    pub channels: usize,
    /// K, the channels of y.
    pub filters: usize,
    /// How many blocks the channels fall into; block g of y sees block g of x alone.
    pub groups: usize,
    /// The window.
    pub window: Window,
    /// The layout of x and y.
    pub format: DataFormat,
}

impl ConvGeometry {
    /// The shape of x.
    pub fn x_shape(&self) -> Shape {
        self.format.shape([self.batch, self.window.h.input, self.window.w.input, self.channels])
    }
    /// The shape of w.
    pub fn w_shape(&self) -> Shape {
        Shape::from([self.window.h.kernel, self.window.w.kernel, self.channels / self.groups, self.filters])
    }
    /// The shape of y.
    pub fn y_shape(&self) -> Shape {
        self.format.shape([self.batch, self.window.h.output, self.window.w.output, self.filters])
    }
}

/// Everything that a pooling kernel needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolGeometry {
    /// N, the images.
    pub batch: usize,
    /// C, the channels of x and y.
    pub channels: usize,
    /// The window.
    pub window: Window,
    /// The layout of x and y.
    pub format: DataFormat,
}

impl PoolGeometry {
    /// The shape of x.
    pub fn x_shape(&self) -> Shape {
        self.format.shape([self.batch, self.window.h.input, self.window.w.input, self.channels])
    }
    /// The shape of y.
    pub fn y_shape(&self) -> Shape {
        self.format.shape([self.batch, self.window.h.output, self.window.w.output, self.channels])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_is_tensorflows() {
        let spec = WindowSpec { stride: [2, 2], padding: Padding::Same, ..WindowSpec::new([3, 2]) };
        let w = spec.over("conv2d", [5, 6]).unwrap();
        assert_eq!((w.h.output, w.h.before), (3, 1));
        assert_eq!((w.w.output, w.w.before), (3, 0));
    }

    #[test]
    fn a_window_that_does_not_fit_says_why() {
        let e = WindowSpec::new([5, 5]).over("conv2d", [4, 9]).unwrap_err();
        assert!(e.to_string().contains("height 4") && e.to_string().contains("reach of 5"), "{e}");
    }

    #[test]
    fn ceil_counts_a_window_that_starts_inside() {
        let spec = WindowSpec { stride: [2, 2], ceil: true, ..WindowSpec::new([2, 2]) };
        assert_eq!(spec.over("max_pool2d", [5, 4]).unwrap().h.output, 3);
        assert_eq!(spec.over("max_pool2d", [5, 4]).unwrap().w.output, 2);
    }
}
