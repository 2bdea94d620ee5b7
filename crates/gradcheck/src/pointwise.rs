//! Pointwise ops against exact derivatives: the value is computed on dual numbers, so there is no step, and the
//! comparison is near machine precision.

use crate::failure::{Failure, Kind, Mismatch};
use crate::{Cause, compare::near};
use cotangent_base::{Binary, Dual, Saves, Unary};
use cotangent_core::{DType, Spec};

/// How close a rule is to the exact derivative.
const RTOL: f64 = 1e-11;
const ATOL: f64 = 1e-13;

/// The cotangents that a rule is tried with.
const COTANGENTS: [f64; 3] = [1.0, -0.7, 3.0];

/// A double dual number: value, derivative and second derivative.
type Second = Dual<Dual<f64>>;

/// Compares the rule of `op`, and the rule's derivative, with the exact ones at each of `points`.
///
/// ```
/// use cotangent_core::ops::Exp;
/// cotangent_gradcheck::pointwise::unary(Exp, &[-2.0, 0.0, 1.5])?;
/// # Ok::<(), cotangent_gradcheck::Failure>(())
/// ```
pub fn unary<U: Unary>(op: U, points: &[f64]) -> Result<usize, Failure> {
    let mut found = Found::new(U::NAME, points.len());
    for (i, &x) in points.iter().enumerate() {
        let y = op.forward(Dual::variable(x));
        let both = Second { value: Dual::variable(x), tangent: Dual::constant(1.0) };
        let second = op.forward(both).tangent.tangent;
        let saved = match U::SAVES {
            Saves::Output => y,
            _ => Dual::variable(x),
        };
        for dy in COTANGENTS {
            found.compare(0, i, op.vjp(saved.value, dy), dy * y.tangent)?;
            // the rule reads x or y: the second derivative goes by the chain rule through what it saved
            found.compare(0, i, op.vjp(saved, Dual::constant(dy)).tangent, dy * second)?;
        }
    }
    Ok(found.compared)
}

/// Compares the rules of `op` for both operands, and their derivatives, with the exact ones at each of `points`.
pub fn binary<B: Binary>(op: B, points: &[[f64; 2]]) -> Result<usize, Failure> {
    let mut found = Found::new(B::NAME, points.len());
    for (i, &[a, b]) in points.iter().enumerate() {
        let lift = |x: f64, on: bool| if on { Dual::variable(x) } else { Dual::constant(x) };
        for operand in 0..2 {
            let y = op.forward(lift(a, operand == 0), lift(b, operand == 1));
            for dy in COTANGENTS {
                found.compare(operand, i, op.vjp(a, b, dy)[operand], dy * y.tangent)?;
                for by in 0..2 {
                    let lift2 = |x: f64, at: usize| Second {
                        value: lift(x, by == at),
                        tangent: Dual::constant(if operand == at { 1.0 } else { 0.0 }),
                    };
                    let exact = op.forward(lift2(a, 0), lift2(b, 1)).tangent.tangent;
                    let rule = op.vjp(lift(a, by == 0), lift(b, by == 1), Dual::constant(dy))[operand];
                    found.compare(operand, i, rule.tangent, dy * exact)?;
                }
            }
        }
    }
    Ok(found.compared)
}

/// Counts the comparisons and makes the failure.
struct Found {
    op: &'static str,
    points: usize,
    compared: usize,
}

impl Found {
    fn new(op: &'static str, points: usize) -> Self {
        Self { op, points, compared: 0 }
    }

    fn compare(&mut self, input: usize, element: usize, analytic: f64, exact: f64) -> Result<(), Failure> {
        self.compared += 1;
        if near(analytic, exact, RTOL, ATOL) {
            return Ok(());
        }
        let mismatch = Mismatch {
            input,
            spec: Spec::new([self.points], DType::F64),
            element: vec![element],
            output: Some((0, vec![element])),
            analytic,
            numeric: exact,
            tolerance: ATOL + RTOL * exact.abs(),
            wrong: (1, self.compared),
            cause: if analytic == -exact { Cause::Sign } else { Cause::Unknown },
        };
        Err(Failure::new(self.op, Kind::Gradient(mismatch)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cotangent_base::Lane;

    #[derive(Clone, Copy)]
    struct Wrong;
    impl Binary for Wrong {
        const NAME: &'static str = "wrong_product";
        fn forward<L: Lane>(self, a: L, b: L) -> L {
            a * b
        }
        fn vjp<L: Lane>(self, a: L, _: L, dy: L) -> [L; 2] {
            [dy * a, dy * a]
        }
    }

    #[test]
    fn a_wrong_rule_is_found_at_its_operand() {
        let failure = binary(Wrong, &[[2.0, 2.0], [2.0, 3.0]]).unwrap_err();
        let Kind::Gradient(m) = *failure.kind else { panic!("{failure}") };
        assert_eq!(m.input, 0);
    }

    #[test]
    fn a_rule_that_gives_nan_is_found() {
        #[derive(Clone, Copy)]
        struct Nan;
        impl Unary for Nan {
            const NAME: &'static str = "nan";
            const SAVES: Saves = Saves::Inputs;
            fn forward<L: Lane>(self, x: L) -> L {
                x.abs()
            }
            fn vjp<L: Lane>(self, x: L, dy: L) -> L {
                dy * x / x.abs()
            }
        }
        unary(Nan, &[1.0, -2.0]).unwrap();
        assert!(unary(Nan, &[0.0]).is_err());
    }
}
