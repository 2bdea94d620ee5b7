//! `+ − * / −x` between tensors, and between a tensor and a number in both orders, by value and by reference.

use crate::Tensor;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// One operator: tensor with tensor, tensor with number, number with tensor.
macro_rules! operator {
    ($Trait:ident, $method:ident, |$x:ident, $c:ident| $right:expr, $left:expr) => {
        operator!(@tensors $Trait $method [&Tensor, Tensor] [&Tensor, &Tensor] [Tensor, &Tensor] [Tensor, Tensor]);
        operator!(@scalar $Trait $method |$x, $c| $right, $left; [Tensor] [&Tensor]);
    };
    (@tensors $Trait:ident $method:ident $([$a:ty, $b:ty])*) => {$(
        impl $Trait<$b> for $a {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: $b) -> Tensor {
                Tensor::$method(&self, &other)
            }
        }
    )*};
    (@scalar $Trait:ident $method:ident |$x:ident, $c:ident| $right:expr, $left:expr; $([$t:ty])*) => {$(
        impl $Trait<f64> for $t {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, $c: f64) -> Tensor {
                let $x = self;
                $right
            }
        }
        impl $Trait<$t> for f64 {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, $x: $t) -> Tensor {
                let $c = self;
                $left
            }
        }
    )*};
}

operator!(Add, add, |x, c| x.plus(c), x.plus(c));
operator!(Sub, sub, |x, c| x.plus(-c), (-x).plus(c));
operator!(Mul, mul, |x, c| x.times(c), x.times(c));
operator!(Div, div, |x, c| x.over(c), Tensor::div(&x.full_like(c), &x));

impl Tensor {
    /// A scalar tensor of this dtype, to broadcast.
    fn full_like(&self, c: f64) -> Tensor {
        Tensor::full(cotangent_base::Shape::SCALAR, c, self.dtype())
    }

    #[track_caller]
    fn plus(&self, c: f64) -> Tensor {
        if self.dtype().is_float() { self.add_scalar(c) } else { self.add(&self.full_like(c)) }
    }

    #[track_caller]
    fn times(&self, c: f64) -> Tensor {
        if self.dtype().is_float() { self.scale(c) } else { self.mul(&self.full_like(c)) }
    }

    /// Exactly x / c, not x · (1/c), which can differ in the last bit.
    #[track_caller]
    fn over(&self, c: f64) -> Tensor {
        self.div(&self.full_like(c))
    }
}

macro_rules! neg {
    ($($t:ty),*) => {$(
        impl Neg for $t {
            type Output = Tensor;
            #[track_caller]
            fn neg(self) -> Tensor {
                self.times(-1.0)
            }
        }
    )*};
}
neg!(Tensor, &Tensor);
