//! Class numbers as unit vectors: without a derivative, since class numbers have none.

use super::Index;
use crate::ops::check;
use crate::{Tensor, kernels};
use cotangent_base::DType;

impl Tensor {
    /// Class numbers (i64) as unit vectors along a new last axis of size `classes` (Keras's `to_categorical`).
    ///
    /// ```
    /// # use cotangent_core::{DType, Tensor};
    /// let y = Tensor::from([2_i64, 0]).one_hot(3, DType::F32);
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the dtype is not i64, or a number is not within `0..classes`.
    #[track_caller]
    pub fn one_hot(&self, classes: usize, dtype: DType) -> Tensor {
        let describe =
            |value, at: &[usize]| format!("class {value} at {at:?}, but there are {classes} classes, from 0");
        let index = check::or_panic(Index::new("one_hot", self, classes, describe));
        let all = kernels::arange(&self.device(), classes, 0.0, 1.0, DType::I64);
        index.tensor().unsqueeze(-1).eq(&all).cast(dtype)
    }
}
