//! Broadcasting as a view: `dx` is dy summed over the stretched axes. Saves nothing.

use crate::autograd::{Op, Saved, apply};
use crate::{Spec, Tensor};
use cotangent_base::{Saves, Shape, ShapeError};

/// To this shape: axes of size 1 stretched, new axes in front.
#[derive(Clone, Copy, Debug)]
pub struct Expand(pub Shape);

impl Op<1> for Expand {
    const NAME: &'static str = "expand";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// x's shape.
    type Aux = Shape;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        if x.shape.broadcast(&self.0) != Some(self.0) {
            return Err(ShapeError::new("expand", format!("{} does not broadcast to {}", x.shape, self.0)));
        }
        Ok(Spec { shape: self.0, ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], y: Spec) -> (Tensor, Shape) {
        let layout = x.layout.expand(y.shape).expect("infer has checked");
        (x.with_layout(layout), x.shape())
    }

    fn vjp(&self, saved: Saved<1, Shape>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(dy.sum_to(*saved.aux))]
    }
}

impl Tensor {
    /// Broadcast to `shape` without a copy.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([[1.0_f32], [2.0]]).expand([2, 3]);
    /// assert_eq!(x.to_vec::<f32>(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn expand(&self, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        if shape == self.shape() { self.clone() } else { apply(Expand(shape), [self]) }
    }

    /// The opposite of [`expand`](Tensor::expand): summed over the axes that broadcasting `shape` to this shape
    /// stretched or added.
    #[track_caller]
    pub fn sum_to(&self, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        if shape == self.shape() {
            return self.clone();
        }
        if shape.broadcast(&self.shape()) != Some(self.shape()) {
            ShapeError::new("sum_to", format!("{shape} does not broadcast to {}", self.shape())).panic();
        }
        self.sum_axes(self.shape().stretched_from(&shape), true).reshape(shape)
    }
}
