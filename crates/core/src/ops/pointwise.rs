//! How a pointwise op, written as a [`Unary`] or [`Binary`] over lanes, becomes an op of the graph: value,
//! derivative and second derivative from one text.

use super::check;
use crate::autograd::{Op, Saved, apply};
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
    apply(Pointwise1(op), [x])
}

/// Applies the pointwise op to the elements of `a` and `b`, broadcast to one shape.
///
/// # Panics
/// If the shapes do not broadcast, the dtypes differ, or the op has no meaning on the dtype.
#[track_caller]
pub fn binary<B: Binary>(op: B, a: &Tensor, b: &Tensor) -> Tensor {
    apply(Pointwise2(op), [a, b])
}

/// A [`Unary`] op in the graph.
struct Pointwise1<U>(U);

impl<U: Unary> Op<1> for Pointwise1<U> {
    const NAME: &'static str = U::NAME;
    const SAVES: Saves = U::SAVES;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        check::float(U::NAME, x)?;
        Ok(x)
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (kernels::map(Forward1(self.0), [x]), ())
    }

    fn vjp(&self, saved: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let dx = match U::SAVES {
            Saves::Output => apply(Pointwise1Vjp(self.0), [saved.y(), &dy]),
            Saves::Inputs => apply(Pointwise1Vjp(self.0), [saved.x()[0], &dy]),
            // a rule that reads nothing is a constant times dy
            _ => apply(Pointwise1Vjp(self.0), [&dy.detach(), &dy]),
        };
        [Some(dx)]
    }
}

/// The rule of a [`Unary`] op, `[saved, dy] → dx`, as an op: linear in `dy`, and differentiable in what was saved
/// by dual numbers.
struct Pointwise1Vjp<U>(U);

impl<U: Unary> Op<2> for Pointwise1Vjp<U> {
    const NAME: &'static str = U::NAME;
    const SAVES: Saves = Saves::Inputs;
    type Aux = ();

    fn infer(&self, [saved, _]: [Spec; 2]) -> Result<Spec, ShapeError> {
        Ok(saved)
    }

    fn forward(&self, x: [&Tensor; 2], _: Spec) -> (Tensor, ()) {
        (kernels::map(Vjp1(self.0), x), ())
    }

    fn vjp(&self, saved: Saved<2, ()>, g: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [kept, dy] = saved.x();
        [
            need[0].then(|| kernels::map(SecondVjp1(self.0), [kept, dy, &g])),
            need[1].then(|| kernels::map(Vjp1(self.0), [kept, &g])),
        ]
    }
}

/// A [`Binary`] op in the graph.
struct Pointwise2<B>(B);

impl<B: Binary> Op<2> for Pointwise2<B> {
    const NAME: &'static str = B::NAME;
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [a, b]: [Spec; 2]) -> Result<Spec, ShapeError> {
        arithmetic::<B>(a, b)
    }

    fn forward(&self, [a, b]: [&Tensor; 2], y: Spec) -> (Tensor, ()) {
        (compute(self.0, a, b, y), ())
    }

    fn vjp(&self, saved: Saved<2, ()>, dy: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [a, b] = saved.x();
        let (wide_a, wide_b) = (a.expand(dy.shape()), b.expand(dy.shape()));
        let x = [&wide_a, &wide_b, &dy];
        [
            need[0].then(|| apply(Pointwise2Vjp::<B, 0>(self.0), x).sum_to(a.shape())),
            need[1].then(|| apply(Pointwise2Vjp::<B, 1>(self.0), x).sum_to(b.shape())),
        ]
    }
}

/// The spec of an arithmetic op's result: broadcast shape, one dtype, integers where the op knows them.
pub(super) fn arithmetic<B: Binary>(a: Spec, b: Spec) -> Result<Spec, ShapeError> {
    check::same_dtype(B::NAME, a, b)?;
    if a.dtype == DType::Bool || B::INTEGERS.is_none() {
        check::float(B::NAME, a)?;
    }
    Ok(Spec { shape: check::broadcast(B::NAME, a, b)?, dtype: a.dtype })
}

/// The value of an arithmetic op, outside any graph.
pub(super) fn compute<B: Binary>(op: B, a: &Tensor, b: &Tensor, y: Spec) -> Tensor {
    let (a, b) = (stretched(a, y.shape), stretched(b, y.shape));
    match B::INTEGERS {
        Some(op) if !y.dtype.is_float() => kernels::map_integers(op, &a, &b),
        _ => kernels::map(Forward2(op), [&a, &b]),
    }
}

/// `x` itself, or as a view in this shape, which `infer` has found that it broadcasts to; outside any graph.
fn stretched(x: &Tensor, shape: Shape) -> Cow<'_, Tensor> {
    match x.shape() == shape {
        true => Cow::Borrowed(x),
        false => Cow::Owned(x.with_layout(x.layout.expand(shape).expect("infer has checked"))),
    }
}

/// The rule of a [`Binary`] op for operand `I`, `[a, b, dy] → da` or `db`, as an op.
struct Pointwise2Vjp<B, const I: usize>(B);

impl<B: Binary, const I: usize> Op<3> for Pointwise2Vjp<B, I> {
    const NAME: &'static str = B::NAME;
    const SAVES: Saves = Saves::Inputs;
    type Aux = ();

    fn infer(&self, [a, _, _]: [Spec; 3]) -> Result<Spec, ShapeError> {
        Ok(a)
    }

    fn forward(&self, x: [&Tensor; 3], _: Spec) -> (Tensor, ()) {
        (kernels::map(Vjp2::<B, I>(self.0), x), ())
    }

    fn vjp(&self, saved: Saved<3, ()>, g: Tensor, need: [bool; 3]) -> [Option<Tensor>; 3] {
        let [a, b, dy] = saved.x();
        [
            need[0].then(|| kernels::map(SecondVjp2::<B, I, 0>(self.0), [a, b, dy, &g])),
            need[1].then(|| kernels::map(SecondVjp2::<B, I, 1>(self.0), [a, b, dy, &g])),
            need[2].then(|| kernels::map(Vjp2::<B, I>(self.0), [a, b, &g])),
        ]
    }
}
