//! [`LossScale`]: a factor on the loss, so that its smallest gradients are not lost.

use super::Common;
use cotangent_core::{Error, Result, Tensor};

/// What the loss is multiplied by before its backward pass, by [`scale_loss`](super::Optimizer::scale_loss); a step divides
/// the gradients by it before anything else is done to them. `fit` and `train_step` do both.
///
/// Gradients too small for the numbers that hold them are not lost then (Micikevicius et al. 2018, "Mixed Precision
/// Training", <https://arxiv.org/abs/1710.03740>); a power of two changes no other bit. fp16, which ends at 6e-8, needs
/// that. Here gradients are f32 in every precision, and the operands of products in bf16 have its range, down to 1e-38: a
/// model needs a scale only if its gradients, on their way, are smaller still.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::{LossScale, Optimizer, Sgd};
/// let mut w = Tensor::from([1.0_f32]).tracked();
/// let mut optimizer = Sgd::new(1e30).loss_scale(LossScale::Fixed(2f64.powi(60)));
/// let loss = (&w * 1e20 * 1e-25 * 1e-25).sum(..); // dw is 1e-30, but 1e-50 is on the way to it
/// let grads = optimizer.scale_loss(&loss).backward();
/// optimizer.step([&mut w], &grads)?;
/// assert!(w.item().abs() < 1e-6);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LossScale {
    /// Always this number.
    Fixed(f64),
    /// As Keras's `LossScaleOptimizer` finds it. A step with a gradient that is infinite or NaN is skipped: it moves nothing,
    /// does not count, and the scale is halved, to 1 at least. After so many steps in a row that were not, it is
    /// doubled. The host looks at the gradients of each step, so a [`Capture`](cotangent_core::Capture) records none.
    Dynamic {
        /// The scale of the first step.
        initial: f64,
        /// The steps between two doublings.
        growth_steps: u64,
    },
}

/// How far a dynamic scale is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// The scale of the next step.
    pub scale: f64,
    /// The steps since the scale has changed.
    pub good_steps: u64,
}

impl LossScale {
    /// The dynamic scale with Keras's numbers: from 2¹⁵ on, doubled after 2000 steps.
    pub fn dynamic() -> Self {
        Self::Dynamic { initial: 32768.0, growth_steps: 2000 }
    }

    pub(super) fn check(self, name: &'static str) -> Result<()> {
        let (scale, least) = match self {
            Self::Fixed(scale) => (scale, f64::MIN_POSITIVE),
            Self::Dynamic { growth_steps: 0, .. } => {
                return Err(Error::new(name, "the loss scale would double after 0 steps").hint("Keras takes 2000"));
            }
            Self::Dynamic { initial, .. } => (initial, 1.0),
        };
        match scale >= least && scale.is_finite() {
            true => Ok(()),
            false => Err(Error::new(name, format!("the loss scale is {scale}"))
                .hint("it must be above 0, a dynamic one at least 1; powers of two keep every bit")),
        }
    }
}

impl Scaling {
    fn after(self, finite: bool, growth_steps: u64) -> Self {
        match (finite, self.good_steps + 1) {
            (false, _) => Self { scale: (self.scale / 2.0).max(1.0), good_steps: 0 },
            (true, all) if all >= growth_steps => Self { scale: self.scale * 2.0, good_steps: 0 },
            (true, good_steps) => Self { good_steps, ..self },
        }
    }
}

impl Common {
    /// What the loss of the next step is multiplied by: 1 without a [`LossScale`].
    pub fn scale(&self) -> f64 {
        match self.loss_scale {
            None => 1.0,
            Some(LossScale::Fixed(scale)) => scale,
            Some(LossScale::Dynamic { initial, .. }) => self.state.scaling().map_or(initial, |scaling| scaling.scale),
        }
    }

    /// Divides the gradients by the scale. Whether the step is to be made.
    pub(super) fn unscale(&mut self, grads: &mut [Option<Tensor>]) -> bool {
        let scale = self.scale();
        if scale != 1.0 {
            grads.iter_mut().flatten().for_each(|grad| *grad = &*grad / scale);
        }
        let Some(LossScale::Dynamic { growth_steps, .. }) = self.loss_scale else { return true };
        let good_steps = self.state.scaling().map_or(0, |scaling| scaling.good_steps);
        let finite = all_finite(grads);
        self.state.set_scaling(Some(Scaling { scale, good_steps }.after(finite, growth_steps)));
        finite
    }
}

/// Whether no gradient is infinite or NaN. The host waits for it once.
fn all_finite(grads: &[Option<Tensor>]) -> bool {
    let each = grads.iter().flatten().map(|grad| grad.is_finite().all(..));
    each.reduce(|a, b| a.and(&b)).is_none_or(|all| all.item() != 0.0)
}
