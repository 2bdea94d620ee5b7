//! A ReLU at the end of another op, in the pass that computes it: `y = max(f(x), 0)`, the cotangents of f from
//! `dy · [y > 0]`. Saves `y` and what f saves.

use super::{Conv2d, Conv2dMaxPool2d, Conv2dSpec, Linear, apply_to};
use crate::autograd::{Op, Saved};
use crate::ops::pointwise::vjp_from_result;
use crate::ops::unary::Relu;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Forward1, Saves, ShapeError, WindowSpec};

/// An op that can end in a ReLU.
pub trait Rectify<const N: usize>: Op<N> {
    /// The name of the two together.
    const RECTIFIED: &'static str;

    /// [`forward`](Op::forward), with 0 for what is below it.
    fn rectified(&self, x: [&Tensor; N], y: Spec) -> (Tensor, Self::Aux);

    /// The cotangents from that of the ReLU's result, if there is a faster way than first the ReLU's rule and then
    /// [`vjp`](Op::vjp). The result is saved.
    fn fused_vjp(&self, saved: &Saved<N, Self::Aux>, dy: &Tensor, need: [bool; N]) -> Option<[Option<Tensor>; N]> {
        let _ = (saved, dy, need);
        None
    }
}

/// The op with a ReLU at its end.
#[derive(Clone, Copy, Debug)]
pub struct Rectified<O>(pub O);

impl<const N: usize, O: Rectify<N>> Op<N> for Rectified<O> {
    const NAME: &'static str = O::RECTIFIED;
    const SAVES: Saves = if O::SAVES.inputs() { Saves::Both } else { Saves::Output };
    const SECOND_ORDER: bool = O::SECOND_ORDER;
    type Aux = O::Aux;

    fn infer(&self, x: [Spec; N]) -> Result<Spec, ShapeError> {
        self.0.infer(x)
    }

    fn forward(&self, x: [&Tensor; N], y: Spec) -> (Tensor, O::Aux) {
        self.0.rectified(x, y)
    }

    fn vjp(&self, saved: Saved<N, O::Aux>, dy: Tensor, need: [bool; N]) -> [Option<Tensor>; N] {
        if let Some(cotangents) = self.0.fused_vjp(&saved, &dy, need) {
            return cotangents;
        }
        let dz = vjp_from_result(Relu, saved.y(), dy);
        self.0.vjp(saved, dz, need)
    }
}

/// `max(y, 0)` outside any graph, in y's memory if nobody else holds that.
pub(super) fn rectified(y: Tensor) -> Tensor {
    kernels::map_over(Forward1(Relu), [None], y)
}

impl Tensor {
    /// [`relu`](Tensor::relu) of the [convolution](Tensor::conv2d), in one pass.
    ///
    /// ```
    /// # use cotangent_core::{Conv2dSpec, Tensor, WindowSpec};
    /// let (x, w) = (Tensor::ones([1, 3, 3, 1]), Tensor::full([3, 3, 1, 2], -1.0, cotangent_core::DType::F32));
    /// let y = x.conv2d_relu(&w, None, &Conv2dSpec::new(WindowSpec::new([3, 3])));
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// As [`conv2d`](Tensor::conv2d).
    #[track_caller]
    pub fn conv2d_relu(&self, w: &Tensor, b: Option<&Tensor>, spec: &Conv2dSpec) -> Tensor {
        apply_to(Rectified(Conv2d(*spec)), self, w, b)
    }

    /// [`relu`](Tensor::relu) of [`conv2d_max_pool2d`](Tensor::conv2d_max_pool2d), in one pass.
    ///
    /// # Panics
    /// As [`conv2d_max_pool2d`](Tensor::conv2d_max_pool2d).
    #[track_caller]
    pub fn conv2d_max_pool2d_relu(
        &self,
        w: &Tensor,
        b: Option<&Tensor>,
        conv: &Conv2dSpec,
        window: &WindowSpec,
    ) -> Tensor {
        apply_to(Rectified(Conv2dMaxPool2d { conv: *conv, window: *window }), self, w, b)
    }

    /// [`relu`](Tensor::relu) of the [affine map](Tensor::linear), in one op.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let w = Tensor::from([[1.0_f32, -2.0], [3.0, -4.0]]);
    /// assert_eq!(Tensor::from([[1.0_f32, 1.0]]).linear_relu(&w, None).to_vec::<f32>(), [4.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// As [`linear`](Tensor::linear).
    #[track_caller]
    pub fn linear_relu(&self, w: &Tensor, b: Option<&Tensor>) -> Tensor {
        apply_to(Rectified(Linear), self, w, b)
    }
}
