//! Reductions over any axes, and where the extremes are.

mod arg;
mod block;
pub(crate) mod fold;
mod integers;
#[cfg(test)]
mod tests;

pub use arg::arg_reduce;

use crate::Buffer;
use crate::dense::dense;
use cotangent_base::{Axes, DType, Element, Reduce, Shape, View};
use fold::{Elements, Extent, Max, Number, Prod, Signed, Sum};

/// The reduction of `x` over `axes`; the other axes keep their order.
///
/// The reduction of nothing is 0 (Σ), 1 (Π), −∞ (max) or ∞ (min), for integers their extremes. NaN wins in max
/// and min; integer sums and products wrap. The error of a float sum of n elements is at most 4·√n·u·Σ|x|, and
/// its bits do not depend on the number of threads.
///
/// # Panics
/// For bools.
pub fn reduce(op: Reduce, x: View<Buffer>, axes: Axes) -> Buffer {
    match x.buffer.dtype() {
        DType::F32 => axis_by_axis::<f32>(x, axes, |x, extent| floats(op, x, extent)),
        DType::F64 => axis_by_axis::<f64>(x, axes, |x, extent| floats(op, x, extent)),
        DType::U32 => axis_by_axis::<u32>(x, axes, |x, extent| integers::fold(op, x, extent)),
        DType::I64 => axis_by_axis::<i64>(x, axes, |x, extent| integers::fold(op, x, extent)),
        DType::U8 => axis_by_axis::<u8>(x, axes, |x, extent| integers::fold(op, x, extent)),
        DType::Bool => panic!("[reduce] is for numbers, not for bool"),
    }
}

fn floats<T: Number>(op: Reduce, x: &[T], extent: Extent) -> Buffer {
    match op {
        Reduce::Sum => fold::fold::<T, _, _>(Sum, Elements(x), extent),
        Reduce::Prod => fold::fold::<T, _, _>(Prod, Elements(x), extent),
        Reduce::Max => extremum(x, T::from_f64(1.0), extent),
        Reduce::Min => extremum(x, T::from_f64(-1.0), extent),
    }
}

/// The greatest of `sign·x`, times `sign`.
fn extremum<T: Number>(x: &[T], sign: T, extent: Extent) -> Buffer {
    let mut greatest = fold::fold::<T, _, _>(Max, Signed { x, sign }, extent);
    greatest.as_mut::<T>().iter_mut().for_each(|y| *y = *y * sign);
    greatest
}

/// Folds each run of neighbouring reduced axes, the last run first: what is left is soon small.
fn axis_by_axis<T: Element>(x: View<Buffer>, axes: Axes, fold: impl Fn(&[T], Extent) -> Buffer) -> Buffer {
    let mut runs = runs(&x.shape(), axes);
    let mut result = None;
    while let Some(last) = runs.iter().rposition(|run| run.reduced) {
        let size = |runs: &[Run]| runs.iter().map(|run| run.size).product();
        let extent = Extent { outer: size(&runs[..last]), n: runs[last].size, inner: size(&runs[last + 1..]) };
        result = Some(match &result {
            None => fold(&dense(x), extent),
            Some(buffer) => fold(Buffer::as_slice(buffer), extent),
        });
        runs.remove(last);
    }
    result.unwrap_or_else(|| Buffer::from_slice::<T>(&dense(x)))
}

/// Neighbouring axes of one fate.
struct Run {
    reduced: bool,
    size: usize,
}

fn runs(shape: &Shape, axes: Axes) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (axis, &size) in shape.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if run.reduced == axes.has(axis) => run.size *= size,
            _ => runs.push(Run { reduced: axes.has(axis), size }),
        }
    }
    runs
}
