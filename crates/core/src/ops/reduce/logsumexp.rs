//! ln Σ eˣ over some axes: `dx = dy · e^(x − y)`. Saves `x`, `y`.

use super::IntoAxes;
use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor};
use cotangent_base::{Axes, Saves, Shape, ShapeError};

/// ln Σ eˣ over `axes`.
#[derive(Clone, Copy, Debug)]
pub struct LogSumExp {
    /// The axes to sum over.
    pub axes: Axes,
    /// Whether they stay with size 1.
    pub keepdim: bool,
}

impl Op<1> for LogSumExp {
    const NAME: &'static str = "logsumexp";
    const SAVES: Saves = Saves::Both;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        check::float("logsumexp", x)?;
        check::some("logsumexp", x, self.axes)?;
        Ok(Spec { shape: self.axes.reduce(&x.shape, self.keepdim), ..x })
    }

    /// The greatest element is taken out first, so that nothing overflows.
    fn forward(&self, [x]: [&Tensor; 1], y: Spec) -> (Tensor, ()) {
        let x = x.detach();
        let top = finite_or_zero(&x.max_keepdim(self.axes));
        let sum = (&x - &top).exp().sum_axes(self.axes, true);
        ((sum.ln() + top).reshape(y.shape), ())
    }

    fn vjp(&self, saved: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let [x] = saved.x();
        let kept = self.axes.reduce(&x.shape(), true);
        let y = finite_or_zero(&saved.y().reshape(kept));
        [Some((x - y).exp() * dy.reshape(kept))]
    }
}

/// ±∞ − ±∞ would be NaN.
fn finite_or_zero(x: &Tensor) -> Tensor {
    let zero = x.new_full(Shape::SCALAR, 0.0);
    (x.is_finite() | x.is_nan()).where_(x, &zero)
}

impl Tensor {
    /// `ln Σ eˣ` over `axes`, for numbers of any size.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let y = Tensor::from([1000.0_f64, 1000.0]).logsumexp(..).item();
    /// assert_eq!(y, 1000.0 + 2.0_f64.ln());
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, one of them has no elements, or the dtype is not a float.
    #[track_caller]
    pub fn logsumexp(&self, axes: impl IntoAxes) -> Tensor {
        apply(LogSumExp { axes: axes.into_axes("logsumexp", self.rank()), keepdim: false }, [self])
    }

    /// As [`logsumexp`](Tensor::logsumexp), the axes staying with size 1.
    #[track_caller]
    pub fn logsumexp_keepdim(&self, axes: impl IntoAxes) -> Tensor {
        apply(LogSumExp { axes: axes.into_axes("logsumexp", self.rank()), keepdim: true }, [self])
    }
}
