//! A convolution and the max pooling behind it in one: `y = max_pool2d(conv2d(x, w, b))`, without the images between
//! the two. Of the convolution's results the pooling lets through one for each window, so `dx` and `dw` are sums over the
//! winners alone; `db = Σ dy`. Saves `x`, `w` and which tap of each window won.

use super::conv2d::Conv2dSpec;
use super::max_pool2d::MaxPool2dDx;
use super::rectified::Rectify;
use super::{apply_to, pool_geometry};
use crate::autograd::{Op, Saved, apply, is_tracking};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{ConvGeometry, PoolGeometry, Saves, ShapeError, WindowSpec};

/// The convolution with max pooling: operands x and w, or x, w and a bias.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dMaxPool2d {
    /// The convolution.
    pub conv: Conv2dSpec,
    /// The pooling's kernel size, stride, padding, dilation.
    pub window: WindowSpec,
}

/// The geometries of both, and the winning taps.
pub struct Winners {
    conv: ConvGeometry,
    pool: PoolGeometry,
    taps: Tensor,
}

impl Conv2dMaxPool2d {
    fn geometry(&self, x: Spec, w: Spec) -> Result<(ConvGeometry, PoolGeometry), ShapeError> {
        let conv = self.conv.geometry(x, w)?;
        let pool = pool_geometry("max_pool2d", &self.window, self.conv.format, Spec { shape: conv.y_shape(), ..x })?;
        Ok((conv, pool))
    }

    fn compute(&self, x: &Tensor, w: &Tensor, b: Option<&Tensor>, relu: bool) -> (Tensor, Winners) {
        let (conv, pool) = self.geometry(x.spec(), w.spec()).expect("infer has checked");
        let (y, taps) = kernels::conv2d_max_pool2d(x, w, b, relu, &conv, &pool);
        (y, Winners { conv, pool, taps })
    }

    fn cotangents(&self, [x, w]: [&Tensor; 2], aux: &Winners, dy: &Tensor, need: [bool; 3]) -> [Option<Tensor>; 3] {
        let Winners { conv, pool, taps } = aux;
        if is_tracking() {
            // to be differentiated in turn: by the rules of the two ops
            let dz = apply(MaxPool2dDx { taps: taps.clone(), geometry: *pool }, [dy]);
            let [dx, dw] = self.conv.cotangents(x, w, &dz, [need[0], need[1]]);
            return [dx, dw, need[2].then(|| dy.sum(self.conv.pixels()))];
        }
        kernels::conv2d_max_pool2d_vjp([x, w], [dy, taps], conv, pool, need)
    }
}

impl Op<2> for Conv2dMaxPool2d {
    const NAME: &'static str = "conv2d_max_pool2d";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = Winners;

    fn infer(&self, [x, w]: [Spec; 2]) -> Result<Spec, ShapeError> {
        Ok(Spec { shape: self.geometry(x, w)?.1.y_shape(), ..x })
    }

    fn forward(&self, [x, w]: [&Tensor; 2], _: Spec) -> (Tensor, Winners) {
        self.compute(x, w, None, false)
    }

    fn vjp(&self, saved: Saved<2, Winners>, dy: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [dx, dw, _] = self.cotangents(saved.x(), saved.aux, &dy, [need[0], need[1], false]);
        [dx, dw]
    }
}

impl Op<3> for Conv2dMaxPool2d {
    const NAME: &'static str = "conv2d_max_pool2d";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = Winners;

    fn infer(&self, [x, w, b]: [Spec; 3]) -> Result<Spec, ShapeError> {
        let y = Op::<2>::infer(self, [x, w])?;
        check::bias("conv2d", b, w)?;
        Ok(y)
    }

    fn forward(&self, [x, w, b]: [&Tensor; 3], _: Spec) -> (Tensor, Winners) {
        self.compute(x, w, Some(b), false)
    }

    fn vjp(&self, saved: Saved<3, Winners>, dy: Tensor, need: [bool; 3]) -> [Option<Tensor>; 3] {
        let [x, w, _] = saved.x();
        self.cotangents([x, w], saved.aux, &dy, need)
    }
}

/// The cotangents with a ReLU behind, whose result is y.
fn rectified_cotangents(
    x: [&Tensor; 2],
    [y, dy]: [&Tensor; 2],
    aux: &Winners,
    need: [bool; 3],
) -> Option<[Option<Tensor>; 3]> {
    let Winners { conv, pool, taps } = aux;
    (!is_tracking()).then(|| kernels::conv2d_max_pool2d_relu_vjp(x, [y, dy, taps], conv, pool, need)).flatten()
}

impl Rectify<2> for Conv2dMaxPool2d {
    const RECTIFIED: &'static str = "conv2d_max_pool2d_relu";

    fn rectified(&self, [x, w]: [&Tensor; 2], _: Spec) -> (Tensor, Winners) {
        self.compute(x, w, None, true)
    }

    fn fused_vjp(&self, saved: &Saved<2, Winners>, dy: &Tensor, need: [bool; 2]) -> Option<[Option<Tensor>; 2]> {
        let need = [need[0], need[1], false];
        rectified_cotangents(saved.x(), [saved.y(), dy], saved.aux, need).map(|[dx, dw, _]| [dx, dw])
    }
}

impl Rectify<3> for Conv2dMaxPool2d {
    const RECTIFIED: &'static str = "conv2d_max_pool2d_relu";

    fn rectified(&self, [x, w, b]: [&Tensor; 3], _: Spec) -> (Tensor, Winners) {
        self.compute(x, w, Some(b), true)
    }

    fn fused_vjp(&self, saved: &Saved<3, Winners>, dy: &Tensor, need: [bool; 3]) -> Option<[Option<Tensor>; 3]> {
        let [x, w, _] = saved.x();
        rectified_cotangents([x, w], [saved.y(), dy], saved.aux, need)
    }
}

impl Tensor {
    /// [`max_pool2d`](Tensor::max_pool2d) over `window` of the [convolution](Tensor::conv2d), faster and in less memory
    /// than one after the other. A ReLU between the two may as well come after: the greatest stays the greatest. With
    /// one, [`conv2d_max_pool2d_relu`](Tensor::conv2d_max_pool2d_relu) is faster still.
    ///
    /// ```
    /// # use cotangent_core::{Conv2dSpec, Tensor, WindowSpec};
    /// let (x, w) = (Tensor::ones([1, 6, 6, 3]), Tensor::ones([3, 3, 3, 8]));
    /// let (conv, two) = (Conv2dSpec::new(WindowSpec::new([3, 3])), WindowSpec { stride: [2, 2], ..WindowSpec::new([2, 2]) });
    /// let y = x.conv2d_max_pool2d(&w, None, &conv, &two);
    /// assert_eq!(y.dims(), [1, 2, 2, 8]);
    /// assert_eq!(y.to_vec::<f32>(), x.conv2d(&w, None, &conv).max_pool2d(&two, conv.format).to_vec::<f32>());
    /// ```
    ///
    /// # Panics
    /// If the shapes or dtypes do not fit, or a window does not fit into its image.
    #[track_caller]
    pub fn conv2d_max_pool2d(&self, w: &Tensor, b: Option<&Tensor>, conv: &Conv2dSpec, window: &WindowSpec) -> Tensor {
        apply_to(Conv2dMaxPool2d { conv: *conv, window: *window }, self, w, b)
    }
}
