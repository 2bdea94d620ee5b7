//! The greatest element of each window of an image: `dx` is dy in that element's place (the first of equals),
//! summed where windows overlap. Saves which tap of each window won.

use super::pool_geometry;
use crate::autograd::{Op, Saved, apply};
use crate::{Spec, Tensor, kernels};
use cotangent_base::{DataFormat, PoolGeometry, Saves, Shape, ShapeError, WindowSpec};

/// The greatest element of each window.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool2d {
    /// Kernel size, stride, padding, dilation.
    pub window: WindowSpec,
    /// Which axis is the channel.
    pub format: DataFormat,
}

impl Op<1> for MaxPool2d {
    const NAME: &'static str = "max_pool2d";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// The winning taps, and the geometry.
    type Aux = (Tensor, PoolGeometry);

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        let geometry = pool_geometry("max_pool2d", &self.window, self.format, x)?;
        Ok(Spec { shape: geometry.y_shape(), ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, Self::Aux) {
        let geometry = pool_geometry("max_pool2d", &self.window, self.format, x.spec()).expect("infer has checked");
        let (y, taps) = kernels::max_pool2d(x, &geometry);
        (y, (taps, geometry))
    }

    fn vjp(&self, saved: Saved<1, Self::Aux>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let (taps, geometry) = saved.aux.clone();
        [Some(apply(MaxPool2dDx { taps, geometry }, [&dy]))]
    }
}

/// `dy → dx` for given taps: a linear op, whose transpose picks the winners' places out of `g`.
pub(super) struct MaxPool2dDx {
    pub taps: Tensor,
    pub geometry: PoolGeometry,
}

impl Op<1> for MaxPool2dDx {
    const NAME: &'static str = "max_pool2d_dx";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [dy]: [Spec; 1]) -> Result<Spec, ShapeError> {
        Ok(Spec { shape: self.geometry.x_shape(), ..dy })
    }

    fn forward(&self, [dy]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (kernels::max_pool2d_dx(dy, &self.taps, &self.geometry), ())
    }

    fn vjp(&self, _: Saved<1, ()>, g: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let picked = self.flat(&g).gather(self.pixel_axis(), &self.flat(&self.winners()));
        [Some(picked.reshape(self.geometry.y_shape()))]
    }
}

impl MaxPool2dDx {
    /// An image tensor with its two image axes as one.
    fn flat(&self, x: &Tensor) -> Tensor {
        let [n, h, w, c] = self.geometry.format.nhwc(&x.shape());
        x.reshape(match self.geometry.format {
            DataFormat::ChannelsLast => [n, h * w, c],
            DataFormat::ChannelsFirst => [n, c, h * w],
        })
    }

    fn pixel_axis(&self) -> isize {
        if self.geometry.format == DataFormat::ChannelsLast { 1 } else { 2 }
    }

    /// The pixel `row·W + column` of x that won each window, in the shape of y.
    fn winners(&self) -> Tensor {
        let (window, shape) = (self.geometry.window, self.geometry.y_shape());
        let pixel = |(i, &tap): (usize, &u32)| {
            let (row, column) = position(i, &shape, self.geometry.format);
            let (down, right) = (tap as usize / window.w.kernel, tap as usize % window.w.kernel);
            let inside = "padding never wins";
            let (h, w) = (window.h.at(row, down).expect(inside), window.w.at(column, right).expect(inside));
            (h * window.w.input + w) as i64
        };
        let pixels: Vec<i64> = self.taps.to_vec::<u32>().iter().enumerate().map(pixel).collect();
        crate::kernels::upload(&self.taps.device(), &pixels, shape).unwrap_or_else(|e| panic!("{e}"))
    }
}

/// Row and column of element `i`, row-major, of an image tensor.
fn position(i: usize, shape: &Shape, format: DataFormat) -> (usize, usize) {
    let [_, h, w, c] = format.nhwc(shape);
    let pixel = match format {
        DataFormat::ChannelsLast => i / c,
        DataFormat::ChannelsFirst => i,
    };
    (pixel / w % h, pixel % w)
}

impl Tensor {
    /// The greatest element of each window of the images; NaN if there is one in the window. Padding never wins.
    ///
    /// ```
    /// # use cotangent_core::{DataFormat, Tensor, WindowSpec};
    /// let x = Tensor::from([1.0_f32, 5.0, 3.0, 4.0]).reshape([1, 2, 2, 1]);
    /// let y = x.max_pool2d(&WindowSpec::new([2, 2]), DataFormat::ChannelsLast);
    /// assert_eq!(y.item(), 5.0);
    /// ```
    ///
    /// # Panics
    /// If the tensor does not have four axes, or the window does not fit into the image.
    #[track_caller]
    pub fn max_pool2d(&self, window: &WindowSpec, format: DataFormat) -> Tensor {
        apply(MaxPool2d { window: *window, format }, [self])
    }
}
