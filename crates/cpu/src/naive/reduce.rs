//! Reductions, element by element.

use cotangent_base::{Axes, Layout, Reduce, Shape};

/// The reduction of `x` over `axes`.
#[inline]
pub fn reduce(op: Reduce, x: &[f64], shape: &Shape, axes: Axes) -> Vec<f64> {
    let (neutral, join): (f64, fn(f64, f64) -> f64) = match op {
        Reduce::Sum => (0.0, |a, b| a + b),
        Reduce::Prod => (1.0, |a, b| a * b),
        Reduce::Max => (f64::NEG_INFINITY, |a, b| if a.is_nan() || a > b { a } else { b }),
        Reduce::Min => (f64::INFINITY, |a, b| if a.is_nan() || a < b { a } else { b }),
    };
    let mut y = vec![neutral; axes.reduce(shape, false).count()];
    let places = places_after(shape, axes);
    for (&x, place) in x.iter().zip(places) {
        y[place] = join(y[place], x);
    }
    y
}

/// Where each element goes: the layout of the result with stride 0 along the reduced axes.
fn places_after(shape: &Shape, axes: Axes) -> Vec<usize> {
    let mut y = Layout::contiguous(axes.reduce(shape, false));
    for axis in axes.iter() {
        y = y.unsqueeze(axis);
    }
    y.expand(*shape).expect("reduced axes stretch").places().collect()
}

/// The index of the first extreme (or first NaN) along `axis`.
#[inline]
pub fn arg_reduce(greatest: bool, x: &[f64], shape: &Shape, axis: usize) -> Vec<usize> {
    let rows = Layout::contiguous(*shape);
    Layout::contiguous(shape.with(axis, 1))
        .places()
        .enumerate()
        .map(|(out, _)| {
            let first = rows.slice(axis, 0, 1, 1).place(out);
            let along = |i: usize| x[first + i * rows.strides()[axis] as usize];
            let wins = |a: f64, b: f64| (if greatest { a > b } else { a < b }) || (a.is_nan() && !b.is_nan());
            (1..shape[axis]).fold(0, |best, i| if wins(along(i), along(best)) { i } else { best })
        })
        .collect()
}
