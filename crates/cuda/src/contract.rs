//! The contract of a device, kept by the kernels of this crate. What the device cannot do ends the op: see
//! [`attempt`](crate::attempt).

use crate::fault::expect;
use crate::kernels::{conv, gemm, index, memory, norm, pointwise, pool, random, reduce, softmax, update};
use crate::{Buffer, CudaDevice};
use cotangent_base::{
    Axes, Compare, ConvGeometry, DType, Draw, Element, IntegerOp, Kernels, Lane, Layout, Map, Moved, NormStats,
    PoolGeometry, Reduce, Result, Stream, Update, View,
};

type X<'a> = View<'a, Buffer>;

impl CudaDevice {
    /// The indices, those beyond `0..size` as the nearest within.
    ///
    /// # Panics
    /// Where there is too little memory: see [`attempt`](crate::attempt).
    pub fn cut_index(&self, index: X, size: usize) -> Buffer {
        expect(index::cut(index, size))
    }
}

/// max(x, 0).
#[derive(Clone, Copy)]
struct Positive;

impl Map<1> for Positive {
    fn eval<L: Lane>(self, [x]: [L; 1]) -> L {
        x.max(L::zero())
    }
}

impl Kernels for CudaDevice {
    type Buffer = Buffer;

    fn upload<T: Element>(&self, values: &[T]) -> Result<Buffer> {
        Buffer::from_slice(*self, values)
    }

    fn download<T: Element>(&self, x: X) -> Vec<T> {
        expect(memory::download(x))
    }

    fn fill(&self, dtype: DType, count: usize, value: f64) -> Buffer {
        expect(memory::fill(*self, dtype, count, value))
    }

    fn arange(&self, dtype: DType, count: usize, start: f64, step: f64) -> Buffer {
        expect(memory::arange(*self, dtype, count, start, step))
    }

    fn copy(&self, x: X) -> Buffer {
        expect(memory::copy(x))
    }

    fn assign(&self, out: &mut Buffer, places: Layout, x: X) {
        expect(memory::assign(out, places, x))
    }

    fn cast(&self, x: X, dtype: DType) -> Buffer {
        expect(memory::cast(x, dtype))
    }

    fn map<const N: usize, M: Map<N>>(&self, op: M, x: [X; N]) -> Buffer {
        expect(pointwise::map(*self, op, x))
    }

    fn map_integers(&self, op: IntegerOp, a: X, b: X) -> Buffer {
        expect(pointwise::map_integers(*self, op, a, b))
    }

    fn compare(&self, op: Compare, a: X, b: X) -> Buffer {
        expect(pointwise::compare(*self, op, a, b))
    }

    fn select(&self, mask: X, a: X, b: X) -> Buffer {
        expect(pointwise::select(*self, mask, a, b))
    }

    fn accumulate(&self, acc: &mut Buffer, x: X) {
        expect(pointwise::accumulate(*self, acc, x))
    }

    fn update<const S: usize, U: Update<S>>(&self, op: U, p: &mut Buffer, g: X, state: [&mut Buffer; S]) {
        self.update_all(op, vec![Moved { p, g, state }])
    }

    fn update_all<const S: usize, U: Update<S>>(&self, op: U, moved: Vec<Moved<Buffer, S>>) {
        expect(update::update_all(*self, op, moved))
    }

    fn reduce(&self, op: Reduce, x: X, axes: Axes) -> Buffer {
        expect(reduce::reduce(op, x, axes))
    }

    fn arg_reduce(&self, greatest: bool, x: X, axis: usize) -> Buffer {
        expect(reduce::arg_reduce(greatest, x, axis))
    }

    fn matmul(&self, a: X, b: X, bias: Option<X>) -> Buffer {
        expect(gemm::matmul(a, b, bias))
    }

    fn conv2d(&self, x: X, w: X, bias: Option<X>, relu: bool, geometry: &ConvGeometry) -> Buffer {
        let mut y = expect(conv::conv2d(x, w, bias, geometry));
        if relu {
            self.map_over(Positive, [None], &mut y, geometry.y_shape());
        }
        y
    }

    fn conv2d_dx(&self, dy: X, w: X, geometry: &ConvGeometry) -> Buffer {
        expect(conv::conv2d_dx(dy, w, geometry))
    }

    fn conv2d_dw(&self, x: X, dy: X, geometry: &ConvGeometry) -> Buffer {
        expect(conv::conv2d_dw(x, dy, geometry))
    }

    fn max_pool2d(&self, x: X, geometry: &PoolGeometry) -> (Buffer, Buffer) {
        expect(pool::max_pool2d(x, geometry))
    }

    fn max_pool2d_dx(&self, dy: X, taps: X, geometry: &PoolGeometry) -> Buffer {
        expect(pool::max_pool2d_dx(dy, taps, geometry))
    }

    fn avg_pool2d(&self, x: X, geometry: &PoolGeometry, count_padding: bool) -> Buffer {
        expect(pool::avg_pool2d(x, geometry, count_padding))
    }

    fn avg_pool2d_dx(&self, dy: X, geometry: &PoolGeometry, count_padding: bool) -> Buffer {
        expect(pool::avg_pool2d_dx(dy, geometry, count_padding))
    }

    fn moments(&self, x: X, channel: usize) -> (Buffer, Buffer) {
        expect(norm::moments(x, channel))
    }

    fn normalize(&self, x: X, channel: usize, stats: NormStats<Buffer>) -> Buffer {
        expect(norm::normalize(x, channel, stats))
    }

    fn normalize_vjp(
        &self,
        x: X,
        channel: usize,
        stats: NormStats<Buffer>,
        dy: X,
        need_dx: bool,
    ) -> (Option<Buffer>, Buffer, Buffer) {
        expect(norm::normalize_vjp(x, channel, stats, dy, need_dx))
    }

    fn softmax(&self, x: X, log: bool) -> Buffer {
        expect(softmax::softmax(x, log))
    }

    fn softmax_cross_entropy(&self, x: X, labels: X) -> (Buffer, Buffer) {
        expect(softmax::softmax_cross_entropy(x, labels))
    }

    fn softmax_cross_entropy_dx(&self, softmax: X, labels: X, dy: X) -> Buffer {
        expect(softmax::softmax_cross_entropy_dx(softmax, labels, dy))
    }

    fn index_select(&self, x: X, axis: usize, index: X) -> Buffer {
        expect(index::index_select(x, axis, index))
    }

    fn index_add(&self, x: X, axis: usize, index: X, size: usize) -> Buffer {
        expect(index::index_add(x, axis, index, size))
    }

    fn gather(&self, x: X, axis: usize, index: X) -> Buffer {
        expect(index::gather(x, axis, index))
    }

    fn scatter_add(&self, base: X, axis: usize, index: X, x: X) -> Buffer {
        expect(index::scatter_add(base, axis, index, x))
    }

    fn random(&self, draw: Draw, dtype: DType, count: usize, stream: Stream) -> Buffer {
        expect(random::random(*self, draw, dtype, count, stream))
    }

    fn dropout(&self, x: X, rate: f64, stream: Stream) -> (Buffer, Option<Buffer>) {
        (expect(random::dropout(*self, x, rate, stream)), None)
    }
}
