//! `y = mask ? a : b`, all three broadcast: `da = mask ? dy : 0`, `db = mask ? 0 : dy`, each summed to its operand's
//! shape. Saves the mask.

use super::check;
use crate::autograd::{Op, Saved, apply};
use crate::{Spec, Tensor, kernels};
use cotangent_base::{DType, Saves, Shape, ShapeError};

/// The choice between two operands by a mask of bools.
#[derive(Clone, Debug)]
pub struct Where {
    /// True where the first operand is meant.
    pub mask: Tensor,
}

impl Op<2> for Where {
    const NAME: &'static str = "where";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// The operands' shapes.
    type Aux = [Shape; 2];

    fn infer(&self, [a, b]: [Spec; 2]) -> Result<Spec, ShapeError> {
        let mask = self.mask.spec();
        if mask.dtype != DType::Bool {
            let message = format!("the mask wants bools, got {} {}; compare it with a number", mask.dtype, mask.shape);
            return Err(ShapeError::new("where", message));
        }
        check::same_dtype("where", a, b)?;
        let shape = check::broadcast("where", a, b)?;
        Ok(Spec { shape: check::broadcast("where", mask, Spec { shape, ..a })?, ..a })
    }

    fn forward(&self, [a, b]: [&Tensor; 2], y: Spec) -> (Tensor, [Shape; 2]) {
        let [mask, wide_a, wide_b] = [&self.mask, a, b].map(|x| x.detach().expand(y.shape));
        (kernels::select(&mask, &wide_a, &wide_b), [a.shape(), b.shape()])
    }

    fn vjp(&self, saved: Saved<2, [Shape; 2]>, dy: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [a, b] = *saved.aux;
        let zero = dy.new_full(Shape::SCALAR, 0.0);
        [
            need[0].then(|| self.mask.where_(&dy, &zero).sum_to(a)),
            need[1].then(|| self.mask.where_(&zero, &dy).sum_to(b)),
        ]
    }
}

impl Tensor {
    /// `a` where this mask of bools is true, `b` elsewhere; all three broadcast. The derivative goes to `a` and
    /// `b`; the mask is a constant to it.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([-1.0_f32, 4.0]);
    /// let y = x.gt(0.0).where_(&x, &Tensor::from([0.0_f32]));
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If this tensor is not of bools, the shapes do not broadcast, or the dtypes of `a` and `b` differ.
    #[track_caller]
    pub fn where_(&self, a: &Tensor, b: &Tensor) -> Tensor {
        apply(Where { mask: self.detach() }, [a, b])
    }
}
