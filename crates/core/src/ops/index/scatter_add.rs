//! `y = base; y[.., index[.., i, ..], ..] += x[.., i, ..]` along an axis: `dbase = dy`, `dx` is dy
//! [gathered](super::Gather). Saves the index.

use super::gather::same_but_axis;
use super::{Gather, Index};
use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Saves, ShapeError};

/// The second operand added to the first in the places along `axis` that `index`, of its shape, names.
#[derive(Clone, Debug)]
pub struct ScatterAdd {
    /// The axis.
    pub axis: usize,
    /// Which places.
    pub index: Index,
}

impl Op<2> for ScatterAdd {
    const NAME: &'static str = "scatter_add";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [base, x]: [Spec; 2]) -> Result<Spec, ShapeError> {
        check::same_dtype("scatter_add", base, x)?;
        check::float("scatter_add", base)?;
        self.index.fits("scatter_add", base.shape, self.axis)?;
        let shape = self.index.tensor().shape();
        if shape != x.shape {
            return Err(ShapeError::new("scatter_add", format!("the index has shape {shape}, x {}", x.shape)));
        }
        same_but_axis("scatter_add", self.axis, ("the base", base.shape), ("x", x.shape))?;
        Ok(base)
    }

    fn forward(&self, [base, x]: [&Tensor; 2], _: Spec) -> (Tensor, ()) {
        (kernels::scatter_add(base, self.axis, self.index.tensor(), x), ())
    }

    fn vjp(&self, _: Saved<2, ()>, dy: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let Self { axis, index } = self.clone();
        let dx = need[1].then(|| apply(Gather { axis, index }, [&dy]));
        [need[0].then_some(dy), dx]
    }
}

impl Tensor {
    /// This tensor with `x[.., i, ..]` added at `[.., index[.., i, ..], ..]` along `axis`, for every element of x;
    /// index (i64) has x's shape, which is this tensor's but for `axis`. Places may repeat.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([1.0_f32, 2.0, 3.0]);
    /// let y = Tensor::zeros([2]).scatter_add(0, &Tensor::from([1_i64, 0, 1]), &x);
    /// assert_eq!(y.to_vec::<f32>(), [2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, the shapes or dtypes do not fit, or an element of the index is outside the axis.
    #[track_caller]
    pub fn scatter_add(&self, axis: isize, index: &Tensor, x: &Tensor) -> Tensor {
        let axis = check::axis_or_panic("scatter_add", axis, self.rank());
        let index = check::or_panic(Index::along("scatter_add", index, axis, self.shape()));
        apply(ScatterAdd { axis, index }, [self, x])
    }
}
