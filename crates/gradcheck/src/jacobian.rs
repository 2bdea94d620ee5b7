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
        let entries = rows.iter().enumerate().flat_map(|(r, (_, _, row))| {
            row[input].iter().enumerate().map(move |(element, &analytic)| (r, element, analytic))
        });
        let (mut worst, mut wrong, mut all) = ((0.0, 0, 0), 0, 0);
        for (r, element, analytic) in entries {
            let numeric = columns[element].value[r];
            let share = (analytic - numeric).abs() / tolerance.at(numeric);
            all += 1;
            wrong += !(share <= 1.0) as usize;
            if !(share <= worst.0) {
                worst = (if share.is_nan() { f64::INFINITY } else { share }, r, element);
            }
        }
        if wrong > 0 {
            let (_, r, element) = worst;
            return Err(located(problem, tolerance, seed, &rows, input, r, element, &columns, (wrong, all)));
        }
        passed.compared += all;
        passed.worst = passed.worst.max(worst.0);
    }
    Ok(passed)
}

/// One row of the Jacobian: which output and element, and the gradients of that element by all inputs.
type Row = (usize, usize, Vec<Vec<f64>>);

fn rows(problem: &Problem) -> Result<Vec<Row>, Failure> {
    let zeros: Weights = problem.outputs.iter().map(|(_, shape)| vec![0.0; shape.count()]).collect();
    let mut rows = Vec::new();
    for k in 0..problem.outputs.len() {
        for element in 0..zeros[k].len() {
            let mut one = zeros.clone();
            one[k][element] = 1.0;
            rows.push((k, element, problem.analytic(&one)?));
        }
    }
    Ok(rows)
}

#[allow(clippy::too_many_arguments)]
fn located(
    problem: &Problem,
    tolerance: Tolerance,
    seed: u64,
    rows: &[Row],
    input: usize,
    r: usize,
    element: usize,
    columns: &[Slope],
    wrong: (usize, usize),
) -> Failure {
    let u = weights(problem, seed).concat();
    let x = &problem.inputs[input];
    let analytic: Vec<f64> =
        (0..x.count()).map(|e| rows.iter().zip(&u).map(|((_, _, row), u)| u * row[input][e]).sum()).collect();
    let weigh = |v: &[f64]| v.iter().zip(&u).map(|(v, u)| u * v).sum::<f64>();
    let numeric: Vec<f64> = columns.iter().map(|c| weigh(&c.value)).collect();
    let others = problem.differentiable().filter(|&i| i != input && problem.inputs[i].count() == x.count());
    let others = others.map(|i| {
        let columns = (0..x.count()).map(|e| weigh(&problem.numeric_in(i, e).value));
        (i, columns.collect())
    });
    let evidence = Evidence {
        shape: x.shape(),
        x: &host(x),
        analytic: &analytic,
        numeric: &numeric,
        roughness: columns[element].roughness[r] / (rows[r].2[input][element] - columns[element].value[r]).abs(),
        others: others.collect(),
    };
    let (k, at, row) = &rows[r];
    let output = problem.outputs[*k];
    let numeric = columns[element].value[r];
    let mismatch = Mismatch {
        input,
        spec: x.spec(),
        element: index(&x.shape(), element),
        output: Some((output.0, index(&output.1, *at))),
        analytic: row[input][element],
        numeric,
        tolerance: tolerance.at(numeric),
        wrong,
        cause: evidence.cause(),
    };
    Failure::new(problem.op, Kind::Gradient(mismatch))
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
