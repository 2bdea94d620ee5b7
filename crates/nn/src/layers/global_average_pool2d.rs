//! [`GlobalAveragePool2d`]: the mean of each channel over the image.

use super::image;
use crate::{Build, Layer, Pass};
use cotangent_core::{DataFormat, Result, Shape, Tensor};

/// The mean of each channel over the whole image: `[N, H, W, C] → [N, C]`. Keras's `GlobalAveragePooling2D`.
#[derive(Default)]
pub struct GlobalAveragePool2d {
    format: DataFormat,
}

impl GlobalAveragePool2d {
    /// Over channels-last images.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which axis is the channel. Default: the last.
    pub fn data_format(mut self, format: DataFormat) -> Self {
        self.format = format;
        self
    }
}

impl Layer for GlobalAveragePool2d {
    fn kind(&self) -> &'static str {
        "GlobalAveragePool2d"
    }

    fn build(&mut self, input: Shape, _: &mut Build) -> Result<Shape> {
        let [_, _, c] = image::sizes(self.kind(), input, self.format)?;
        Ok(Shape::from([c]))
    }

    fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
        match self.format {
            DataFormat::ChannelsLast => x.mean([1, 2]),
            DataFormat::ChannelsFirst => x.mean([2, 3]),
        }
    }

    fn image_format(&self) -> Option<DataFormat> {
        Some(self.format)
    }
}
