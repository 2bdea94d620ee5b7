//! Slices `index[0], index[1], …` of an axis: `dx` is each slice of dy added to its place in zeros. What an
//! embedding is. Saves the index.

use super::Index;
use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Saves, ShapeError};

/// The slices of `axis` that `index`, with one axis, names.
#[derive(Clone, Debug)]
pub struct IndexSelect {
    /// The axis.
    pub axis: usize,
    /// Which slices.
    pub index: Index,
}

impl Op<1> for IndexSelect {
    const NAME: &'static str = "index_select";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        let index = self.index.tensor().spec();
        check::rank("index_select", "the index", index, 1)?;
        self.index.fits("index_select", x.shape, self.axis)?;
        Ok(Spec { shape: x.shape.with(self.axis, index.shape[0]), ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (kernels::index_select(x, self.axis, self.index.tensor()), ())
    }

    fn vjp(&self, _: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(apply(IndexAdd(self.clone()), [&dy]))]
    }
}

/// The transpose of [`IndexSelect`].
struct IndexAdd(IndexSelect);

impl Op<1> for IndexAdd {
    const NAME: &'static str = "index_add";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [dy]: [Spec; 1]) -> Result<Spec, ShapeError> {
        Ok(Spec { shape: dy.shape.with(self.0.axis, self.0.index.size()), ..dy })
    }

    fn forward(&self, [dy]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        let IndexSelect { axis, index } = &self.0;
        (kernels::index_add(dy, *axis, index.tensor(), index.size()), ())
    }

    fn vjp(&self, _: Saved<1, ()>, g: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(apply(self.0.clone(), [&g]))]
    }
}

impl Tensor {
    /// Slices `index[0], index[1], …` (i64, one axis) of axis `axis`, in that order, any number of times each.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// let y = x.index_select(0, &Tensor::from([1_i64, 0, 1]));
    /// assert_eq!(y.to_vec::<f32>(), [3.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or the index is not i64 with one axis, or an element of it is outside the axis
    /// (negative ones are: they do not count from the back).
    #[track_caller]
    pub fn index_select(&self, axis: isize, index: &Tensor) -> Tensor {
        let axis = check::axis_or_panic("index_select", axis, self.rank());
        let index = check::or_panic(Index::along("index_select", index, axis, self.shape()));
        apply(IndexSelect { axis, index }, [self])
    }
}
