//! Comparisons, element by element, broadcast: bools, without a derivative. With NaN all are false but `ne`.

use super::Operand;
use super::check;
use crate::autograd::{barrier, same_device};
use crate::{Tensor, kernels};
use cotangent_base::Compare;

impl Tensor {
    #[track_caller]
    fn compare(&self, name: &'static str, op: Compare, other: Operand) -> Tensor {
        let other = other.tensor(name, self);
        let checked = check::same_dtype(name, self.spec(), other.spec())
            .and_then(|()| check::broadcast(name, self.spec(), other.spec()));
        let shape = check::or_panic(checked);
        same_device(name, &[self, &other]);
        let (a, b) = (self.detach().expand(shape), other.detach().expand(shape));
        barrier(name, &[self, &other], || kernels::compare(op, &a, &b))
    }
}

macro_rules! comparison {
    ($($method:ident $Op:ident $sign:literal;)*) => {
        impl Tensor {$(
            #[doc = concat!("Whether `a ", $sign, " b`, element by element, as bools; `b` is a tensor or a number.")]
            ///
            /// # Panics
            /// If the shapes do not broadcast, the dtypes differ, or a number is not one of an integer dtype's.
            #[track_caller]
            pub fn $method<'a>(&self, other: impl Into<Operand<'a>>) -> Tensor {
                self.compare(stringify!($method), Compare::$Op, other.into())
            }
        )*}
    };
}

comparison! {
    eq Eq "=";
    ne Ne "≠";
    lt Lt "<";
    le Le "≤";
    gt Gt ">";
    ge Ge "≥";
}
