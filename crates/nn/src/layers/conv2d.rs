//! [`Conv2d`]: the convolution of images with learned filters.

use super::weights::{Weights, weight_options};
use super::{image, params};
use crate::{Activation, Behind, Build, Layer, Pass};
use cotangent_core::{Conv2dSpec, DataFormat, Error, Padding, Result, Shape, Tensor, WindowSpec};

/// `y = activation(x ∗ kernel + bias)`: `[N, H, W, C] → [N, H′, W′, filters]`, kernel
/// `[kh, kw, C / groups, filters]` in either data format, bias `[filters]`.
///
/// ```
/// use cotangent_core::Rng;
/// use cotangent_nn::{Activation::Relu, Build, Conv2d, Layer};
/// let mut conv = Conv2d::new(32, (3, 3)).activation(Relu);
/// let output = conv.build([28, 28, 1].into(), &mut Build::new(&mut Rng::new(0)))?;
/// assert_eq!(*output, [26, 26, 32]);
/// assert_eq!(conv.params().iter().map(|p| p.value.count()).sum::<usize>(), 320);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
pub struct Conv2d {
    filters: usize,
    spec: Conv2dSpec,
    weights: Weights,
}

impl Conv2d {
    /// With `filters` outputs for each position of a window of `kernel`, `(height, width)`: stride 1, no padding,
    /// linear, a Glorot-uniform kernel and a bias of zeros.
    pub fn new(filters: usize, kernel: (usize, usize)) -> Self {
        let window = WindowSpec::new([kernel.0, kernel.1]);
        Self {
            filters,
            spec: Conv2dSpec { window, groups: 1, format: DataFormat::default() },
            weights: Weights::default(),
        }
    }

    /// The distance between windows, `(vertical, horizontal)`. Default: 1.
    pub fn strides(mut self, strides: (usize, usize)) -> Self {
        self.spec.window.stride = [strides.0, strides.1];
        self
    }

    /// What stands around the image. Default: nothing (`Valid`).
    pub fn padding(mut self, padding: Padding) -> Self {
        self.spec.window.padding = padding;
        self
    }

    /// The distance between the taps of a window, `(vertical, horizontal)`. Default: 1.
    pub fn dilation(mut self, dilation: (usize, usize)) -> Self {
        self.spec.window.dilation = [dilation.0, dilation.1];
        self
    }

    /// How many blocks the channels fall into; each filter sees one block alone. Default: 1.
    pub fn groups(mut self, groups: usize) -> Self {
        self.spec.groups = groups;
        self
    }

    /// Which axis is the channel. Default: the last.
    pub fn data_format(mut self, format: DataFormat) -> Self {
        self.spec.format = format;
        self
    }

    fn check_channels(&self, channels: usize) -> Result<()> {
        let (filters, groups) = (self.filters, self.spec.groups);
        if filters == 0 {
            return Err(Error::new("Conv2d", "0 filters").hint("give at least one: `Conv2d::new(32, (3, 3))`"));
        }
        if groups == 0 || !channels.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
            let message = format!("{groups} groups of {channels} input channels and {filters} filters");
            return Err(Error::new("Conv2d", message).hint("groups must divide both numbers"));
        }
        Ok(())
    }
}

weight_options!(Conv2d);

impl Layer for Conv2d {
    fn kind(&self) -> &'static str {
        "Conv2d"
    }

    fn build(&mut self, input: Shape, build: &mut Build) -> Result<Shape> {
        let Conv2dSpec { window, groups, format } = self.spec;
        let [h, w, channels] = image::sizes("Conv2d", input, format)?;
        self.check_channels(channels)?;
        let output = image::slide("Conv2d", &window, [h, w], self.filters, format)?;
        let [kh, kw] = window.kernel;
        self.weights.build([kh, kw, channels / groups, self.filters], build);
        Ok(output)
    }

    fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
        let (kernel, bias) = self.weights.values("Conv2d");
        x.conv2d(kernel, bias, &self.spec)
    }

    fn call_with(&self, x: &Tensor, behind: &Behind, _: &mut Pass) -> Option<Tensor> {
        let ((kernel, bias), spec) = (self.weights.values("Conv2d"), &self.spec);
        match *behind {
            Behind { affine: Some(_), .. } => None,
            Behind { pooling: None, .. } => Some(x.conv2d_relu(kernel, bias, spec)),
            Behind { pooling: Some(pooling), .. } if pooling.format != spec.format => None,
            Behind { pooling: Some(pooling), relu: true, .. } => {
                Some(x.conv2d_max_pool2d_relu(kernel, bias, spec, &pooling.window))
            }
            Behind { pooling: Some(pooling), relu: false, .. } => {
                Some(x.conv2d_max_pool2d(kernel, bias, spec, &pooling.window))
            }
        }
    }

    fn activation(&self) -> Activation {
        self.weights.activation
    }

    fn image_format(&self) -> Option<DataFormat> {
        Some(self.spec.format)
    }

    params!(weights.kernel, weights.bias);
}
