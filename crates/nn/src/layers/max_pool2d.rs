//! [`MaxPool2d`]: the greatest element of each window.

use super::image::pool2d;
use cotangent_core::Tensor;

pool2d! {
    /// The greatest element of each window, channel by channel: `[N, H, W, C] → [N, H′, W′, C]`. Keras's
    /// `MaxPooling2D`.
    ///
    /// ```
    /// use cotangent_core::Rng;
    /// use cotangent_nn::{Build, Layer, MaxPool2d};
    /// let mut rng = Rng::new(0);
    /// let output = MaxPool2d::new((2, 2)).build([24, 24, 64].into(), &mut Build::new(&mut rng))?;
    /// assert_eq!(*output, [12, 12, 64]);
    /// # Ok::<(), cotangent_core::Error>(())
    /// ```
    MaxPool2d, "MaxPool2d", |x: &Tensor, window, format| x.max_pool2d(window, format),
    max: true
}
