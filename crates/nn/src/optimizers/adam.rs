//! [`Adam`]: step sizes from moving averages of the gradient and its square.

use super::{Optimizer, State, decays, fields, non_negative, options};
use cotangent_core::{Lane, Result, Tensor, Update};

/// Adam (Kingma, Ba 2015, <https://arxiv.org/abs/1412.6980>) at step t = 1, 2, …:
///
/// ```text
/// m ← m + (1 − β₁)·(g − m)
/// v ← v + (1 − β₂)·(g² − v)
/// α = learning_rate·√(1 − β₂ᵗ) / (1 − β₁ᵗ)
/// p ← p − α·m / (√v + ε)
/// ```
///
/// Here ε is what the paper calls "epsilon hat", as in Keras. The paper's algorithm 1 and PyTorch add ε after the
/// correction of v's bias, which is the same as `ε·√(1 − β₂ᵗ)` in the last line; the two differ where v is tiny. Choose
/// that form with [`corrected_epsilon`](Adam::corrected_epsilon).
pub struct Adam {
    learning_rate: f64,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    corrected_epsilon: bool,
    state: State,
}

/// Keras's: learning rate 0.001, β₁ 0.9, β₂ 0.999, ε 1e-7. PyTorch's ε is 1e-8, after the correction.
impl Default for Adam {
    fn default() -> Self {
        Self {
            learning_rate: 0.001,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            corrected_epsilon: false,
            state: State::default(),
        }
    }
}

options! { Adam {
    /// β₁, how much of the gradient's average stays at each step.
    beta_1: f64,
    /// β₂, how much of the average of its square stays.
    beta_2: f64,
    /// ε, added to √v.
    epsilon: f64,
    /// Whether ε is added after the correction of v's bias (PyTorch's form) and not before (Keras's).
    corrected_epsilon: bool,
}}

/// What one step of Adam does, before AdamW's decay. The state is `[m, v]`.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    /// The learning rate with both bias corrections in it.
    alpha: f64,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    /// What the parameter is multiplied by first.
    keep: f64,
}

impl Update<2> for Rule {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let m = m + L::splat(1.0 - self.beta_1) * (g - m);
        let v = v + L::splat(1.0 - self.beta_2) * (g.square() - v);
        let u = L::splat(self.alpha) * m / (v.sqrt() + L::splat(self.epsilon));
        (L::splat(self.keep) * p - u, [m, v])
    }
}

impl Adam {
    /// The rule for the step that the state counts; the parameter loses the part `decay` of itself first.
    pub(super) fn rule(&self, decay: f64) -> Rule {
        let t = self.state.steps() as f64;
        let [bias_1, bias_2] = [self.beta_1, self.beta_2].map(|beta| 1.0 - beta.powf(t));
        let correction = if self.corrected_epsilon { bias_2.sqrt() } else { 1.0 };
        Rule {
            alpha: self.learning_rate * bias_2.sqrt() / bias_1,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon * correction,
            keep: 1.0 - decay,
        }
    }

    pub(super) fn check_as(&self, name: &'static str) -> Result<()> {
        non_negative(name, &[("learning_rate", self.learning_rate), ("epsilon", self.epsilon)])?;
        decays(name, &[("beta_1", self.beta_1), ("beta_2", self.beta_2)])
    }

    pub(super) fn apply(&mut self, rule: Rule, param: &mut Tensor, grad: &Tensor) {
        let slots = self.state.slots(param, [0.0; 2]);
        param.update(rule, grad, slots);
    }
}

impl Optimizer for Adam {
    fields!("adam");

    fn check(&self) -> Result<()> {
        self.check_as("adam")
    }

    fn update(&mut self, param: &mut Tensor, grad: &Tensor) {
        let rule = self.rule(0.0);
        self.apply(rule, param, grad);
    }
}
