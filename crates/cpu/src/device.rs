//! [`CpuDevice`]: the contract of a device, kept by the kernels of this crate.

use crate::{Buffer, compare, conv, gemm, index, memory, norm, pointwise, pool, random, reduce, softmax};
use cotangent_base::{
    Axes, Compare, ConvGeometry, DType, Draw, Element, IntegerOp, Kernels, Layout, Map, NormStats, PoolGeometry,
    Reduce, Result, Shape, Stream, Update, View,
};

/// The CPU: rayon's threads and the SIMD lanes of [`simd`](crate::simd).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuDevice;

impl Kernels for CpuDevice {
    type Buffer = Buffer;

    fn upload<T: Element>(&self, values: &[T]) -> Result<Buffer> {
        Ok(memory::upload(values))
    }

    fn download<T: Element>(&self, x: View<Buffer>) -> Vec<T> {
        memory::download(x)
    }

    fn fill(&self, dtype: DType, count: usize, value: f64) -> Buffer {
        memory::fill(dtype, count, value)
    }

    fn arange(&self, dtype: DType, count: usize, start: f64, step: f64) -> Buffer {
        memory::arange(dtype, count, start, step)
    }

    fn copy(&self, x: View<Buffer>) -> Buffer {
        memory::copy(x)
    }

    fn assign(&self, out: &mut Buffer, places: Layout, x: View<Buffer>) {
        memory::assign(out, places, x)
    }

    fn cast(&self, x: View<Buffer>, dtype: DType) -> Buffer {
        memory::cast(x, dtype)
    }

    fn map<const N: usize, M: Map<N>>(&self, op: M, x: [View<Buffer>; N]) -> Buffer {
        pointwise::map(op, x)
    }

    fn map_over<const N: usize, M: Map<N>>(&self, op: M, x: [Option<View<Buffer>>; N], y: &mut Buffer, shape: Shape) {
        pointwise::map_over(op, x, y, shape)
    }

    fn map_integers(&self, op: IntegerOp, a: View<Buffer>, b: View<Buffer>) -> Buffer {
        compare::map_integers(op, a, b)
    }

    fn compare(&self, op: Compare, a: View<Buffer>, b: View<Buffer>) -> Buffer {
        compare::compare(op, a, b)
    }

    fn select(&self, mask: View<Buffer>, a: View<Buffer>, b: View<Buffer>) -> Buffer {
        compare::select(mask, a, b)
    }

    fn accumulate(&self, acc: &mut Buffer, x: View<Buffer>) {
        pointwise::accumulate(acc, x)
    }

    fn update<const S: usize, U: Update<S>>(&self, op: U, p: &mut Buffer, g: View<Buffer>, state: [&mut Buffer; S]) {
        pointwise::update(op, p, g, state)
    }

    fn reduce(&self, op: Reduce, x: View<Buffer>, axes: Axes) -> Buffer {
        reduce::reduce(op, x, axes)
    }

    fn arg_reduce(&self, greatest: bool, x: View<Buffer>, axis: usize) -> Buffer {
        reduce::arg_reduce(greatest, x, axis)
    }

    fn matmul(&self, a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>) -> Buffer {
        gemm::matmul(a, b, bias)
    }

    fn conv2d(
        &self,
        x: View<Buffer>,
        w: View<Buffer>,
        bias: Option<View<Buffer>>,
        relu: bool,
        geometry: &ConvGeometry,
    ) -> Buffer {
        conv::conv2d(x, w, bias, relu, geometry)
    }

    fn conv2d_dx(&self, dy: View<Buffer>, w: View<Buffer>, geometry: &ConvGeometry) -> Buffer {
        conv::conv2d_dx(dy, w, geometry)
    }

    fn conv2d_dw(&self, x: View<Buffer>, dy: View<Buffer>, geometry: &ConvGeometry) -> Buffer {
        conv::conv2d_dw(x, dy, geometry)
    }

    fn conv2d_relu_dw(&self, x: View<Buffer>, y: [View<Buffer>; 2], g: &ConvGeometry) -> Option<(Buffer, Buffer)> {
        conv::conv2d_relu_dw(x, y, g)
    }

    fn max_pool2d(&self, x: View<Buffer>, geometry: &PoolGeometry) -> (Buffer, Buffer) {
        pool::max_pool2d(x, geometry)
    }

    fn max_pool2d_dx(&self, dy: View<Buffer>, taps: View<Buffer>, geometry: &PoolGeometry) -> Buffer {
        pool::max_pool2d_dx(dy, taps, geometry)
    }

    fn conv2d_max_pool2d(
        &self,
        x: View<Buffer>,
        w: View<Buffer>,
        bias: Option<View<Buffer>>,
        relu: bool,
        conv: &ConvGeometry,
        pool: &PoolGeometry,
    ) -> (Buffer, Buffer) {
        conv::conv2d_max_pool2d(x, w, bias, relu, conv, pool)
    }

    fn conv2d_max_pool2d_vjp(
        &self,
        x: [View<Buffer>; 2],
        dy: [View<Buffer>; 2],
        conv: &ConvGeometry,
        pool: &PoolGeometry,
        need: [bool; 3],
    ) -> [Option<Buffer>; 3] {
        conv::conv2d_max_pool2d_vjp(x, dy, None, conv, pool, need)
    }

    fn conv2d_max_pool2d_relu_vjp(
        &self,
        x: [View<Buffer>; 2],
        [y, dy, taps]: [View<Buffer>; 3],
        conv: &ConvGeometry,
        pool: &PoolGeometry,
        need: [bool; 3],
    ) -> Option<[Option<Buffer>; 3]> {
        Some(conv::conv2d_max_pool2d_vjp(x, [dy, taps], Some(y), conv, pool, need))
    }

    fn avg_pool2d(&self, x: View<Buffer>, geometry: &PoolGeometry, count_padding: bool) -> Buffer {
        pool::avg_pool2d(x, geometry, count_padding)
    }

    fn avg_pool2d_dx(&self, dy: View<Buffer>, geometry: &PoolGeometry, count_padding: bool) -> Buffer {
        pool::avg_pool2d_dx(dy, geometry, count_padding)
    }

    fn moments(&self, x: View<Buffer>, channel: usize) -> (Buffer, Buffer) {
        norm::moments(x, channel)
    }

    fn normalize(&self, x: View<Buffer>, channel: usize, stats: NormStats<Buffer>) -> Buffer {
        norm::normalize(x, channel, stats)
    }

    fn normalize_vjp(
        &self,
        x: View<Buffer>,
        channel: usize,
        stats: NormStats<Buffer>,
        dy: View<Buffer>,
        need_dx: bool,
    ) -> (Option<Buffer>, Buffer, Buffer) {
        norm::normalize_vjp(x, channel, stats, dy, need_dx)
    }

    fn normalize_linear_vjp(
        &self,
        x: View<Buffer>,
        stats: NormStats<Buffer>,
        w: View<Buffer>,
        dy: View<Buffer>,
    ) -> Option<[Buffer; 4]> {
        Some(norm::normalize_linear_vjp(x, stats, w, dy))
    }

    fn softmax(&self, x: View<Buffer>, log: bool) -> Buffer {
        softmax::softmax(x, log)
    }

    fn softmax_cross_entropy(&self, x: View<Buffer>, labels: View<Buffer>) -> (Buffer, Buffer) {
        softmax::softmax_cross_entropy(x, labels)
    }

    fn softmax_cross_entropy_dx(&self, softmax: View<Buffer>, labels: View<Buffer>, dy: View<Buffer>) -> Buffer {
        softmax::softmax_cross_entropy_dx(softmax, labels, dy)
    }

    fn index_select(&self, x: View<Buffer>, axis: usize, index: View<Buffer>) -> Buffer {
        index::index_select(x, axis, index)
    }

    fn index_add(&self, x: View<Buffer>, axis: usize, index: View<Buffer>, size: usize) -> Buffer {
        index::index_add(x, axis, index, size)
    }

    fn gather(&self, x: View<Buffer>, axis: usize, index: View<Buffer>) -> Buffer {
        index::gather(x, axis, index)
    }

    fn scatter_add(&self, base: View<Buffer>, axis: usize, index: View<Buffer>, x: View<Buffer>) -> Buffer {
        index::scatter_add(base, axis, index, x)
    }

    fn random(&self, draw: Draw, dtype: DType, count: usize, stream: Stream) -> Buffer {
        random::random(draw, dtype, count, stream)
    }

    fn dropout(&self, x: View<Buffer>, rate: f64, stream: Stream) -> (Buffer, Option<Buffer>) {
        let (y, mask) = random::dropout(x, rate, stream);
        (y, Some(mask))
    }

    fn dropout_by(&self, y: &mut Buffer, rate: f64, mask: &Buffer) {
        random::dropout_by(y, rate, mask)
    }
}
