//! The full Jacobian, row by row from the rule and column by column from the values.

use crate::cause::Evidence;
use crate::check::{Passed, Tolerance, weights};
use crate::failure::{Failure, Kind, Mismatch};
use crate::numeric::Slope;
use crate::problem::{Problem, Weights, host};

/// Compares every entry.
pub fn check(problem: &Problem, tolerance: Tolerance, seed: u64) -> Result<Passed, Failure> {
    let rows = rows(problem)?;
    let mut passed = Passed::default();
    for input in problem.differentiable() {
        let columns: Vec<Slope> =
            (0..problem.inputs[input].count()).map(|element| problem.numeric_in(input, element)).collect();
        let block = Block { problem, tolerance, input, rows: &rows, columns: &columns };
        let shares: Vec<f64> = block.entries().map(|(row, element)| block.share(row, element)).collect();
        let wrong = shares.iter().filter(|share| !(**share <= 1.0)).count();
        if wrong > 0 {
            return Err(block.located(&shares, wrong, seed));
        }
        passed.compared += shares.len();
        passed.worst = shares.into_iter().fold(passed.worst, f64::max);
    }
    Ok(passed)
}

/// A row of the Jacobian: one element of an output, and its gradients by all inputs.
struct Row {
    output: usize,
    element: usize,
    gradients: Vec<Vec<f64>>,
}

fn rows(problem: &Problem) -> Result<Vec<Row>, Failure> {
    let zeros: Weights = problem.outputs.iter().map(|(_, shape)| vec![0.0; shape.count()]).collect();
    let mut rows = Vec::new();
    for output in 0..problem.outputs.len() {
        for element in 0..zeros[output].len() {
            let mut one = zeros.clone();
            one[output][element] = 1.0;
            rows.push(Row { output, element, gradients: problem.analytic(&one)? });
        }
    }
    Ok(rows)
}

/// The part of the Jacobian that belongs to one input.
struct Block<'a> {
    problem: &'a Problem<'a>,
    tolerance: Tolerance,
    input: usize,
    rows: &'a [Row],
    columns: &'a [Slope],
}

impl Block<'_> {
    /// The places of its entries: row and element of the input.
    fn entries(&self) -> impl Iterator<Item = (usize, usize)> {
        let columns = self.columns.len();
        (0..self.rows.len() * columns).map(move |i| (i / columns, i % columns))
    }

    fn analytic(&self, row: usize, element: usize) -> f64 {
        self.rows[row].gradients[self.input][element]
    }

    fn numeric(&self, row: usize, element: usize) -> f64 {
        self.columns[element].value[row]
    }

    /// The error as a share of what is allowed.
    fn share(&self, row: usize, element: usize) -> f64 {
        let numeric = self.numeric(row, element);
        (self.analytic(row, element) - numeric).abs() / self.tolerance.at(numeric)
    }

    /// The failure at the entry that is worst, NaN being worse than all.
    fn located(&self, shares: &[f64], wrong: usize, seed: u64) -> Failure {
        let severity = |i: &usize| if shares[*i].is_nan() { f64::INFINITY } else { shares[*i] };
        let worst = (0..shares.len()).max_by(|a, b| severity(a).total_cmp(&severity(b))).unwrap_or(0);
        let (row, element) = (worst / self.columns.len(), worst % self.columns.len());
        let (x, Row { output, element: at, .. }) = (&self.problem.inputs[self.input], &self.rows[row]);
        let (output, shape) = self.problem.outputs[*output];
        let (analytic, numeric) = (self.analytic(row, element), self.numeric(row, element));
        let roughness = self.columns[element].roughness[row] / (analytic - numeric).abs();
        let mismatch = Mismatch {
            input: self.input,
            spec: x.spec(),
            element: index(&x.shape(), element),
            output: Some((output, index(&shape, *at))),
            analytic,
            numeric,
            tolerance: self.tolerance.at(numeric),
            wrong: (wrong, shares.len()),
            cause: self.cause(roughness, seed),
        };
        Failure::new(self.problem.op, Kind::Gradient(mismatch))
    }

    /// What fits the gradients with the outputs weighted at random.
    fn cause(&self, roughness: f64, seed: u64) -> crate::Cause {
        let (problem, x) = (self.problem, &self.problem.inputs[self.input]);
        let u = weights(problem, seed).concat();
        let weigh = |slope: &Slope| slope.value.iter().zip(&u).map(|(v, u)| u * v).sum::<f64>();
        let analytic = |e: usize| (0..self.rows.len()).map(|row| u[row] * self.analytic(row, e)).sum();
        let others = problem.differentiable().filter(|&i| i != self.input && problem.inputs[i].count() == x.count());
        let gradient = |i: usize| (0..x.count()).map(|e| weigh(&problem.numeric_in(i, e))).collect();
        Evidence {
            shape: x.shape(),
            x: &host(x),
            analytic: &(0..x.count()).map(analytic).collect::<Vec<f64>>(),
            numeric: &self.columns.iter().map(weigh).collect::<Vec<f64>>(),
            roughness,
            others: others.map(|i| (i, gradient(i))).collect(),
        }
        .cause()
    }
}

/// The index of the `element`-th element in row-major order.
pub fn index(shape: &[usize], mut element: usize) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for axis in (0..shape.len()).rev() {
        index[axis] = element % shape[axis];
        element /= shape[axis];
    }
    index
}
