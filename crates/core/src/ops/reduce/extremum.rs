//! The greatest or smallest element over some axes: `dx` is dy where x is that element, shared evenly among equals.
//! Saves `x`, `y`.

use super::IntoAxes;
use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Axes, Reduce, Saves, Shape, ShapeError};

/// The greatest element over `axes`; NaN if any is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Max {
    /// The axes to reduce.
    pub axes: Axes,
    /// Whether they stay with size 1.
    pub keepdim: bool,
}

/// The smallest element over `axes`; NaN if any is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Min {
    /// The axes to reduce.
    pub axes: Axes,
    /// Whether they stay with size 1.
    pub keepdim: bool,
}

macro_rules! extremum {
    ($Op:ident $name:literal) => {
        impl Op<1> for $Op {
            const NAME: &'static str = $name;
            const SAVES: Saves = Saves::Both;
            const SECOND_ORDER: bool = true;
            type Aux = ();

            fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
                check::number($name, x)?;
                check::some($name, x, self.axes)?;
                Ok(Spec { shape: self.axes.reduce(&x.shape, self.keepdim), ..x })
            }

            fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
                (kernels::reduce(Reduce::$Op, x, self.axes, self.keepdim), ())
            }

            fn vjp(&self, saved: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
                let ([x], y) = (saved.x(), saved.y());
                [Some(share(&x.detach(), &y.detach(), &dy, self.axes))]
            }
        }
    };
}
extremum!(Max "max");
extremum!(Min "min");

/// `dy` divided among the elements of `x` that equal `y`, 0 elsewhere.
fn share(x: &Tensor, y: &Tensor, dy: &Tensor, axes: Axes) -> Tensor {
    let kept = axes.reduce(&x.shape(), true);
    let winners = x.eq(&y.reshape(kept));
    let count = winners.cast(x.dtype()).sum_axes(axes, true);
    let zero = dy.new_full(Shape::SCALAR, 0.0);
    winners.where_(&(dy.reshape(kept) / count), &zero)
}

impl Tensor {
    /// The greatest element over `axes`; NaN if any is NaN. Equal ones share the gradient evenly.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([[1.0_f32, 2.0], [5.0, 3.0]]).max(1).to_vec::<f32>(), [2.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or one of them has no elements.
    #[track_caller]
    pub fn max(&self, axes: impl IntoAxes) -> Tensor {
        apply(Max { axes: axes.into_axes("max", self.rank()), keepdim: false }, [self])
    }

    /// As [`max`](Tensor::max), the axes staying with size 1.
    #[track_caller]
    pub fn max_keepdim(&self, axes: impl IntoAxes) -> Tensor {
        apply(Max { axes: axes.into_axes("max", self.rank()), keepdim: true }, [self])
    }

    /// The smallest element over `axes`; NaN if any is NaN. Equal ones share the gradient evenly.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([[1.0_f32, 2.0], [5.0, 3.0]]).min(..).item(), 1.0);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or one of them has no elements.
    #[track_caller]
    pub fn min(&self, axes: impl IntoAxes) -> Tensor {
        apply(Min { axes: axes.into_axes("min", self.rank()), keepdim: false }, [self])
    }

    /// As [`min`](Tensor::min), the axes staying with size 1.
    #[track_caller]
    pub fn min_keepdim(&self, axes: impl IntoAxes) -> Tensor {
        apply(Min { axes: axes.into_axes("min", self.rank()), keepdim: true }, [self])
    }
}
