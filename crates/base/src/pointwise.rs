//! [`Unary`] and [`Binary`]: a pointwise op as one text, value and derivative side by side, and the
//! [`Map`]s that follow from it.

use crate::{Dual, IntegerOp, Lane, Map};

/// What the graph keeps of an op for its backward rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saves {
    /// Nothing: the rule needs the cotangent alone.
    Nothing,
    /// The operands.
    Inputs,
    /// The result.
    Output,
    /// The operands and the result.
    Both,
}

impl Saves {
    /// Whether the operands are kept.
    pub const fn inputs(self) -> bool {
        matches!(self, Saves::Inputs | Saves::Both)
    }
    /// Whether the result is kept.
    pub const fn output(self) -> bool {
        matches!(self, Saves::Output | Saves::Both)
    }
}

/// A pointwise op of one operand. Shape: any → same. Its numbers (a slope, an exponent) are fields of `self`.
pub trait Unary: Copy + Send + Sync + 'static {
    /// The op's name in graphs, messages and the case table.
    const NAME: &'static str;
    /// What the rule reads: [`Saves::Inputs`] gives it `x`, [`Saves::Output`] gives it `y`; never both.
    const SAVES: Saves;
    /// `y = f(x)`.
    fn forward<L: Lane>(self, x: L) -> L;
    /// `dx = dy · f′(x)`, from `saved` (`x` or `y` as [`Self::SAVES`] says). Must be linear in `dy`.
    fn vjp<L: Lane>(self, saved: L, dy: L) -> L;
}

/// A pointwise op of two operands of equal (broadcast) shape.
pub trait Binary: Copy + Send + Sync + 'static {
    /// The op's name in graphs, messages and the case table.
    const NAME: &'static str;
    /// `y = f(a, b)`.
    fn forward<L: Lane>(self, a: L, b: L) -> L;
    /// `[da, db]`, the cotangents of both operands. Must be linear in `dy`.
    fn vjp<L: Lane>(self, a: L, b: L, dy: L) -> [L; 2];
    /// The same op on integers, if it has a meaning there.
    const INTEGERS: Option<IntegerOp> = None;
}

/// The map of a [`Unary`] op's value: `[x] → y`.
#[derive(Clone, Copy)]
pub struct Forward1<U>(pub U);
impl<U: Unary> Map<1> for Forward1<U> {
    #[inline(always)]
    fn eval<L: Lane>(self, [x]: [L; 1]) -> L {
        self.0.forward(x)
    }
}

/// The map of a [`Unary`] op's backward rule: `[saved, dy] → dx`.
#[derive(Clone, Copy)]
pub struct Vjp1<U>(pub U);
impl<U: Unary> Map<2> for Vjp1<U> {
    #[inline(always)]
    fn eval<L: Lane>(self, [saved, dy]: [L; 2]) -> L {
        self.0.vjp(saved, dy)
    }
}

/// The map of the derivative of a [`Unary`] op's backward rule with respect to what it saved:
/// `[saved, dy, g] → g · ∂vjp(saved, dy)/∂saved`, exact, by dual numbers.
#[derive(Clone, Copy)]
pub struct SecondVjp1<U>(pub U);
impl<U: Unary> Map<3> for SecondVjp1<U> {
    const FAST: bool = false;
    #[inline(always)]
    fn eval<L: Lane>(self, [saved, dy, g]: [L; 3]) -> L {
        g * self.0.vjp(Dual::variable(saved), Dual::constant(dy)).tangent
    }
}

/// The map of a [`Binary`] op's value: `[a, b] → y`.
#[derive(Clone, Copy)]
pub struct Forward2<B>(pub B);
impl<B: Binary> Map<2> for Forward2<B> {
    #[inline(always)]
    fn eval<L: Lane>(self, [a, b]: [L; 2]) -> L {
        self.0.forward(a, b)
    }
}

/// The map of a [`Binary`] op's backward rule for operand `I`: `[a, b, dy] → da` or `db`.
#[derive(Clone, Copy)]
pub struct Vjp2<B, const I: usize>(pub B);
impl<B: Binary, const I: usize> Map<3> for Vjp2<B, I> {
    #[inline(always)]
    fn eval<L: Lane>(self, [a, b, dy]: [L; 3]) -> L {
        self.0.vjp(a, b, dy)[I]
    }
}

/// The map of the derivative of [`Vjp2`] with respect to operand `J`: `[a, b, dy, g] → g · ∂dI/∂J`.
#[derive(Clone, Copy)]
pub struct SecondVjp2<B, const I: usize, const J: usize>(pub B);
impl<B: Binary, const I: usize, const J: usize> Map<4> for SecondVjp2<B, I, J> {
    const FAST: bool = false;
    #[inline(always)]
    fn eval<L: Lane>(self, [a, b, dy, g]: [L; 4]) -> L {
        let lift = |x, k| if J == k { Dual::variable(x) } else { Dual::constant(x) };
        g * self.0.vjp(lift(a, 0), lift(b, 1), Dual::constant(dy))[I].tangent
    }
}
