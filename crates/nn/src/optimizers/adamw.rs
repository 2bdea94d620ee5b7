//! [`AdamW`]: Adam with decoupled weight decay.

use super::{Adam, Common, Optimizer, Step, in_one};
use crate::{Clip, LearningRate};
use cotangent_core::{Result, Tensor};

/// AdamW (Loshchilov, Hutter 2019, <https://arxiv.org/abs/1711.05101>): each step first takes
/// `learning_rate · weight_decay` of the parameter away, then does as [`Adam`]. The decay enters neither average.
///
/// The same as `Adam::default().weight_decay(0.004)`.
pub struct AdamW {
    adam: Adam,
}

/// Keras's: [`Adam`]'s, and weight decay 0.004. PyTorch's is 0.01.
impl Default for AdamW {
    fn default() -> Self {
        Self { adam: Adam::default().weight_decay(0.004) }
    }
}

/// The options of [`Adam`], given on.
macro_rules! of_adam {
    ($($(#[$doc:meta])* $option:ident: $t:ty,)*) => {$(
        $(#[$doc])*
        pub fn $option(self, $option: $t) -> Self {
            Self { adam: self.adam.$option($option) }
        }
    )*};
}

impl AdamW {
    /// With this learning rate, a number or a [`Schedule`](crate::Schedule), the rest as by default.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self { adam: Adam::new(learning_rate).weight_decay(0.004) }
    }

    of_adam! {
        /// The part of each parameter that a step takes away, times the learning rate.
        weight_decay: f64,
        /// β₁, how much of the gradient's average stays at each step.
        beta_1: f64,
        /// β₂, how much of the average of its square stays.
        beta_2: f64,
        /// ε, added to √v.
        epsilon: f64,
        /// Whether ε is added after the correction of v's bias (PyTorch's form) and not before (Keras's).
        corrected_epsilon: bool,
        /// Whether to divide by the greatest v so far (Reddi, Kale, Kumar 2018, AMSGrad).
        amsgrad: bool,
        /// A bound on the gradients.
        clip: Clip,
        /// As [`Adam::average`].
        average: f64,
        /// As [`Adam::accumulate`].
        accumulate: u64,
        /// Whether parameters that the loss does not depend on are left as they are, instead of an error.
        allow_missing: bool,
    }

    /// As [`Adam::no_decay`].
    pub fn no_decay<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self { adam: self.adam.no_decay(names) }
    }
}

impl Optimizer for AdamW {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn common(&self) -> &Common {
        self.adam.common()
    }

    fn common_mut(&mut self) -> &mut Common {
        self.adam.common_mut()
    }

    fn check(&self) -> Result<()> {
        self.adam.check_as("adamw")
    }

    fn slot_names(&self) -> &'static [&'static str] {
        self.adam.slot_names()
    }

    in_one!();

    fn update_all(&mut self, moves: Vec<(&mut Tensor, &Tensor)>, step: Step) {
        self.adam.update_all(moves, step);
    }

    fn decays(&self) -> bool {
        true
    }
}
