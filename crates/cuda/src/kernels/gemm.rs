//! Matrix products.

use super::memory::copy;
use super::products::{MATRICES, Plan, Sizes, Way, add_splits, address, in_fours};
use super::{launch, start, wgmma};
use crate::Buffer;
use cotangent_base::{Layout, Result, Shape, View};

/// An operand as kernels see it. Lines are rows of the left one, columns of the right one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Matrix {
    pub data: u64,
    pub line_stride: i32,
    pub depth_stride: i32,
    pub way: Way,
}

impl Matrix {
    /// `batch` is what leads from one matrix to the next.
    pub fn new(data: u64, line_stride: i32, depth_stride: i32, batch: i64) -> Self {
        let vectors = |along: i32, across: i32| along == 1 && in_fours(data, &[across, (batch % 4) as i32]);
        let way = if vectors(depth_stride, line_stride) || vectors(line_stride, depth_stride) {
            Way::Vectors
        } else if depth_stride.abs() <= line_stride.abs() {
            Way::AlongDepth
        } else {
            Way::AlongLines
        };
        Self { data, line_stride, depth_stride, way }
    }

    /// Whether neighbours in memory are neighbours along the depth.
    fn depth_first(&self) -> bool {
        self.depth_stride == 1 || self.line_stride != 1
    }
}

/// The parameter of the kernels.
#[repr(C)]
pub struct Gemm {
    a: Matrix,
    b: Matrix,
    bias: u64,
    y: u64,
    a_batch: i64,
    b_batch: i64,
    rows: i32,
    columns: i32,
    depth: i32,
    batch: i32,
    bias_stride: i32,
    splits: i32,
    chunk: i32,
}

impl Gemm {
    /// The products from the one numbered `first` on, each in one part.
    pub fn new(a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>, y: &Buffer, first: usize) -> Self {
        let rank = a.shape().rank();
        let Sizes { rows, columns, depth, count } = sizes(a, b);
        let bytes = a.buffer.dtype().bytes();
        let stride = |x: View<Buffer>, axis: usize| x.layout.strides()[axis] as i32;
        let batch_stride = |x: View<Buffer>| batch_stride(&x.layout).unwrap_or(0) as i64;
        let from = |x: View<Buffer>| address(x).wrapping_add_signed(first as i64 * batch_stride(x) * bytes as i64);
        Gemm {
            a: Matrix::new(from(a), stride(a, rank - 2), stride(a, rank - 1), batch_stride(a)),
            b: Matrix::new(from(b), stride(b, rank - 1), stride(b, rank - 2), batch_stride(b)),
            bias: bias.map_or(0, address),
            y: start(y) + (first * rows * columns * bytes) as u64,
            a_batch: batch_stride(a),
            b_batch: batch_stride(b),
            rows: rows as i32,
            columns: columns as i32,
            depth: depth as i32,
            batch: count as i32,
            bias_stride: bias.map_or(0, |bias| stride(bias, 0)),
            splits: 1,
            chunk: depth as i32,
        }
    }
}

/// The most blocks along the third axis of a grid.
const GRID_Z: usize = 65_535;

/// The leading axes as one of this stride, if one stride serves them.
pub fn batch_stride(layout: &Layout) -> Option<isize> {
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

/// The kernel on tensor cores for the order of the operands in memory. There is none for a left operand whose lines are
/// neighbours with a right one whose depth is: the left one is then copied element by element into the other order.
fn tensor_kernel(a: &mut Matrix, b: &Matrix) -> &'static str {
    match (a.depth_first(), b.depth_first()) {
        (true, false) => "gemm_dl",
        (true, true) => "gemm_dd",
        (false, false) => "gemm_ll",
        (false, true) => {
            a.way = Way::AlongLines;
            "gemm_dd"
        }
    }
}

fn product(a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>) -> Result<Buffer> {
    match wgmma::file(a, b)? {
        Some(file) => wgmma::product(file, a, b, bias),
        None => in_tiles(a, b, bias),
    }
}

/// The sizes of a product.
pub fn sizes(a: View<Buffer>, b: View<Buffer>) -> Sizes {
    let rank = a.shape().rank();
    let count = a.shape()[..rank - 2].iter().product();
    Sizes { rows: a.shape()[rank - 2], columns: b.shape()[rank - 1], depth: a.shape()[rank - 1], count }
}

/// The product by the kernels that take matrices as they are.
pub fn in_tiles(a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>) -> Result<Buffer> {
    let sizes = sizes(a, b);
    let Sizes { rows, columns, count: batch, .. } = sizes;
    let (device, dtype) = (a.buffer.device(), a.buffer.dtype());
    let plan = Plan::new(device, dtype, &MATRICES, sizes);
    let y = Buffer::uninit(device, dtype, plan.splits * batch * rows * columns)?;
    if y.is_empty() {
        return Ok(y);
    }
    let at_once = GRID_Z / plan.splits;
    for first in (0..batch).step_by(at_once) {
        let count = at_once.min(batch - first);
        let mut params = Gemm::new(a, b, bias, &y, first);
        (params.splits, params.chunk) = (plan.splits as i32, plan.chunk as i32);
        let name = plan.name("gemm", tensor_kernel(&mut params.a, &params.b));
        // SAFETY: the strides are those of views that lie in their buffers; y has splits·batch·rows·columns elements.
        unsafe { launch(device, plan.file, &name, dtype, plan.grid(count), &params)? };
    }
    add_splits(y, plan.splits)
}
