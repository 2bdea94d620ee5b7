//! What the layers over images share: the check of their input, the builder of the pooling layers.

use cotangent_core::{DataFormat, Error, Result, Shape, WindowSpec};

/// `[H, W, C]` of an image's shape.
pub(super) fn sizes(kind: &'static str, input: Shape, format: DataFormat) -> Result<[usize; 3]> {
    let wanted = match format {
        DataFormat::ChannelsLast => "[N, H, W, C]",
        DataFormat::ChannelsFirst => "[N, C, H, W]",
    };
    if input.rank() == 3 {
        let [_, h, w, c] = format.nhwc(&input.inserted(0, 1));
        return Ok([h, w, c]);
    }
    let hint = match input.rank() {
        2 => "add an axis for the channel: `x.unsqueeze(-1)` makes [N, H, W, 1]",
        _ => "reshape it to images: `.add(Reshape::new([height, width, channels]))` before this layer",
    };
    Err(Error::new(kind, format!("input {} has {} axes, wants {wanted}", input.of_batch(), input.rank() + 1))
        .hint(hint))
}

/// The shape (without the batch axis) of what sliding windows make of an image `[H, W, _]`, with `channels`.
pub(super) fn slide(
    kind: &'static str,
    spec: &WindowSpec,
    [h, w]: [usize; 2],
    channels: usize,
    format: DataFormat,
) -> Result<Shape> {
    let hint = "pad with `.padding(Padding::Same)`, take a smaller window, or put fewer layers that shrink before";
    let window = spec.over(kind, [h, w]).map_err(|e| Error::from(e).hint(hint))?;
    Ok(format.shape([1, window.h.output, window.w.output, channels]).without(0))
}

/// A pooling layer: `$Pool2d`, whose `call` is `$pool(x, spec, format)`; whether it is the max pooling.
macro_rules! pool2d {
    ($(#[$doc:meta])* $Pool2d:ident, $kind:literal, $pool:expr, max: $max:literal) => {
        $(#[$doc])*
        pub struct $Pool2d {
            window: cotangent_core::WindowSpec,
            format: cotangent_core::DataFormat,
        }

        impl $Pool2d {
            /// Over windows of `size`, `(height, width)`, that do not overlap.
            pub fn new(size: (usize, usize)) -> Self {
                let size = [size.0, size.1];
                let window = cotangent_core::WindowSpec { stride: size, ..cotangent_core::WindowSpec::new(size) };
                Self { window, format: cotangent_core::DataFormat::default() }
            }

            /// The distance between windows, `(vertical, horizontal)`. Default: the window's size.
            pub fn strides(mut self, strides: (usize, usize)) -> Self {
                self.window.stride = [strides.0, strides.1];
                self
            }

            /// What stands around the image. Default: nothing (`Valid`).
            pub fn padding(mut self, padding: cotangent_core::Padding) -> Self {
                self.window.padding = padding;
                self
            }

            /// Which axis is the channel. Default: the last.
            pub fn data_format(mut self, format: cotangent_core::DataFormat) -> Self {
                self.format = format;
                self
            }
        }

        impl $crate::Layer for $Pool2d {
            fn kind(&self) -> &'static str {
                $kind
            }

            fn build(
                &mut self,
                input: cotangent_core::Shape,
                _: &mut $crate::Build,
            ) -> cotangent_core::Result<cotangent_core::Shape> {
                let [h, w, c] = $crate::layers::image::sizes($kind, input, self.format)?;
                $crate::layers::image::slide($kind, &self.window, [h, w], c, self.format)
            }

            fn call(&self, x: &cotangent_core::Tensor, _: &mut $crate::Pass) -> cotangent_core::Tensor {
                let pool: fn(&_, &_, _) -> _ = $pool;
                pool(x, &self.window, self.format)
            }

            fn image_format(&self) -> Option<cotangent_core::DataFormat> {
                Some(self.format)
            }

            fn max_pooling(&self) -> Option<$crate::MaxPooling> {
                $max.then_some($crate::MaxPooling { window: self.window, format: self.format })
            }
        }
    };
}
pub(super) use pool2d;
