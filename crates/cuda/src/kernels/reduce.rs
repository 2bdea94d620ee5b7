//! Reductions over any axes, and where the extremes are.

use super::memory::{copy, dense};
use super::{BLOCK, launch, start};
use crate::Buffer;
use cotangent_base::{Axes, DType, Reduce, Result, Shape, View};
use cotangent_kernels::REDUCE;

/// `[outer, n, inner]`, folded over n.
#[derive(Clone, Copy)]
struct Extent {
    outer: usize,
    n: usize,
    inner: usize,
}

/// The parameter of the folding kernels.
#[repr(C)]
struct Fold {
    x: u64,
    y: u64,
    outer: i32,
    n: i32,
    inner: i32,
    chunks: i32,
    chunk: i32,
}

/// The parameter of the searching kernels.
#[repr(C)]
struct Arg {
    x: u64,
    y: u64,
    outer: i32,
    n: i32,
    inner: i32,
    greatest: i32,
}

/// The warps of a block.
const WARPS: usize = BLOCK / 32;

/// The reduction over `axes`: each run of neighbouring reduced axes by itself, the last run first.
pub fn reduce(op: Reduce, x: View<Buffer>, axes: Axes) -> Result<Buffer> {
    let mut space = None;
    let mut result: Option<Buffer> = None;
    let mut runs = runs(&x.shape(), axes);
    while let Some(last) = runs.iter().rposition(|run| run.1) {
        let size = |runs: &[(usize, bool)]| runs.iter().map(|run| run.0).product();
        let extent = Extent { outer: size(&runs[..last]), n: runs[last].0, inner: size(&runs[last + 1..]) };
        result = Some(match &result {
            None => fold(op, dense(x, &mut space)?, extent)?,
            Some(partial) => fold(op, partial, extent)?,
        });
        runs.remove(last);
    }
    result.map_or_else(|| copy(x), Ok)
}

/// Neighbouring axes that are all reduced, or all not: their size and which.
fn runs(shape: &Shape, axes: Axes) -> Vec<(usize, bool)> {
    let mut runs: Vec<(usize, bool)> = Vec::new();
    for axis in 0..shape.rank() {
        match runs.last_mut() {
            Some((size, reduced)) if *reduced == axes.has(axis) => *size *= shape[axis],
            _ => runs.push((shape[axis], axes.has(axis))),
        }
    }
    runs
}

/// Folds in chunks, and the chunks' results again until one is left.
fn fold(op: Reduce, x: &Buffer, mut extent: Extent) -> Result<Buffer> {
    let mut partial = fold_chunks(op, x, &mut extent)?;
    while extent.n > 1 {
        partial = fold_chunks(op, &partial, &mut extent)?;
    }
    Ok(partial)
}

/// `[outer, n, inner]` to `[outer, chunks, inner]`; `extent` becomes that.
fn fold_chunks(op: Reduce, x: &Buffer, extent: &mut Extent) -> Result<Buffer> {
    let Extent { outer, n, inner } = *extent;
    let (how, chunk) = if inner == 1 { ("rows", 4096) } else { ("columns", 512) };
    let chunks = n.div_ceil(chunk).max(1);
    extent.n = chunks;
    let y = Buffer::uninit(x.device(), x.dtype(), outer * chunks * inner)?;
    if y.is_empty() {
        return Ok(y);
    }
    let [outer_, n_, inner_, chunks_, chunk_] = [outer, n, inner, chunks, chunk].map(|n| n as i32);
    let params =
        Fold { x: start(x), y: start(&y), outer: outer_, n: n_, inner: inner_, chunks: chunks_, chunk: chunk_ };
    let blocks = if inner == 1 { (outer * chunks).div_ceil(WARPS) } else { outer * chunks * inner.div_ceil(32) };
    // SAFETY: x has outer·n·inner elements, y outer·chunks·inner.
    unsafe { launch(x.device(), REDUCE, &format!("{how}_{op:?}"), x.dtype(), [blocks, 1, 1], &params)? };
    Ok(y)
}

/// The index of the first greatest or smallest element along `axis`; of the first NaN if there is one.
pub fn arg_reduce(greatest: bool, x: View<Buffer>, axis: usize) -> Result<Buffer> {
    let shape = x.shape();
    let (outer, n): (usize, usize) = (shape[..axis].iter().product(), shape[axis]);
    let inner: usize = shape[axis + 1..].iter().product();
    let mut space = None;
    let x = dense(x, &mut space)?;
    let y = Buffer::uninit(x.device(), DType::I64, outer * inner)?;
    assert!(n > 0 || y.is_empty(), "[arg_reduce] axis {axis} of {shape} is empty");
    if y.is_empty() {
        return Ok(y);
    }
    let [outer_, n, inner_] = [outer, n, inner].map(|n| n as i32);
    let params = Arg { x: start(x), y: start(&y), outer: outer_, n, inner: inner_, greatest: greatest as i32 };
    // SAFETY: x has outer·n·inner elements, y outer·inner.
    unsafe { launch(x.device(), REDUCE, "arg_reduce", x.dtype(), [(outer * inner).div_ceil(WARPS), 1, 1], &params)? };
    Ok(y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_axes_are_folded_together() {
        let axes = Axes::from_iter([0, 2, 3]);
        assert_eq!(runs(&Shape::from([2, 3, 4, 5, 6]), axes), [(2, true), (3, false), (20, true), (6, false)]);
        assert_eq!(runs(&Shape::SCALAR, Axes::NONE), []);
    }
}
