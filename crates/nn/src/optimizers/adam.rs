//! [`Adam`]: step sizes from moving averages of the gradient and its square.

use super::{Common, Optimizer, Step, decays, fields, non_negative, options};
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
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    corrected_epsilon: bool,
    amsgrad: bool,
    common: Common,
}

/// Keras's: learning rate 0.001, β₁ 0.9, β₂ 0.999, ε 1e-7. PyTorch's ε is 1e-8, after the correction.
impl Default for Adam {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            corrected_epsilon: false,
            amsgrad: false,
            common: Common::new(0.001),
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
    /// Whether to divide by the greatest v so far (Reddi, Kale, Kumar 2018, AMSGrad).
    amsgrad: bool,
}}

/// The state is `[m, v]`.
#[derive(Clone, Copy)]
struct Rule {
    /// The learning rate with both bias corrections in it.
    alpha: f64,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    /// What the parameter is multiplied by first.
    keep: f64,
}

impl Rule {
    #[inline(always)]
    fn moments<L: Lane>(self, g: L, m: L, v: L) -> [L; 2] {
        let m = m + L::splat(1.0 - self.beta_1) * (g - m);
        [m, v + L::splat(1.0 - self.beta_2) * (g.square() - v)]
    }

    #[inline(always)]
    fn moved<L: Lane>(self, p: L, m: L, v: L) -> L {
        L::splat(self.keep) * p - L::splat(self.alpha) * m / (v.sqrt() + L::splat(self.epsilon))
    }
}

impl Update<2> for Rule {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let [m, v] = self.moments(g, m, v);
        (self.moved(p, m, v), [m, v])
    }
}

/// The state is `[m, v, the greatest v]`.
#[derive(Clone, Copy)]
struct AmsGrad(Rule);

impl Update<3> for AmsGrad {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [m, v, greatest]: [L; 3]) -> (L, [L; 3]) {
        let [m, v] = self.0.moments(g, m, v);
        let greatest = greatest.max(v);
        (self.0.moved(p, m, greatest), [m, v, greatest])
    }
}

impl Adam {
    fn rule(&self, step: Step) -> Rule {
        let t = step.number as f64;
        let [bias_1, bias_2] = [self.beta_1, self.beta_2].map(|beta| 1.0 - beta.powf(t));
        let correction = if self.corrected_epsilon { bias_2.sqrt() } else { 1.0 };
        Rule {
            alpha: step.learning_rate * bias_2.sqrt() / bias_1,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon * correction,
            keep: step.keep,
        }
    }

    pub(super) fn check_as(&self, name: &'static str) -> Result<()> {
        non_negative(name, &[("epsilon", self.epsilon)])?;
        decays(name, &[("beta_1", self.beta_1), ("beta_2", self.beta_2)])
    }
}

impl Optimizer for Adam {
    fields!("adam");

    fn check(&self) -> Result<()> {
        self.check_as("adam")
    }

    fn slot_names(&self) -> &'static [&'static str] {
        if self.amsgrad { &["m", "v", "greatest_v"] } else { &["m", "v"] }
    }

    fn update_all(&mut self, moves: Vec<(&mut Tensor, &Tensor)>, step: Step) {
        let rule = self.rule(step);
        match self.amsgrad {
            false => self.common.state.update_all(rule, [0.0; 2], moves),
            true => self.common.state.update_all(AmsGrad(rule), [0.0; 3], moves),
        }
    }

    fn decays(&self) -> bool {
        true
    }
}
