//! The mean over each window of an image: `dx` spreads dy evenly over the window. Saves nothing.

use super::pool_geometry;
use crate::autograd::{Op, Saved, apply};
use crate::{Spec, Tensor, kernels};
use cotangent_base::{DataFormat, PoolGeometry, Saves, ShapeError, WindowSpec};

/// The mean over each window.
#[derive(Clone, Copy, Debug)]
pub struct AvgPool2d {
    /// Kernel size, stride, padding.
    pub window: WindowSpec,
    /// Which axis is the channel.
    pub format: DataFormat,
    /// Whether padding counts in the divisor.
    pub count_padding: bool,
}

impl Op<1> for AvgPool2d {
    const NAME: &'static str = "avg_pool2d";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    type Aux = PoolGeometry;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        let geometry = pool_geometry("avg_pool2d", &self.window, self.format, x)?;
        Ok(Spec { shape: geometry.y_shape(), ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, PoolGeometry) {
        let geometry = pool_geometry("avg_pool2d", &self.window, self.format, x.spec()).expect("infer has checked");
        (kernels::avg_pool2d(x, &geometry, self.count_padding), geometry)
    }

    fn vjp(&self, saved: Saved<1, PoolGeometry>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(apply(AvgPool2dDx { pool: *self, geometry: *saved.aux }, [&dy]))]
    }
}

/// The transpose of [`AvgPool2d`]: `dy → dx`.
struct AvgPool2dDx {
    pool: AvgPool2d,
    geometry: PoolGeometry,
}

impl Op<1> for AvgPool2dDx {
    const NAME: &'static str = "avg_pool2d_dx";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [dy]: [Spec; 1]) -> Result<Spec, ShapeError> {
        Ok(Spec { shape: self.geometry.x_shape(), ..dy })
    }

    fn forward(&self, [dy]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (kernels::avg_pool2d_dx(dy, &self.geometry, self.pool.count_padding), ())
    }

    fn vjp(&self, _: Saved<1, ()>, g: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(apply(self.pool, [&g]))]
    }
}

impl Tensor {
    /// The mean over each window of the images. Padding counts in the divisor only if `count_padding`; Keras's
    /// does not, PyTorch's does by default.
    ///
    /// ```
    /// # use cotangent_core::{DataFormat, Tensor, WindowSpec};
    /// let x = Tensor::from([1.0_f32, 2.0, 3.0, 4.0]).reshape([1, 2, 2, 1]);
    /// let y = x.avg_pool2d(&WindowSpec::new([2, 2]), DataFormat::ChannelsLast, false);
    /// assert_eq!(y.item(), 2.5);
    /// ```
    ///
    /// # Panics
    /// If the tensor does not have four axes, or the window does not fit into the image.
    #[track_caller]
    pub fn avg_pool2d(&self, window: &WindowSpec, format: DataFormat, count_padding: bool) -> Tensor {
        apply(AvgPool2d { window: *window, format, count_padding }, [self])
    }
}
