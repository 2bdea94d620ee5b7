//! `y[.., i, ..] = x[.., index[.., i, ..], ..]` along an axis: `dx` is dy [scattered](super::ScatterAdd) into zeros.
//! Saves the index.

use super::{Index, ScatterAdd};
use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Saves, Shape, ShapeError};

/// The elements along `axis` that `index`, of the result's shape, names.
#[derive(Clone, Debug)]
pub struct Gather {
    /// The axis.
    pub axis: usize,
    /// Which elements.
    pub index: Index,
}

impl Op<1> for Gather {
    const NAME: &'static str = "gather";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// x's shape.
    type Aux = Shape;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        self.index.fits("gather", x.shape, self.axis)?;
        let shape = self.index.tensor().shape();
        same_but_axis("gather", self.axis, ("x", x.shape), ("the index", shape))?;
        Ok(Spec { shape, ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, Shape) {
        (kernels::gather(x, self.axis, self.index.tensor()), x.shape())
    }

    fn vjp(&self, saved: Saved<1, Shape>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let zeros = dy.new_full(*saved.aux, 0.0);
        let Self { axis, index } = self.clone();
        [Some(apply(ScatterAdd { axis, index }, [&zeros, &dy]))]
    }
}

/// Both shapes are equal in all axes but `axis`.
pub(super) fn same_but_axis(
    op: &'static str,
    axis: usize,
    (a, left): (&str, Shape),
    (b, right): (&str, Shape),
) -> Result<(), ShapeError> {
    if left.rank() == right.rank() && left.with(axis, right[axis]) == right {
        return Ok(());
    }
    Err(ShapeError::new(op, format!("{a} {left}, {b} {right}: they may differ in axis {axis} alone")))
}

impl Tensor {
    /// The elements `y[.., i, ..] = x[.., index[.., i, ..], ..]` along `axis`; index (i64) has the result's shape,
    /// which is this tensor's but for `axis`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// let y = x.gather(1, &Tensor::from([[1_i64], [0]]));
    /// assert_eq!(y.to_vec::<f32>(), [2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an element of the index is outside the axis (negative
    /// ones are: they do not count from the back).
    #[track_caller]
    pub fn gather(&self, axis: isize, index: &Tensor) -> Tensor {
        let axis = check::axis_or_panic("gather", axis, self.rank());
        let index = check::or_panic(Index::along("gather", index, axis, self.shape()));
        apply(Gather { axis, index }, [self])
    }
}
