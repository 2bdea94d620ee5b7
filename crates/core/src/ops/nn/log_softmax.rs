//! The logarithm of softmax over the last axis: `y = x − ln Σ eˣ`, `dx = dy − eʸ · Σ dy`. Saves `y`.

use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Saves, ShapeError};

/// The logarithm of softmax over the last axis.
#[derive(Clone, Copy, Debug)]
pub struct LogSoftmax;

impl Op<1> for LogSoftmax {
    const NAME: &'static str = "log_softmax";
    const SAVES: Saves = Saves::Output;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        check::float("log_softmax", x)?;
        check::axis("log_softmax", -1, x.shape.rank())?;
        Ok(x)
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (kernels::softmax(x, true), ())
    }

    fn vjp(&self, saved: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let total = dy.sum_keepdim(-1);
        [Some(dy - saved.y().exp() * total)]
    }
}

impl Tensor {
    /// The logarithm of [`softmax`](Tensor::softmax) along `axis`, exact where the softmax itself would round
    /// to 0.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([0.0_f32, -1000.0]).log_softmax(-1).to_vec::<f32>(), [0.0, -1000.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or the dtype is not a float.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Tensor {
        let at = check::axis_or_panic("log_softmax", axis, self.rank());
        if at + 1 == self.rank() {
            return apply(LogSoftmax, [self]);
        }
        apply(LogSoftmax, [&self.transpose(axis, -1)]).transpose(axis, -1)
    }
}
