//! And, or, not of bools, also written `a & b`, `a | b`, `!a`; whether all or any are true. No derivatives.

use super::{IntoAxes, check};
use crate::{Tensor, kernels};
use cotangent_base::{DType, Reduce, Shape, ShapeError};
use std::ops::{BitAnd, BitOr, Not};

#[track_caller]
fn both(op: &'static str, a: &Tensor, b: &Tensor) -> [Tensor; 2] {
    bools(op, a);
    bools(op, b);
    let shape = check::or_panic(check::broadcast(op, a.spec(), b.spec()));
    [a, b].map(|x| x.detach().expand(shape))
}

#[track_caller]
fn bools(op: &'static str, x: &Tensor) {
    if x.dtype() != DType::Bool {
        let message = format!("wants bools, got {} {}; compare it with a number first", x.dtype(), x.shape());
        ShapeError::new(op, message).panic();
    }
}

impl Tensor {
    /// Whether both are true, element by element, broadcast.
    ///
    /// # Panics
    /// If an operand is not of bools, or the shapes do not broadcast.
    #[track_caller]
    pub fn and(&self, other: &Tensor) -> Tensor {
        let [a, b] = both("and", self, other);
        kernels::select(&a, &b, &a)
    }

    /// Whether either is true, element by element, broadcast.
    ///
    /// # Panics
    /// If an operand is not of bools, or the shapes do not broadcast.
    #[track_caller]
    pub fn or(&self, other: &Tensor) -> Tensor {
        let [a, b] = both("or", self, other);
        kernels::select(&a, &a, &b)
    }

    /// The opposite of each element.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([1.0_f32, 2.0, 3.0]);
    /// let inside = x.gt(1.0) & !x.ge(3.0);
    /// assert_eq!(inside.to_vec::<bool>(), [false, true, false]);
    /// ```
    ///
    /// # Panics
    /// If the tensor is not of bools.
    #[track_caller]
    pub fn not(&self) -> Tensor {
        bools("not", self);
        let truth = self.new_full(Shape::SCALAR, 1.0);
        self.detach().ne(&truth)
    }

    /// Whether all are true over `axes`; true where there are none.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([[true, true], [true, false]]);
    /// assert_eq!(x.all(1).to_vec::<bool>(), [true, false]);
    /// assert_eq!(x.any(..).to_vec::<bool>(), [true]);
    /// ```
    ///
    /// # Panics
    /// If the tensor is not of bools, or there is no such axis.
    #[track_caller]
    pub fn all(&self, axes: impl IntoAxes) -> Tensor {
        self.truth("all", Reduce::Min, axes)
    }

    /// Whether any is true over `axes`; false where there are none.
    ///
    /// # Panics
    /// If the tensor is not of bools, or there is no such axis.
    #[track_caller]
    pub fn any(&self, axes: impl IntoAxes) -> Tensor {
        self.truth("any", Reduce::Max, axes)
    }

    #[track_caller]
    fn truth(&self, op: &'static str, reduce: Reduce, axes: impl IntoAxes) -> Tensor {
        bools(op, self);
        let axes = axes.into_axes(op, self.rank());
        kernels::cast(&kernels::reduce(reduce, &kernels::cast(self, DType::U8), axes, false), DType::Bool)
    }
}

macro_rules! operators {
    ($([$a:ty, $b:ty])*) => {$(
        impl BitAnd<$b> for $a {
            type Output = Tensor;
            #[track_caller]
            fn bitand(self, other: $b) -> Tensor {
                self.and(&other)
            }
        }
        impl BitOr<$b> for $a {
            type Output = Tensor;
            #[track_caller]
            fn bitor(self, other: $b) -> Tensor {
                self.or(&other)
            }
        }
    )*};
}
operators!([&Tensor, &Tensor] [&Tensor, Tensor] [Tensor, &Tensor] [Tensor, Tensor]);

impl Not for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn not(self) -> Tensor {
        Tensor::not(self)
    }
}

impl Not for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn not(self) -> Tensor {
        Tensor::not(&self)
    }
}
