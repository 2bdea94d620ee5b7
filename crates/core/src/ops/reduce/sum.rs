//! Σ x over some axes: `dx = dy` stretched over them. Saves nothing.

use super::IntoAxes;
use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Axes, Reduce, Saves, Shape, ShapeError};

/// The sum over `axes`; they stay with size 1 if `keepdim`.
#[derive(Clone, Copy, Debug)]
pub struct Sum {
    /// The axes to sum over.
    pub axes: Axes,
    /// Whether they stay with size 1.
    pub keepdim: bool,
}

impl Op<1> for Sum {
    const NAME: &'static str = "sum";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// x's shape.
    type Aux = Shape;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        check::number("sum", x)?;
        Ok(Spec { shape: self.axes.reduce(&x.shape, self.keepdim), ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, Shape) {
        (kernels::reduce(Reduce::Sum, x, self.axes, self.keepdim), x.shape())
    }

    fn vjp(&self, saved: Saved<1, Shape>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let kept = self.axes.reduce(saved.aux, true);
        [Some(dy.reshape(kept).expand(*saved.aux))]
    }
}

impl Tensor {
    /// The sum over `axes`: `x.sum(..)` over all, `x.sum(-1)` over the last, `x.sum([0, 2])` over two.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum(..).item(), 10.0);
    /// assert_eq!(x.sum(0).to_vec::<f32>(), [4.0, 6.0]);
    /// assert_eq!(x.sum_keepdim(1).dims(), [2, 1]);
    /// ```
    #[track_caller]
    pub fn sum(&self, axes: impl IntoAxes) -> Tensor {
        self.sum_axes(axes.into_axes("sum", self.rank()), false)
    }

    /// As [`sum`](Tensor::sum), the axes staying with size 1.
    #[track_caller]
    pub fn sum_keepdim(&self, axes: impl IntoAxes) -> Tensor {
        self.sum_axes(axes.into_axes("sum", self.rank()), true)
    }

    #[track_caller]
    pub(crate) fn sum_axes(&self, axes: Axes, keepdim: bool) -> Tensor {
        apply(Sum { axes, keepdim }, [self])
    }
}
