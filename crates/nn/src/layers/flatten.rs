//! [`Flatten`]: each sample as one row.

use crate::{Build, Layer, Pass};
use cotangent_core::{DataFormat, Result, Shape, Tensor};

/// All axes but the first as one: `[N, H, W, C] → [N, H·W·C]`.
pub struct Flatten;

impl Flatten {
    /// For images in this format. Channels-first ones come out in channels-last order, as in Keras, so that the
    /// weights of the layer behind fit models of both formats.
    pub fn data_format(self, format: DataFormat) -> FlattenImages {
        FlattenImages { format }
    }
}

impl Layer for Flatten {
    fn kind(&self) -> &'static str {
        "Flatten"
    }

    fn build(&mut self, input: Shape, _: &mut Build) -> Result<Shape> {
        Ok(Shape::from([input.count()]))
    }

    fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
        if x.rank() == 1 { x.unsqueeze(1) } else { x.flatten(1) }
    }
}

/// [`Flatten`] that knows which axis is the channel, made by [`Flatten::data_format`].
pub struct FlattenImages {
    format: DataFormat,
}

impl Layer for FlattenImages {
    fn kind(&self) -> &'static str {
        "Flatten"
    }

    fn build(&mut self, input: Shape, build: &mut Build) -> Result<Shape> {
        Flatten.build(input, build)
    }

    fn call(&self, x: &Tensor, pass: &mut Pass) -> Tensor {
        if self.format == DataFormat::ChannelsLast || x.rank() < 3 {
            return Flatten.call(x, pass);
        }
        let order: Vec<isize> = std::iter::once(0).chain(2..x.rank() as isize).chain([1]).collect();
        Flatten.call(&x.permute(&order), pass)
    }

    fn image_format(&self) -> Option<DataFormat> {
        Some(self.format)
    }
}
