//! Matrix products: `y = a·b (+ bias)`, batched, from any strides.
//!
//! `loops` divides the work into blocks and jobs, `pack` copies the blocks to where the microkernel of
//! `kernel` reads them in order; `dot` is for a matrix times a vector, `sparse` for a left operand that is mostly zeros.

mod dot;
mod kernel;
mod loops;
mod operands;
mod pack;
mod parts;
mod sparse;
#[cfg(test)]
pub(crate) mod tests;
mod tile;

pub(crate) use kernel::{Block, Start};
pub(crate) use loops::Product;
pub(crate) use operands::{Group, Left, LeftBlock, Right, Rows, Run};
pub(crate) use pack::{Cuts, Lhs, Packer, Scratch, Strided, apart, collide};
pub(crate) use parts::add_up;
pub(crate) use tile::{Tile, TileOf};

use crate::Buffer;
use crate::dense::dense;
use crate::dispatch::for_float;
use crate::par::{Shared, for_ranges, threads};
use crate::simd::{Level, SimdFloat};
use cotangent_base::{Element, Layout, Shape, View};
use std::borrow::Cow;

/// `y = a·b (+ bias)`: `a [.., M, K]`, `b [.., K, N]` with equal leading axes (stride 0 where broadcast),
/// `bias [N]`; y is `[.., M, N]`. With K = 0 it is the bias, or 0.
///
/// # Panics
/// If the sizes do not fit, or the dtypes are not all f32 or all f64.
pub fn matmul(a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>) -> Buffer {
    for_float!("matmul", a.buffer.dtype(), T => matmul_at::<T>(Level::current(), a, b, bias))
}

/// `C = a·b + β·C` for `a [M, K]`, `b [K, N]` and C the part `c` of `out`, `[M, N]`: its columns touch, and its rows
/// may be further apart. Nothing between or beyond them is written, and with β = 0 nothing is read. With K = 0 it is
/// β·C.
///
/// # Panics
/// If the sizes do not fit, the dtypes are not all f32 or all f64, or `c` lies otherwise or beyond `out`.
pub fn gemm(a: View<Buffer>, b: View<Buffer>, beta: f64, out: &mut Buffer, c: Layout) {
    for_float!("gemm", out.dtype(), T => gemm_at::<T>(Level::current(), a, b, T::from_f64(beta), out.as_mut(), c))
}

/// [`gemm`] at the given level.
fn gemm_at<T: SimdFloat>(level: Level, a: View<Buffer>, b: View<Buffer>, beta: T, out: &mut [T], c: Layout) {
    let (sizes, [m, n]) = ((a.shape(), b.shape()), [c.shape[0], c.shape[1]]);
    let k = a.shape()[1];
    assert!(sizes == ([m, k].into(), [k, n].into()), "[gemm] a {}, b {} and C {}", a.shape(), b.shape(), c.shape);
    let [down, across] = [c.strides()[0], c.strides()[1]];
    assert!(across == 1 || n <= 1, "[gemm] the columns of C are {across} apart");
    let stride = if m > 1 { down.max(0) as usize } else { n };
    assert!(stride >= n, "[gemm] the rows of C are {down} apart and {n} long");
    if m == 0 || n == 0 {
        return;
    }
    let y = &mut out[c.offset..];
    if beta != T::default() {
        y.chunks_mut(stride).take(m).for_each(|row| row[..n].iter_mut().for_each(|y| *y = *y * beta));
    }
    let (xa, xb) = (a.buffer, b.buffer);
    let (a, b) = (Matrix::new(&a.layout, a.layout.offset), Matrix::new(&b.layout, b.layout.offset));
    let to = Target { y, stride, add: beta != T::default(), results: m * n, spread: true };
    multiply(level, (xa, a), (xb, b), None, to);
}

/// One matrix of a batch: where it starts, its sizes `[rows, columns]` and their strides.
#[derive(Clone, Copy)]
struct Matrix {
    at: usize,
    size: [usize; 2],
    stride: [isize; 2],
}

impl Matrix {
    /// The last two axes of `layout`, for the matrix that starts at `at`.
    fn new(layout: &Layout, at: usize) -> Self {
        let last = layout.shape.rank() - 2;
        let (n, s) = (&layout.shape[last..], &layout.strides()[last..]);
        Self { at, size: [n[0], n[1]], stride: [s[0], s[1]] }
    }

    fn transposed(self) -> Self {
        let ([m, n], [i, j]) = (self.size, self.stride);
        Self { at: self.at, size: [n, m], stride: [j, i] }
    }

    /// With its rows as lanes: a left operand.
    fn left<T: SimdFloat>(self, data: &[T]) -> Strided<'_, T> {
        Strided::new(data, self.at, self.size, self.stride)
    }

    /// With its columns as lanes: a right operand.
    fn right<T: SimdFloat>(self, data: &[T]) -> Strided<'_, T> {
        self.transposed().left(data)
    }
}

/// [`matmul`] at the given level.
fn matmul_at<T: SimdFloat>(level: Level, a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>) -> Buffer {
    let bias = bias.map(dense::<T>);
    let (la, lb) = (fold(a.layout, b.layout).unwrap_or(a.layout), b.layout);
    let rank = la.shape.rank();
    let (m, k, n) = (la.shape[rank - 2], la.shape[rank - 1], lb.shape[lb.shape.rank() - 1]);
    assert_eq!(k, lb.shape[lb.shape.rank() - 2], "[matmul] the inner sizes of {} and {}", a.shape(), b.shape());
    let lead = leading(&la);
    let lead_b = if rank == 2 { Layout::new(Shape::SCALAR, &[], lb.offset) } else { leading(&lb) };
    let batch = lead.shape.count();
    let size = m * n;
    let alone = batch > 1 && batch >= threads();
    let (xa, xb) = (a.buffer, b.buffer);
    Buffer::build(batch * size, |y| {
        let y = Shared::new(y);
        for_ranges(batch, if alone { 1 } else { batch }, |start, end| {
            for i in start..end {
                // SAFETY: each matrix of the batch has a place of its own.
                let y = unsafe { y.part(i * size, (i + 1) * size) };
                let a = Matrix::new(&la, lead.place(i));
                let b = Matrix::new(&lb, lead_b.place(i));
                let to = Target { y, stride: n, add: false, results: batch * size, spread: !alone };
                multiply(level, (xa, a), (xb, b), bias.as_deref(), to);
            }
        });
    })
}

/// The leading axes, without the last two.
fn leading(layout: &Layout) -> Layout {
    let lead = layout.shape.rank() - 2;
    Layout::new(Shape::new(&layout.shape[..lead]), &layout.strides()[..lead], layout.offset)
}

/// If b is one matrix for the whole batch and a's leading axes run on into its rows: a as one tall matrix.
fn fold(a: Layout, b: Layout) -> Option<Layout> {
    let lead = leading(&b);
    let one = lead.shape.iter().zip(lead.strides()).all(|(&n, &s)| n == 1 || s == 0);
    let k = a.shape[a.shape.rank() - 1];
    if !one || a.shape.rank() == 2 || a.shape.count() == 0 {
        return None;
    }
    a.reshape(Shape::from([a.shape.count() / k, k]))
}

/// One product of a batch, and where its result goes: element (i, j) at `i·stride + j`.
struct Target<'a, T> {
    y: &'a mut [T],
    stride: usize,
    /// Whether the products are added to what is there.
    add: bool,
    /// The number of elements of the whole batch.
    results: usize,
    /// Whether the work may be spread over the threads.
    spread: bool,
}

/// One product: as a matrix times a vector if b has one column or all of a is one row, else in blocks. This depends on
/// the shapes alone, so that no stride changes a bit. Skipping zeros of a does not change one either.
fn multiply<T: SimdFloat>(
    level: Level,
    (xa, a): (&Buffer, Matrix),
    (xb, b): (&Buffer, Matrix),
    bias: Option<&[T]>,
    to: Target<T>,
) {
    let ([rows, depth], [_, cols]) = (a.size, b.size);
    if rows == 0 || cols == 0 {
        return;
    }
    let (a_rows, b_columns) = (a.left(xa.as_slice()), b.right(xb.as_slice()));
    if cols != 1 && to.results != cols {
        if cols <= NARROW && rows >= TALL && bias.is_none() && !to.add && a_rows.lanes_touch() {
            return narrow(level, (a_rows, rows), (b_columns, cols), depth, to);
        }
        let product = Product { level, rows, cols, depth, a: a_rows, b: b_columns, bias, spread: to.spread };
        if !sparse::compute(&product, to.y, to.stride, to.add, to.results) {
            product.compute(to.y, to.stride, to.add, to.results);
        }
        return;
    }
    let mut sums = Buffer::uninit(T::DTYPE, rows * cols);
    let (matrix, of, vector) = match cols {
        1 => (a_rows, xa, gather(xb.as_slice(), b)),
        _ => (b_columns, xb, gather(xa.as_slice(), a)),
    };
    dot::product(level, matrix, of, &vector, sums.as_mut::<T>(), to.spread);
    let step = if cols == 1 { to.stride } else { 1 };
    for (i, (y, &sum)) in to.y.iter_mut().step_by(step).zip(sums.as_slice::<T>()).enumerate() {
        let start = bias.map(|bias| bias[if cols == 1 { 0 } else { i }]);
        *y = match start {
            Some(bias) => sum + bias,
            None if to.add => *y + sum,
            None => sum,
        };
    }
}

/// With so few columns of C, and with so many rows, a matrix whose rows touch is better the right operand: its vectors are full,
/// and it need not be packed.
const NARROW: usize = 16;
const TALL: usize = 64;

/// C by its transpose, `Bᵀ·Aᵀ`: each sum is the same.
fn narrow<T: SimdFloat>(
    level: Level,
    (a, rows): (Strided<T>, usize),
    (b, cols): (Strided<T>, usize),
    depth: usize,
    to: Target<T>,
) {
    let mut turned = Buffer::uninit(T::DTYPE, cols * rows);
    let product = Product { level, rows: cols, cols: rows, depth, a: b, b: a, bias: None, spread: to.spread };
    product.compute(turned.as_mut::<T>(), rows, false, to.results);
    let turned = turned.as_slice::<T>();
    for (i, y) in to.y.chunks_mut(to.stride).take(rows).enumerate() {
        y.iter_mut().zip(turned[i..].iter().step_by(rows)).for_each(|(y, &sum)| *y = sum);
    }
}

/// The numbers of a vector, which stay where they are if they touch.
fn gather<T: SimdFloat>(data: &[T], m: Matrix) -> Cow<'_, [T]> {
    let (count, stride) = if m.size[0] == 1 { (m.size[1], m.stride[1]) } else { (m.size[0], m.stride[0]) };
    if stride == 1 {
        return Cow::Borrowed(&data[m.at..][..count]);
    }
    (0..count as isize).map(|i| data[(m.at as isize + i * stride) as usize]).collect()
}
