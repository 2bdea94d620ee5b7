//! [`RmsProp`]: step sizes from a moving average of the squared gradient.

use super::{Common, Optimizer, Step, decays, fields, non_negative, options};
use cotangent_core::{Lane, Result, Tensor, Update};

/// RMSprop (Hinton 2012, lecture 6e of *Neural Networks for Machine Learning*):
///
/// ```text
/// a ← ρ·a + (1 − ρ)·g²
/// c ← ρ·c + (1 − ρ)·g                      if centered; else c = 0
/// u = learning_rate·g / (√(a − c²) + ε)
/// p ← p − u                                without momentum
/// b ← momentum·b + u;  p ← p − b           with momentum
/// ```
///
/// ε stands outside the root, as in Keras up to 2.3 (the version of `mnist_mlp.py`) and in PyTorch. Keras 3 has
/// `√(a − c² + ε)`, which bounds the steps of parameters with small gradients much more:
/// [`epsilon_inside`](RmsProp::epsilon_inside) chooses that form.
pub struct RmsProp {
    rho: f64,
    momentum: f64,
    epsilon: f64,
    epsilon_inside: bool,
    centered: bool,
    common: Common,
}

/// Keras's: learning rate 0.001, ρ 0.9, no momentum, ε 1e-7, not centered.
impl Default for RmsProp {
    fn default() -> Self {
        Self {
            rho: 0.9,
            momentum: 0.0,
            epsilon: 1e-7,
            epsilon_inside: false,
            centered: false,
            common: Common::new(0.001),
        }
    }
}

options! { RmsProp {
    /// ρ, how much of the averages stays at each step.
    rho: f64,
    /// How much of the velocity stays at each step.
    momentum: f64,
    /// ε, added to the root.
    epsilon: f64,
    /// Whether ε is added under the root (Keras 3's form).
    epsilon_inside: bool,
    /// Whether to divide by the deviation of the gradient and not by its root mean square.
    centered: bool,
}}

/// The state is `[a]`, then `c` if centered, then `b` if there is momentum.
#[derive(Clone, Copy)]
struct Rule {
    learning_rate: f64,
    rho: f64,
    momentum: f64,
    /// ε under the root, and outside of it: one of them is 0.
    inside: f64,
    outside: f64,
}

impl Rule {
    #[inline(always)]
    fn average<L: Lane>(self, average: L, x: L) -> L {
        L::splat(self.rho) * average + L::splat(1.0 - self.rho) * x
    }

    /// u, from the mean square or the variance of the gradient.
    #[inline(always)]
    fn pull<L: Lane>(self, g: L, square: L) -> L {
        L::splat(self.learning_rate) * g / ((square + L::splat(self.inside)).sqrt() + L::splat(self.outside))
    }
}

impl Update<1> for Rule {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [a]: [L; 1]) -> (L, [L; 1]) {
        let a = self.average(a, g.square());
        (p - self.pull(g, a), [a])
    }
}

#[derive(Clone, Copy)]
struct WithMomentum(Rule);

impl Update<2> for WithMomentum {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [a, b]: [L; 2]) -> (L, [L; 2]) {
        let a = self.0.average(a, g.square());
        let b = L::splat(self.0.momentum) * b + self.0.pull(g, a);
        (p - b, [a, b])
    }
}

#[derive(Clone, Copy)]
struct Centered(Rule);

impl Centered {
    /// u, a and c. Rounding must not make the variance negative.
    #[inline(always)]
    fn moments<L: Lane>(self, g: L, a: L, c: L) -> [L; 3] {
        let (a, c) = (self.0.average(a, g.square()), self.0.average(c, g));
        [self.0.pull(g, (a - c.square()).max(L::zero())), a, c]
    }
}

impl Update<2> for Centered {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [a, c]: [L; 2]) -> (L, [L; 2]) {
        let [u, a, c] = self.moments(g, a, c);
        (p - u, [a, c])
    }
}

#[derive(Clone, Copy)]
struct CenteredWithMomentum(Rule);

impl Update<3> for CenteredWithMomentum {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [a, c, b]: [L; 3]) -> (L, [L; 3]) {
        let [u, a, c] = Centered(self.0).moments(g, a, c);
        let b = L::splat(self.0.momentum) * b + u;
        (p - b, [a, c, b])
    }
}

impl Optimizer for RmsProp {
    fields!("rmsprop");

    fn check(&self) -> Result<()> {
        non_negative("rmsprop", &[("epsilon", self.epsilon)])?;
        decays("rmsprop", &[("rho", self.rho), ("momentum", self.momentum)])
    }

    fn slot_names(&self) -> &'static [&'static str] {
        match (self.centered, self.momentum > 0.0) {
            (false, false) => &["mean_square"],
            (false, true) => &["mean_square", "momentum"],
            (true, false) => &["mean_square", "mean"],
            (true, true) => &["mean_square", "mean", "momentum"],
        }
    }

    fn update_all(&mut self, moves: Vec<(&mut Tensor, &Tensor)>, step: Step) {
        let Self { rho, momentum, epsilon, .. } = *self;
        let (inside, outside) = if self.epsilon_inside { (epsilon, 0.0) } else { (0.0, epsilon) };
        let rule = Rule { learning_rate: step.learning_rate, rho, momentum, inside, outside };
        let state = &mut self.common.state;
        match (self.centered, momentum > 0.0) {
            (false, false) => state.update_all(rule, [0.0; 1], moves),
            (false, true) => state.update_all(WithMomentum(rule), [0.0; 2], moves),
            (true, false) => state.update_all(Centered(rule), [0.0; 2], moves),
            (true, true) => state.update_all(CenteredWithMomentum(rule), [0.0; 3], moves),
        }
    }
}
