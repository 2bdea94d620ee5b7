//! Where the greatest or smallest element of an axis is: i64, without a derivative.

use crate::autograd::barrier;
use crate::ops::check;
use crate::{Tensor, kernels};
use cotangent_base::{Axes, DType};

impl Tensor {
    /// The index (i64) of the greatest element along `axis`, the first of equals; of the first NaN if there is one.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([[1.0_f32, 5.0, 5.0], [3.0, 2.0, 1.0]]);
    /// assert_eq!(x.argmax(-1).to_vec::<i64>(), [1, 0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    #[track_caller]
    pub fn argmax(&self, axis: isize) -> Tensor {
        self.arg("argmax", true, axis)
    }

    /// As [`argmax`](Tensor::argmax), the axis staying with size 1.
    #[track_caller]
    pub fn argmax_keepdim(&self, axis: isize) -> Tensor {
        let at = check::axis_or_panic("argmax", axis, self.rank());
        self.arg("argmax", true, axis).reshape(self.shape().with(at, 1))
    }

    /// The index (i64) of the smallest element along `axis`, the first of equals; of the first NaN if there is one.
    ///
    /// # Panics
    /// If there is no such axis, or it has no elements.
    #[track_caller]
    pub fn argmin(&self, axis: isize) -> Tensor {
        self.arg("argmin", false, axis)
    }

    /// As [`argmin`](Tensor::argmin), the axis staying with size 1.
    #[track_caller]
    pub fn argmin_keepdim(&self, axis: isize) -> Tensor {
        let at = check::axis_or_panic("argmin", axis, self.rank());
        self.arg("argmin", false, axis).reshape(self.shape().with(at, 1))
    }

    #[track_caller]
    fn arg(&self, op: &'static str, greatest: bool, axis: isize) -> Tensor {
        let at = check::axis_or_panic(op, axis, self.rank());
        check::or_panic(check::some(op, self.spec(), Axes::NONE.with(at)));
        if self.dtype() == DType::Bool {
            return self.cast(DType::U8).arg(op, greatest, axis);
        }
        barrier(op, &[self], || kernels::arg_reduce(greatest, self, at))
    }
}
