//! A constant around a tensor: `dx` is dy without its border. Saves nothing.

use crate::autograd::{Op, Saved, apply};
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Layout, Saves, Shape, ShapeError};

/// `value` around x: so much before and after each axis.
#[derive(Clone, Debug)]
pub struct Pad {
    /// `(before, after)` of each axis.
    pub amounts: Vec<(usize, usize)>,
    /// What stands there.
    pub value: f64,
}

impl Op<1> for Pad {
    const NAME: &'static str = "pad";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// x's shape.
    type Aux = Shape;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        if self.amounts.len() != x.shape.rank() {
            let message = format!("{} pairs for {}: one for each axis", self.amounts.len(), x.shape);
            return Err(ShapeError::new("pad", message));
        }
        let sizes: Vec<usize> = x.shape.iter().zip(&self.amounts).map(|(n, (a, b))| a + n + b).collect();
        Ok(Spec { shape: Shape::from(sizes), ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], y: Spec) -> (Tensor, Shape) {
        let inner = |places: Layout, (axis, &(before, _)): (usize, &(usize, usize))| {
            places.slice(axis, before, x.shape()[axis], 1)
        };
        let places = self.amounts.iter().enumerate().fold(Layout::contiguous(y.shape), inner);
        (kernels::assemble(y, Some(self.value), &[(places, x)]), x.shape())
    }

    fn vjp(&self, saved: Saved<1, Shape>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let inner = |dy: Tensor, (axis, &(before, after)): (usize, &(usize, usize))| match (before, after) {
            (0, 0) => dy,
            _ => dy.narrow(axis as isize, before, saved.aux[axis]),
        };
        [Some(self.amounts.iter().enumerate().fold(dy, inner))]
    }
}

impl Tensor {
    /// `value` around the tensor: `amounts[i]` is how much before and after axis `i`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let y = Tensor::from([1.0_f32, 2.0]).pad(&[(1, 2)], 9.0);
    /// assert_eq!(y.to_vec::<f32>(), [9.0, 1.0, 2.0, 9.0, 9.0]);
    /// ```
    ///
    /// # Panics
    /// If there is not one pair for each axis.
    #[track_caller]
    pub fn pad(&self, amounts: &[(usize, usize)], value: f64) -> Tensor {
        apply(Pad { amounts: amounts.to_vec(), value }, [self])
    }
}
