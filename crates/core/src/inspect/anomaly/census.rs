//! What numbers a tensor holds.

use crate::ops::Scale;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Axes, DType, Forward1, Reduce};
use std::fmt;

/// What is in a tensor: its spec, how many NaN and infinities, and the range of the rest.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Numbers {
    /// Shape and dtype.
    pub spec: Spec,
    /// How many elements are NaN.
    pub nan: usize,
    /// How many are infinite.
    pub infinite: usize,
    /// Where the first of either is.
    pub first: Option<Vec<usize>>,
    /// The least and the greatest finite element.
    pub range: Option<(f64, f64)>,
}

impl Numbers {
    pub(super) fn of(x: &Tensor) -> Self {
        let values = kernels::download::<f64>(&kernels::cast(x, DType::F64));
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        Self {
            spec: x.spec(),
            nan: values.iter().filter(|v| v.is_nan()).count(),
            infinite: values.iter().filter(|v| v.is_infinite()).count(),
            first: values.iter().position(|v| !v.is_finite()).map(|at| place(x, at)),
            range: finite().reduce(f64::min).zip(finite().reduce(f64::max)),
        }
    }

    /// Whether there is neither NaN nor an infinity.
    pub fn is_finite(&self) -> bool {
        self.nan + self.infinite == 0
    }

    /// `2 NaN and 1 infinity of 320 elements, the first at [0, 4]`.
    pub(super) fn bad(&self) -> String {
        let infinite = |n| format!("{n} infinit{}", if n == 1 { "y" } else { "ies" });
        let what = match (self.nan, self.infinite) {
            (nan, 0) => format!("{nan} NaN"),
            (0, n) => infinite(n),
            (nan, n) => format!("{nan} NaN and {}", infinite(n)),
        };
        let first = self.first.as_ref().map_or(String::new(), |at| format!(", the first at {at:?}"));
        format!("{what} of {} elements{first}", self.spec.shape.count())
    }
}

/// `f32 [32, 10] in -1.5 ..= 3`, and what is not finite.
impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", self.spec.dtype, self.spec.shape)?;
        if let Some((low, high)) = self.range {
            write!(f, " in {low:.4e} ..= {high:.4e}")?;
        }
        if self.is_finite() { Ok(()) } else { write!(f, " with {}", self.bad()) }
    }
}

/// The index of element `at`, counted row-major.
fn place(x: &Tensor, mut at: usize) -> Vec<usize> {
    let mut index = x.shape().to_vec();
    for place in index.iter_mut().rev() {
        let size = *place;
        (*place, at) = (at % size, at / size);
    }
    index
}

/// Whether every element is finite: 0·x sums to 0, with NaN or an infinity to NaN.
pub(super) fn is_finite(x: &Tensor) -> bool {
    let zeros = kernels::map(Forward1(Scale(0.0)), [x]);
    let sum = kernels::reduce(Reduce::Sum, &zeros, Axes::all(x.rank()), false);
    sum.item() == 0.0
}
