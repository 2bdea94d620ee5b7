//! Floor, ceiling, rounding and sign: piecewise constant, so without a derivative worth the name.

use crate::autograd::barrier;
use crate::ops::check;
use crate::{Tensor, kernels};
use cotangent_base::{Lane, Map};

macro_rules! steps {
    ($($(#[$doc:meta])* $method:ident $Map:ident |$x:ident| $y:expr;)*) => {$(
        #[derive(Clone, Copy)]
        struct $Map;

        impl Map<1> for $Map {
            const FAST: bool = false;
            #[inline(always)]
            fn eval<L: Lane>(self, [$x]: [L; 1]) -> L {
                $y
            }
        }

        impl Tensor {
            $(#[$doc])*
            /// Without a derivative.
            ///
            /// # Panics
            /// If the dtype is not a float.
            #[track_caller]
            pub fn $method(&self) -> Tensor {
                check::or_panic(check::float(stringify!($method), self.spec()));
                barrier(stringify!($method), &[self], || kernels::map($Map, [self]))
            }
        }
    )*};
}

steps! {
    /// The greatest whole number that is not above, for every element.
    floor Floor |x| x.floor();
    /// The smallest whole number that is not below, for every element.
    ceil Ceil |x| -(-x).floor();
    /// The nearest whole number, halves to even, for every element.
    round Round |x| x.round();
    /// −1, 0 or 1 for every element; NaN stays.
    sign Sign |x| {
        let upper = L::select(x.gt(L::zero()), L::one(), x);
        L::select(x.lt(L::zero()), -L::one(), upper)
    };
}
