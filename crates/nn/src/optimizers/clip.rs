//! [`Clip`]: bounds on gradients.

use cotangent_core::{DType, Tensor};

/// How gradients that are too great are cut down before a step: `Adam::default().clip(Clip::GlobalNorm(1.0))`.
///
/// The bounds are Keras's `clipvalue`, `clipnorm` and `global_clipnorm`. A norm is the root of the sum of squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// Each number to −bound ..= bound.
    Value(f64),
    /// The gradient of each parameter by itself: times `bound / norm` if its norm is above the bound.
    Norm(f64),
    /// All gradients together: times `bound / norm` if the norm of all of them is above the bound.
    GlobalNorm(f64),
}

impl Clip {
    /// Which of the bounds it is.
    pub(super) fn kind(self) -> std::mem::Discriminant<Self> {
        std::mem::discriminant(&self)
    }

    pub(super) fn bound(self) -> f64 {
        match self {
            Self::Value(bound) | Self::Norm(bound) | Self::GlobalNorm(bound) => bound,
        }
    }

    /// Bounds the gradients; those of a norm that is infinite or NaN become NaN.
    pub(super) fn apply(self, grads: &mut [Option<Tensor>]) {
        let grads = grads.iter_mut().flatten();
        match self {
            Self::Value(bound) => grads.for_each(|grad| *grad = grad.clamp(-bound, bound)),
            Self::Norm(bound) => grads.for_each(|grad| *grad = shortened(grad, &square(grad), bound)),
            Self::GlobalNorm(bound) => {
                let grads: Vec<&mut Tensor> = grads.collect();
                let squares = grads.iter().map(|grad| square(grad)).reduce(|sum, x| sum + x);
                let Some(square) = squares else { return };
                grads.into_iter().for_each(|grad| *grad = shortened(grad, &square, bound));
            }
        }
    }
}

/// The sum of the squares, in f64.
fn square(grad: &Tensor) -> Tensor {
    grad.square().sum(..).cast(DType::F64)
}

/// The gradient times `bound / norm` if the norm, whose square is given, is above the bound. The host does not look at
/// the numbers, so a GPU works on.
fn shortened(grad: &Tensor, square: &Tensor, bound: f64) -> Tensor {
    let norm = square.sqrt();
    let factor = norm.le(bound).where_(&norm.ones_like(), &(bound / &norm));
    let finite = norm.scale(0.0); // 0, or NaN
    grad * (factor + finite).cast(grad.dtype())
}
