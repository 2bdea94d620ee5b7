//! Another dtype: `y = x as dtype`; between floats `dx = dy as x's dtype`. Shape: any → same. Saves nothing.

use crate::autograd::{Op, Saved, apply, barrier};
use crate::{Spec, Tensor, kernels};
use cotangent_base::{DType, Saves, ShapeError};

/// Conversion between floats, which has a derivative.
#[derive(Clone, Copy, Debug)]
pub struct Cast(pub DType);

impl Op<1> for Cast {
    const NAME: &'static str = "cast";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// The dtype that the cotangent goes back to.
    type Aux = DType;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        Ok(Spec { dtype: self.0, ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, DType) {
        (kernels::cast(x, self.0), x.dtype())
    }

    fn vjp(&self, saved: Saved<1, DType>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(dy.cast(*saved.aux))]
    }
}

impl Tensor {
    /// The elements as `dtype`, as Rust's `as` does: float to integer truncates and saturates, NaN becomes 0; to
    /// bool is `x ≠ 0`. Between floats it has a derivative; into and out of integers it has none.
    ///
    /// ```
    /// # use cotangent_core::{DType, Tensor};
    /// let x = Tensor::from([-1.5_f32, 2.9, 300.0]);
    /// assert_eq!(x.cast(DType::I64).to_vec::<i64>(), [-1, 2, 300]);
    /// assert_eq!(x.cast(DType::U8).to_vec::<u8>(), [0, 2, 255]);
    /// ```
    #[track_caller]
    pub fn cast(&self, dtype: DType) -> Tensor {
        if dtype == self.dtype() {
            self.clone()
        } else if dtype.is_float() && self.dtype().is_float() {
            apply(Cast(dtype), [self])
        } else {
            barrier("cast", &[self], || kernels::cast(self, dtype))
        }
    }
}
