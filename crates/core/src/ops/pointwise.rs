//! How a pointwise op, written as a [`Unary`] or [`Binary`] over lanes, becomes an op of the graph: value,
//! derivative and second derivative from one text.

use super::check;
use crate::autograd::{Op, Saved, apply, is_tracking};
use crate::{Spec, Tensor, kernels};
use cotangent_base::*;
use std::borrow::Cow;

/// Applies the pointwise op to every element of `x`.
///
/// ```
/// use cotangent_core::{Lane, Saves, Tensor, Unary, unary};
///
/// /// `y = x·|x|`, `dx = 2|x|·dy`.
/// #[derive(Clone, Copy)]
/// struct SignedSquare;
/// impl Unary for SignedSquare {
///     const NAME: &'static str = "signed_square";
///     const SAVES: Saves = Saves::Inputs;
///     fn forward<L: Lane>(self, x: L) -> L {
///         x * x.abs()
///     }
///     fn vjp<L: Lane>(self, x: L, dy: L) -> L {
///         L::splat(2.0) * x.abs() * dy
///     }
/// }
///
/// let x = Tensor::from([-3.0_f32, 2.0]).tracked();
/// let y = unary(SignedSquare, &x);
/// assert_eq!(y.to_vec::<f32>(), [-9.0, 4.0]);
/// assert_eq!(y.sum(..).backward().wrt(&x).to_vec::<f32>(), [6.0, 4.0]);
/// ```
///
/// # Panics
/// If the dtype is not a float.
#[track_caller]
pub fn unary<U: Unary>(op: U, x: &Tensor) -> Tensor {
    apply(Pointwise1(Box::new(op)), [x])
}

/// Applies the pointwise op to the elements of `a` and `b`, broadcast to one shape.
///
/// # Panics
/// If the shapes do not broadcast, the dtypes differ, or the op has no meaning on the dtype.
#[track_caller]
pub fn binary<B: Binary>(op: B, a: &Tensor, b: &Tensor) -> Tensor {
    apply(Pointwise2(Box::new(op)), [a, b])
}

/// A [`Unary`] op without its type, so that what records it is compiled once and not for every op. Boxed, an op that
/// has no numbers takes no memory.
pub(super) trait Formula1: Send + Sync {
    fn name(&self) -> &'static str;
    fn saves(&self) -> Saves;
    fn boxed(&self) -> Box<dyn Formula1>;
    fn forward(&self, x: [&Tensor; 1]) -> Tensor;
    /// Of what was saved, or dy in its place if that is nothing, and dy, in whose memory it may be computed.
    fn vjp(&self, saved: Option<&Tensor>, dy: Tensor) -> Tensor;
    /// Of `[saved, dy, g]`.
    fn second_vjp(&self, x: [&Tensor; 3]) -> Tensor;
}

impl<U: Unary> Formula1 for U {
    fn name(&self) -> &'static str {
        U::NAME
    }
    fn saves(&self) -> Saves {
        U::SAVES
    }
    fn boxed(&self) -> Box<dyn Formula1> {
        Box::new(*self)
    }
    fn forward(&self, x: [&Tensor; 1]) -> Tensor {
        kernels::map(Forward1(*self), x)
    }
    fn vjp(&self, saved: Option<&Tensor>, dy: Tensor) -> Tensor {
        kernels::map_over(Vjp1(*self), [saved, None], dy)
    }
    fn second_vjp(&self, x: [&Tensor; 3]) -> Tensor {
        kernels::map(SecondVjp1(*self), x)
    }
}

/// A [`Binary`] op without its type.
pub(super) trait Formula2: Send + Sync {
    fn name(&self) -> &'static str;
    fn integers(&self) -> Option<IntegerOp>;
    fn boxed(&self) -> Box<dyn Formula2>;
    fn forward(&self, x: [&Tensor; 2]) -> Tensor;
    /// Of `[a, b, dy]`, for operand 0 or 1.
    fn vjp(&self, operand: usize, x: [&Tensor; 3]) -> Tensor;
    /// Of `[a, b, dy, g]`: the derivative of `vjp` with respect to each operand that `need` asks for.
    fn second_vjp(&self, operand: usize, x: [&Tensor; 4], need: [bool; 2]) -> [Option<Tensor>; 2];
}

impl<B: Binary> Formula2 for B {
    fn name(&self) -> &'static str {
        B::NAME
    }
    fn integers(&self) -> Option<IntegerOp> {
        B::INTEGERS
    }
    fn boxed(&self) -> Box<dyn Formula2> {
        Box::new(*self)
    }
    fn forward(&self, x: [&Tensor; 2]) -> Tensor {
        kernels::map(Forward2(*self), x)
    }
    fn vjp(&self, operand: usize, x: [&Tensor; 3]) -> Tensor {
        match operand {
            0 => kernels::map(Vjp2::<B, 0>(*self), x),
            _ => kernels::map(Vjp2::<B, 1>(*self), x),
        }
    }
    fn second_vjp(&self, operand: usize, x: [&Tensor; 4], need: [bool; 2]) -> [Option<Tensor>; 2] {
        let by_a = || match operand {
            0 => kernels::map(SecondVjp2::<B, 0, 0>(*self), x),
            _ => kernels::map(SecondVjp2::<B, 1, 0>(*self), x),
        };
        let by_b = || match operand {
            0 => kernels::map(SecondVjp2::<B, 0, 1>(*self), x),
            _ => kernels::map(SecondVjp2::<B, 1, 1>(*self), x),
        };
        [need[0].then(by_a), need[1].then(by_b)]
    }
}

/// The name of what stands for several ops, which each have their own.
const SEVERAL: &str = "pointwise";

/// A [`Unary`] op in the graph.
struct Pointwise1(Box<dyn Formula1>);

impl Op<1> for Pointwise1 {
    const NAME: &'static str = SEVERAL;
    const SAVES: Saves = Saves::Both;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn saves(&self) -> Saves {
        self.0.saves()
    }

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        check::float(self.name(), x)?;
        Ok(x)
    }

    fn forward(&self, x: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (self.0.forward(x), ())
    }

    fn vjp(&self, saved: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let kept = match self.saves() {
            Saves::Output => Some(saved.y()),
            Saves::Inputs => Some(saved.x()[0]),
            // a rule that reads nothing is a constant times dy
            _ => None,
        };
        [Some(rule(&*self.0, kept, dy))]
    }
}

/// The rule of a [`Unary`] op, recorded if that is asked for.
fn rule(op: &dyn Formula1, kept: Option<&Tensor>, dy: Tensor) -> Tensor {
    match is_tracking() {
        true => apply(Pointwise1Vjp(op.boxed()), [kept.unwrap_or(&dy.detach()), &dy]),
        false => op.vjp(kept, dy),
    }
}

/// [`rule`] for an op that saves its result.
pub(super) fn vjp_from_result(op: impl Unary, y: &Tensor, dy: Tensor) -> Tensor {
    rule(&op, Some(y), dy)
}

/// The rule of a [`Unary`] op, `[saved, dy] → dx`, as an op: linear in `dy`, and differentiable in what was saved
/// by dual numbers.
struct Pointwise1Vjp(Box<dyn Formula1>);

impl Op<2> for Pointwise1Vjp {
    const NAME: &'static str = SEVERAL;
    const SAVES: Saves = Saves::Inputs;
    type Aux = ();

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn infer(&self, [saved, _]: [Spec; 2]) -> Result<Spec, ShapeError> {
        Ok(saved)
    }

    fn forward(&self, [saved, dy]: [&Tensor; 2], _: Spec) -> (Tensor, ()) {
        (self.0.vjp(Some(saved), dy.clone()), ())
    }

    fn vjp(&self, saved: Saved<2, ()>, g: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [kept, dy] = saved.x();
        [need[0].then(|| self.0.second_vjp([kept, dy, &g])), need[1].then(|| self.0.vjp(Some(kept), g.clone()))]
    }
}

/// A [`Binary`] op in the graph.
struct Pointwise2(Box<dyn Formula2>);

impl Op<2> for Pointwise2 {
    const NAME: &'static str = SEVERAL;
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn infer(&self, [a, b]: [Spec; 2]) -> Result<Spec, ShapeError> {
        arithmetic(&*self.0, a, b)
    }

    fn forward(&self, [a, b]: [&Tensor; 2], y: Spec) -> (Tensor, ()) {
        (compute(&*self.0, a, b, y), ())
    }

    fn vjp(&self, saved: Saved<2, ()>, dy: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [a, b] = saved.x();
        let (wide_a, wide_b) = (a.expand(dy.shape()), b.expand(dy.shape()));
        let x = [&wide_a, &wide_b, &dy];
        let rule = |operand| Pointwise2Vjp { op: self.0.boxed(), operand };
        [need[0].then(|| apply(rule(0), x).sum_to(a.shape())), need[1].then(|| apply(rule(1), x).sum_to(b.shape()))]
    }
}

/// The spec of an arithmetic op's result: broadcast shape, one dtype, integers where the op knows them.
pub(super) fn arithmetic(op: &dyn Formula2, a: Spec, b: Spec) -> Result<Spec, ShapeError> {
    check::same_dtype(op.name(), a, b)?;
    match op.integers() {
        Some(_) => check::number(op.name(), a)?,
        None => check::float(op.name(), a)?,
    }
    Ok(Spec { shape: check::broadcast(op.name(), a, b)?, dtype: a.dtype })
}

/// The value of an arithmetic op, outside any graph.
pub(super) fn compute(op: &dyn Formula2, a: &Tensor, b: &Tensor, y: Spec) -> Tensor {
    let (a, b) = (stretched(a, y.shape), stretched(b, y.shape));
    match op.integers() {
        Some(op) if !y.dtype.is_float() => kernels::map_integers(op, &a, &b),
        _ => op.forward([&a, &b]),
    }
}

/// `x` itself, or as a view in this shape, which `infer` has found that it broadcasts to; outside any graph.
fn stretched(x: &Tensor, shape: Shape) -> Cow<'_, Tensor> {
    match x.shape() == shape {
        true => Cow::Borrowed(x),
        false => Cow::Owned(x.with_layout(x.layout.expand(shape).expect("infer has checked"))),
    }
}

/// The rule of a [`Binary`] op for operand 0 or 1, `[a, b, dy] → da` or `db`, as an op.
struct Pointwise2Vjp {
    op: Box<dyn Formula2>,
    operand: usize,
}

impl Op<3> for Pointwise2Vjp {
    const NAME: &'static str = SEVERAL;
    const SAVES: Saves = Saves::Inputs;
    type Aux = ();

    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn infer(&self, [a, _, _]: [Spec; 3]) -> Result<Spec, ShapeError> {
        Ok(a)
    }

    fn forward(&self, x: [&Tensor; 3], _: Spec) -> (Tensor, ()) {
        (self.op.vjp(self.operand, x), ())
    }

    fn vjp(&self, saved: Saved<3, ()>, g: Tensor, need: [bool; 3]) -> [Option<Tensor>; 3] {
        let [a, b, dy] = saved.x();
        let [da, db] = self.op.second_vjp(self.operand, [a, b, dy, &g], [need[0], need[1]]);
        [da, db, need[2].then(|| self.op.vjp(self.operand, [a, b, &g]))]
    }
}
