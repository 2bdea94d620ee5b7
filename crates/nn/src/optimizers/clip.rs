//! [`Clip`]: bounds on gradients.

use cotangent_core::Tensor;

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
            Self::Norm(bound) => grads.for_each(|grad| shorten(grad, square(grad).sqrt(), bound)),
            Self::GlobalNorm(bound) => {
                let grads: Vec<&mut Tensor> = grads.collect();
                let norm = grads.iter().map(|grad| square(grad)).sum::<f64>().sqrt();
                grads.into_iter().for_each(|grad| shorten(grad, norm, bound));
            }
        }
    }
}

fn square(grad: &Tensor) -> f64 {
    grad.square().sum(..).item()
}

fn shorten(grad: &mut Tensor, norm: f64, bound: f64) {
    if !(norm <= bound) {
        *grad = grad.scale(if norm.is_finite() { bound / norm } else { f64::NAN });
    }
}
