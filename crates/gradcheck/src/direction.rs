//! Random directions: ⟨u, Jv⟩ from the values against ⟨Jᵀu, v⟩ from the rule, at the price of a few evaluations
//! whatever the size, and bisection where they differ.

use crate::cause::Evidence;
use crate::check::{Passed, Tolerance, weights};
use crate::failure::{Failure, Kind, Mismatch};
use crate::jacobian::index;
use crate::numeric::Slope;
use crate::problem::{Problem, Weights, host};
use crate::sample;

/// Up to this many elements, an input that is wrong is searched element by element, which tells the cause too.
const SEARCHED: usize = 2048;

/// Compares `pairs` random pairs of u and v for each input.
pub fn check(problem: &Problem, tolerance: Tolerance, seed: u64, pairs: usize) -> Result<Passed, Failure> {
    let mut passed = Passed::default();
    for pair in 0..pairs as u64 {
        let u = weights(problem, seed.wrapping_add(1000 + pair));
        let gradients = problem.analytic(&u)?;
        for input in problem.differentiable() {
            let line = Line { problem, tolerance, input, u: &u, gradient: &gradients[input] };
            let v = sample::directions(problem.inputs[input].count(), seed.wrapping_mul(17) + pair);
            let share = line.along(&v);
            if !(share <= 1.0) {
                return Err(line.located(v));
            }
            passed.compared += 1;
            passed.worst = passed.worst.max(share);
        }
    }
    Ok(passed)
}

/// One input's gradient for one weighting of the outputs.
struct Line<'a> {
    problem: &'a Problem<'a>,
    tolerance: Tolerance,
    input: usize,
    u: &'a Weights,
    gradient: &'a [f64],
}

impl Line<'_> {
    /// The slope of the weighted outputs along `v`, and how rough it is.
    fn weighted(&self, slope: &Slope) -> (f64, f64) {
        let u = self.u.concat();
        let value = slope.value.iter().zip(&u).map(|(s, u)| s * u).sum();
        let roughness = slope.roughness.iter().zip(&u).map(|(r, u)| r * u.abs()).sum();
        (value, roughness)
    }

    /// The error along `v` as a share of the tolerance.
    fn along(&self, v: &[f64]) -> f64 {
        let numeric = self.weighted(&self.problem.numeric(self.input, v)).0;
        let analytic: f64 = self.gradient.iter().zip(v).map(|(g, v)| g * v).sum();
        (analytic - numeric).abs() / self.tolerance.at(numeric)
    }

    /// The failure, after a search for the element.
    fn located(&self, v: Vec<f64>) -> Failure {
        let (x, input) = (&self.problem.inputs[self.input], self.input);
        let search = x.count() <= SEARCHED;
        let suspects: Vec<usize> = if search { (0..x.count()).collect() } else { vec![self.bisect(v)] };
        let slopes = suspects.iter().map(|&e| self.weighted(&self.problem.numeric_in(input, e)));
        let (numeric, roughness): (Vec<f64>, Vec<f64>) = slopes.unzip();
        let analytic: Vec<f64> = suspects.iter().map(|&e| self.gradient[e]).collect();
        let shares: Vec<f64> =
            analytic.iter().zip(&numeric).map(|(a, n)| (a - n).abs() / self.tolerance.at(*n)).collect();
        let severity = |i: &usize| if shares[*i].is_nan() { f64::INFINITY } else { shares[*i] };
        let worst = (0..shares.len()).max_by(|a, b| severity(a).total_cmp(&severity(b))).unwrap_or(0);
        let values = host(x);
        let evidence = Evidence {
            shape: if search { x.shape() } else { [1].into() },
            x: &suspects.iter().map(|&e| values[e]).collect::<Vec<_>>(),
            analytic: &analytic,
            numeric: &numeric,
            roughness: roughness[worst] / (analytic[worst] - numeric[worst]).abs(),
            others: Vec::new(),
        };
        let mismatch = Mismatch {
            input,
            spec: x.spec(),
            element: index(&x.shape(), suspects[worst]),
            output: None,
            analytic: analytic[worst],
            numeric: numeric[worst],
            tolerance: self.tolerance.at(numeric[worst]),
            wrong: (shares.iter().filter(|s| !(**s <= 1.0)).count(), shares.len()),
            cause: evidence.cause(),
        };
        Failure::new(self.problem.op, Kind::Gradient(mismatch))
    }

    /// An element whose derivative is wrong: keeps the half of `v` in which the error is greater.
    fn bisect(&self, v: Vec<f64>) -> usize {
        let (mut start, mut end) = (0, v.len());
        let part = |from: usize, to: usize| -> f64 {
            let inside = |(e, v): (usize, &f64)| if (from..to).contains(&e) { *v } else { 0.0 };
            let share = self.along(&v.iter().enumerate().map(inside).collect::<Vec<_>>());
            if share.is_nan() { f64::INFINITY } else { share }
        };
        while end - start > 1 {
            let middle = (start + end) / 2;
            if part(start, middle) >= part(middle, end) { end = middle } else { start = middle }
        }
        start
    }
}
