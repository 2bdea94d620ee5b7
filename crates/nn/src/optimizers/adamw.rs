//! [`AdamW`]: Adam with decoupled weight decay.

use super::{Adam, Optimizer, State, non_negative};
use cotangent_core::{Result, Tensor};

/// AdamW (Loshchilov, Hutter 2019, <https://arxiv.org/abs/1711.05101>): each step first takes
/// `learning_rate · weight_decay` of the parameter away, then does as [`Adam`]. The decay enters neither average.
pub struct AdamW {
    adam: Adam,
    weight_decay: f64,
}

/// Keras's: [`Adam`]'s, and weight decay 0.004. PyTorch's is 0.01.
impl Default for AdamW {
    fn default() -> Self {
        Self { adam: Adam::default(), weight_decay: 0.004 }
    }
}

impl AdamW {
    /// With this learning rate, the rest as by default.
    pub fn new(learning_rate: f64) -> Self {
        Self { adam: Adam::new(learning_rate), ..Self::default() }
    }

    /// The part of each parameter that a step takes away, times the learning rate.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// β₁, how much of the gradient's average stays at each step.
    pub fn beta_1(mut self, beta_1: f64) -> Self {
        self.adam = self.adam.beta_1(beta_1);
        self
    }

    /// β₂, how much of the average of its square stays.
    pub fn beta_2(mut self, beta_2: f64) -> Self {
        self.adam = self.adam.beta_2(beta_2);
        self
    }

    /// ε, added to √v.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.adam = self.adam.epsilon(epsilon);
        self
    }

    /// Whether ε is added after the correction of v's bias (PyTorch's form) and not before (Keras's).
    pub fn corrected_epsilon(mut self, corrected: bool) -> Self {
        self.adam = self.adam.corrected_epsilon(corrected);
        self
    }

    /// Whether parameters that the loss does not depend on are left as they are, instead of an error.
    pub fn allow_missing(mut self, allow: bool) -> Self {
        self.adam = self.adam.allow_missing(allow);
        self
    }
}

impl Optimizer for AdamW {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn learning_rate(&self) -> f64 {
        self.adam.learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.adam.set_learning_rate(rate);
    }

    fn state(&self) -> &State {
        self.adam.state()
    }

    fn state_mut(&mut self) -> &mut State {
        self.adam.state_mut()
    }

    fn check(&self) -> Result<()> {
        self.adam.check_as("adamw")?;
        non_negative("adamw", &[("weight_decay", self.weight_decay)])
    }

    fn update(&mut self, param: &mut Tensor, grad: &Tensor) {
        let rule = self.adam.rule(self.learning_rate() * self.weight_decay);
        self.adam.apply(rule, param, grad);
    }
}
