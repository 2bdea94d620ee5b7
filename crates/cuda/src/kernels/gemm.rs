//! Matrix products.

use super::memory::copy;
use super::{launch, reduce, start};
use crate::Buffer;
use cotangent_base::{Axes, Layout, Reduce, Result, Shape, View};
use cotangent_kernels::GEMM;

/// Rows and columns of a tile.
pub const TILE: usize = 64;

/// The parameter of the kernel.
#[repr(C)]
struct Gemm {
    a: u64,
    b: u64,
    bias: u64,
    y: u64,
    a_batch: i64,
    b_batch: i64,
    rows: i32,
    columns: i32,
    depth: i32,
    batch: i32,
    a_row: i32,
    a_depth: i32,
    b_depth: i32,
    b_column: i32,
    bias_stride: i32,
    splits: i32,
    chunk: i32,
}

/// The most blocks along the third axis of a grid.
const GRID_Z: usize = 65_535;

/// In how many parts a long sum is cut where there are too few tiles to keep a GPU busy, and how long each is: of the sizes
/// alone, so that the bits of a result do not depend on the GPU.
pub fn splits(tiles: usize, depth: usize) -> (usize, usize) {
    const PART: usize = 256;
    let splits = (128 / tiles.max(1)).min(depth.div_ceil(PART)).clamp(1, 128);
    let chunk = depth.div_ceil(splits).max(1);
    (depth.div_ceil(chunk).max(1), chunk)
}

/// The sum over the first axis of `[splits, count]`.
pub fn add_splits(partial: Buffer, splits: usize) -> Result<Buffer> {
    if splits == 1 {
        return Ok(partial);
    }
    let layout = Layout::contiguous(Shape::from([splits, partial.len() / splits]));
    reduce::reduce(Reduce::Sum, View { buffer: &partial, layout }, Axes::from_iter([0]))
}

/// The leading axes as one of this stride, if one stride serves them.
fn batch_stride(layout: &Layout) -> Option<isize> {
    let rank = layout.shape.rank() - 2;
    let lead = Layout::new(Shape::new(&layout.shape[..rank]), &layout.strides()[..rank], 0).collapsed();
    match lead.shape.rank() {
        0 => Some(0),
        1 => Some(lead.strides()[0]),
        _ => None,
    }
}

/// `y = a·b (+ bias)`.
pub fn matmul(a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>) -> Result<Buffer> {
    if batch_stride(&a.layout).is_none() {
        let buffer = copy(a)?;
        return matmul(View { buffer: &buffer, layout: Layout::contiguous(a.shape()) }, b, bias);
    }
    if batch_stride(&b.layout).is_none() {
        let buffer = copy(b)?;
        return matmul(a, View { buffer: &buffer, layout: Layout::contiguous(b.shape()) }, bias);
    }
    product(a, b, bias)
}

fn product(a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>) -> Result<Buffer> {
    let rank = a.shape().rank();
    let (rows, depth, columns) = (a.shape()[rank - 2], a.shape()[rank - 1], b.shape()[rank - 1]);
    let batch: usize = a.shape()[..rank - 2].iter().product();
    let tiles = rows.div_ceil(TILE) * columns.div_ceil(TILE);
    let (splits, chunk) = if bias.is_some() { (1, depth.max(1)) } else { splits(tiles * batch, depth) };
    let (device, dtype) = (a.buffer.device(), a.buffer.dtype());
    let y = Buffer::uninit(device, dtype, splits * batch * rows * columns)?;
    if y.is_empty() {
        return Ok(y);
    }
    let address = |x: View<Buffer>| x.buffer.address(x.layout.offset);
    let stride = |x: View<Buffer>, axis: usize| x.layout.strides()[axis] as i32;
    let batch_stride = |x: View<Buffer>| batch_stride(&x.layout).unwrap_or(0) as i64;
    let at_once = GRID_Z / splits;
    for first in (0..batch).step_by(at_once) {
        let count = at_once.min(batch - first);
        let bytes = dtype.bytes() as i64;
        let from = |x: View<Buffer>| address(x).wrapping_add_signed(first as i64 * batch_stride(x) * bytes);
        let params = Gemm {
            a: from(a),
            b: from(b),
            bias: bias.map_or(0, address),
            y: start(&y) + (first * rows * columns * dtype.bytes()) as u64,
            a_batch: batch_stride(a),
            b_batch: batch_stride(b),
            rows: rows as i32,
            columns: columns as i32,
            depth: depth as i32,
            batch: batch as i32,
            a_row: stride(a, rank - 2),
            a_depth: stride(a, rank - 1),
            b_depth: stride(b, rank - 2),
            b_column: stride(b, rank - 1),
            bias_stride: bias.map_or(0, |bias| stride(bias, 0)),
            splits: splits as i32,
            chunk: chunk as i32,
        };
        let grid = [rows.div_ceil(TILE), columns.div_ceil(TILE), count * splits];
        // SAFETY: the strides are those of views that lie in their buffers; y has splits·batch·rows·columns elements.
        unsafe { launch(device, GEMM, "gemm", dtype, grid, &params)? };
    }
    add_splits(y, splits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_cover_the_depth() {
        for (tiles, depth) in [(1, 0), (1, 1), (1, 255), (1, 257), (1, 73_728), (5, 73_728), (4, 9216), (1000, 9216)] {
            let (splits, chunk) = splits(tiles, depth);
            assert!(
                splits * chunk >= depth && (splits - 1) * chunk < depth.max(1),
                "{tiles}, {depth}: {splits} of {chunk}"
            );
        }
        assert_eq!(splits(1000, 9216).0, 1);
    }
}
