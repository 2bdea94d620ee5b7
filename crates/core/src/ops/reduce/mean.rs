//! The mean over some axes: a [`Sum`](super::Sum) divided by the count, so `dx = dy / n` stretched over them.

use super::IntoAxes;
use crate::Tensor;
use crate::ops::check;
use cotangent_base::Axes;

impl Tensor {
    /// The mean over `axes`; NaN over no elements.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([[1.0_f32, 2.0], [3.0, 6.0]]).mean(1).to_vec::<f32>(), [1.5, 4.5]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or the dtype is not a float.
    #[track_caller]
    pub fn mean(&self, axes: impl IntoAxes) -> Tensor {
        self.mean_axes(axes.into_axes("mean", self.rank()), false)
    }

    /// As [`mean`](Tensor::mean), the axes staying with size 1.
    #[track_caller]
    pub fn mean_keepdim(&self, axes: impl IntoAxes) -> Tensor {
        self.mean_axes(axes.into_axes("mean", self.rank()), true)
    }

    #[track_caller]
    fn mean_axes(&self, axes: Axes, keepdim: bool) -> Tensor {
        check::or_panic(check::float("mean", self.spec()));
        self.sum_axes(axes, keepdim).div_scalar(size(self, axes) as f64)
    }
}

/// The number of elements that each result is made of.
pub(super) fn size(x: &Tensor, axes: Axes) -> usize {
    axes.iter().map(|axis| x.shape()[axis]).product()
}
