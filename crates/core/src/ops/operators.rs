//! `+ − * / −x` between tensors, and between a tensor and a number in both orders, by value and by reference.

use super::operand::number;
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
operator!(Sub, sub, |x, c| x.minus(c), x.subtracted_from(c));
operator!(Mul, mul, |x, c| x.times(c), x.times(c));
operator!(Div, div, |x, c| x.over(c), x.dividing(c));

impl Tensor {
    #[track_caller]
    fn plus(&self, c: f64) -> Tensor {
        if self.dtype().is_float() { self.add_scalar(c) } else { self.add(&number("add", c, self)) }
    }

    #[track_caller]
    fn minus(&self, c: f64) -> Tensor {
        if self.dtype().is_float() { self.add_scalar(-c) } else { self.sub(&number("sub", c, self)) }
    }

    #[track_caller]
    fn times(&self, c: f64) -> Tensor {
        if self.dtype().is_float() { self.scale(c) } else { self.mul(&number("mul", c, self)) }
    }

    #[track_caller]
    fn over(&self, c: f64) -> Tensor {
        if self.dtype().is_float() { self.div_scalar(c) } else { self.div(&number("div", c, self)) }
    }

    #[track_caller]
    fn subtracted_from(&self, c: f64) -> Tensor {
        number("sub", c, self).sub(self)
    }

    #[track_caller]
    fn dividing(&self, c: f64) -> Tensor {
        number("div", c, self).div(self)
    }

    /// `−x`, also written with the operator; unsigned integers wrap.
    #[track_caller]
    pub fn neg(&self) -> Tensor {
        if self.dtype().is_float() { self.scale(-1.0) } else { number("neg", 0.0, self).sub(self) }
    }
}

macro_rules! neg {
    ($($t:ty),*) => {$(
        impl Neg for $t {
            type Output = Tensor;
            #[track_caller]
            fn neg(self) -> Tensor {
                Tensor::neg(&self)
            }
        }
    )*};
}
neg!(Tensor, &Tensor);
