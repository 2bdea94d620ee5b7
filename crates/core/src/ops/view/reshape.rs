//! The same elements in another shape: `dx = dy` in x's shape. Copies only where no strides can say it.

use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Saves, Shape, ShapeError};

/// To this shape, of the same count.
#[derive(Clone, Copy, Debug)]
pub struct Reshape(pub Shape);

impl Op<1> for Reshape {
    const NAME: &'static str = "reshape";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// x's shape.
    type Aux = Shape;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        if x.shape.count() != self.0.count() {
            let (from, to) = (x.shape.count(), self.0.count());
            let message = format!("{} has {from} elements, {} has {to}", x.shape, self.0);
            return Err(ShapeError::new("reshape", message));
        }
        Ok(Spec { shape: self.0, ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], y: Spec) -> (Tensor, Shape) {
        let out = match x.layout.reshape(y.shape) {
            Some(layout) => x.with_layout(layout),
            None => kernels::copy(x).reshape(y.shape),
        };
        (out, x.shape())
    }

    fn vjp(&self, saved: Saved<1, Shape>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(dy.reshape(*saved.aux))]
    }
}

impl Tensor {
    /// The same elements, row-major, in another shape of the same count.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 6]).reshape([3, 4]).dims(), [3, 4]);
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Tensor {
        apply(Reshape(shape.into()), [self])
    }

    /// Axes `axis` and all after it as one: Keras's `Flatten` is `flatten(1)`.
    #[track_caller]
    pub fn flatten(&self, axis: isize) -> Tensor {
        let axis = check::axis_or_panic("flatten", axis, self.rank());
        let mut sizes = self.shape()[..axis].to_vec();
        sizes.push(self.shape()[axis..].iter().product());
        self.reshape(sizes)
    }

    /// Without axis `axis`, whose size must be 1.
    #[track_caller]
    pub fn squeeze(&self, axis: isize) -> Tensor {
        let at = check::axis_or_panic("squeeze", axis, self.rank());
        if self.shape()[at] != 1 {
            ShapeError::new("squeeze", format!("axis {axis} of {} is not 1", self.shape())).panic();
        }
        self.reshape(self.shape().without(at))
    }

    /// With a new axis of size 1 at `axis` of the result.
    #[track_caller]
    pub fn unsqueeze(&self, axis: isize) -> Tensor {
        let at = check::axis_or_panic("unsqueeze", axis, self.rank() + 1);
        self.reshape(self.shape().inserted(at, 1))
    }
}
