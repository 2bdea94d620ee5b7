//! [`Regularizer`]: what great weights cost.

use cotangent_core::Tensor;

/// `l1 · Σ |w| + l2 · Σ w²`, added to the loss for a parameter that has it: Keras's `L1`, `L2` and `L1L2`.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::Regularizer;
/// let w = Tensor::from([1.0_f32, -2.0]);
/// assert_eq!(Regularizer::l1(0.5).penalty(&w).item(), 1.5);
/// assert_eq!(Regularizer::l2(0.5).penalty(&w).item(), 2.5);
/// ```
///
/// Its gradient goes through the optimizer's rule with the loss's; for what an adaptive optimizer should not rescale
/// there is its `weight_decay`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Regularizer {
    /// The factor of Σ |w|.
    pub l1: f64,
    /// The factor of Σ w².
    pub l2: f64,
}

impl Regularizer {
    /// `l1 · Σ |w|`. Keras's default factor is 0.01.
    pub fn l1(l1: f64) -> Self {
        Self { l1, l2: 0.0 }
    }

    /// `l2 · Σ w²`. Keras's default factor is 0.01.
    pub fn l2(l2: f64) -> Self {
        Self { l1: 0.0, l2 }
    }

    /// What `w` costs: a scalar, differentiable.
    pub fn penalty(&self, w: &Tensor) -> Tensor {
        match (self.l1 != 0.0, self.l2 != 0.0) {
            (true, false) => w.abs().sum(..).scale(self.l1),
            (false, _) => w.square().sum(..).scale(self.l2),
            (true, true) => w.abs().sum(..).scale(self.l1) + w.square().sum(..).scale(self.l2),
        }
    }
}
