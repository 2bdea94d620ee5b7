//! Softmax over the last axis: `y = eˣ / Σ eˣ`, `dx = y·(dy − Σ dy·y)`. Saves `y`.

use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Saves, ShapeError};

/// Softmax over the last axis.
#[derive(Clone, Copy, Debug)]
pub struct Softmax;

impl Op<1> for Softmax {
    const NAME: &'static str = "softmax";
    const SAVES: Saves = Saves::Output;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        check::float("softmax", x)?;
        check::axis("softmax", -1, x.shape.rank())?;
        Ok(x)
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (kernels::softmax(x, false), ())
    }

    fn vjp(&self, saved: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let y = saved.y();
        let mean = dy.mul(y).sum_keepdim(-1);
        [Some((dy - mean).mul(y))]
    }
}

impl Tensor {
    /// Softmax along `axis`: positive numbers that sum to 1. Exact for numbers of any size, since the greatest is
    /// subtracted first.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1000.0_f32, 1000.0]).softmax(-1).to_vec::<f32>(), [0.5, 0.5]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or the dtype is not a float.
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Tensor {
        let at = check::axis_or_panic("softmax", axis, self.rank());
        if at + 1 == self.rank() {
            return apply(Softmax, [self]);
        }
        apply(Softmax, [&self.transpose(axis, -1)]).transpose(axis, -1)
    }
}
