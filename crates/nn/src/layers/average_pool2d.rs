//! [`AveragePool2d`]: the mean of each window.

use super::image::pool2d;
use cotangent_core::Tensor;

pool2d! {
    /// The mean of each window, channel by channel, over what lies inside the image: padding does not count.
    /// `[N, H, W, C] → [N, H′, W′, C]`. Keras's `AveragePooling2D`.
    AveragePool2d, "AveragePool2d", |x: &Tensor, window, format| x.avg_pool2d(window, format, false),
    max: false
}
