//! Matrix products: `y = a·b (+ bias)`, batched, from any strides.
//!
//! `loops` divides the work into blocks and jobs, `pack` copies the blocks to where the microkernel of
//! `kernel` reads them in order; `dot` is for a matrix times a vector, where there is nothing to reuse.

mod dot;
mod kernel;
mod loops;
mod pack;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use kernel::{Left, Run};
pub(crate) use loops::Product;
pub(crate) use pack::{Cuts, Lhs, Packer, Scratch, Strided, apart, collide};

use crate::Buffer;
use crate::dense::dense;
use crate::dispatch::for_float;
use crate::par::{Shared, for_ranges, threads};
use crate::simd::{Level, SimdFloat};
use cotangent_base::{Layout, Shape, View};

/// `y = a·b (+ bias)`: `a [.., M, K]`, `b [.., K, N]` with equal leading axes (stride 0 where broadcast),
/// `bias [N]`; y is `[.., M, N]`. With K = 0 it is the bias, or 0.
///
/// # Panics
/// If the sizes do not fit, or the dtypes are not all f32 or all f64.
pub fn matmul(a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>) -> Buffer {
    for_float!("matmul", a.buffer.dtype(), T => matmul_at::<T>(Level::current(), a, b, bias))
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
    let (xa, xb) = (a.buffer.as_slice::<T>(), b.buffer.as_slice::<T>());
    Buffer::build(batch * size, |y| {
        let y = Shared::new(y);
        for_ranges(batch, if alone { 1 } else { batch }, |start, end| {
            for i in start..end {
                // SAFETY: each matrix of the batch has a place of its own.
                let y = unsafe { y.part(i * size, (i + 1) * size) };
                let a = Matrix::new(&la, lead.place(i));
                let b = Matrix::new(&lb, lead_b.place(i));
                let bias = bias.as_deref();
                multiply(level, (xa, a), (xb, b), bias, y, !alone);
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

/// One product: by dot products where b or a is a vector and the matrix lies along k, else in blocks.
fn multiply<T: SimdFloat>(
    level: Level,
    (xa, a): (&[T], Matrix),
    (xb, b): (&[T], Matrix),
    bias: Option<&[T]>,
    y: &mut [T],
    spread: bool,
) {
    let ([rows, depth], [_, cols]) = (a.size, b.size);
    if depth > 0 && cols == 1 && a.stride[1] == 1 {
        return dot::rows(level, a.left(xa), [rows, depth], &gather(xb, b), bias, y, spread);
    }
    if depth > 0 && rows == 1 && b.stride[0] == 1 && b.stride[1] != 1 {
        return dot::rows(level, b.right(xb), [cols, depth], &gather(xa, a), bias, y, spread);
    }
    if cols == 1 && rows > 1 && a.stride[0] == 1 {
        // yᵀ = bᵀ·aᵀ has the vector's few numbers on the side that is broadcast
        let bias = bias.map(|b| vec![b[0]; rows]);
        return multiply(level, (xb, b.transposed()), (xa, a.transposed()), bias.as_deref(), y, spread);
    }
    Product { level, rows, cols, depth, a: a.left(xa), b: b.right(xb), bias, spread }.write(y, cols)
}

/// The numbers of a vector.
fn gather<T: SimdFloat>(data: &[T], m: Matrix) -> Vec<T> {
    let (i, stride) = if m.size[0] == 1 { (m.size[1], m.stride[1]) } else { (m.size[0], m.stride[0]) };
    (0..i as isize).map(|i| data[(m.at as isize + i * stride) as usize]).collect()
}
