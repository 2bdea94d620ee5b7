//! temp
use crate::{Buffer, compare, conv, gemm, index, memory, norm, pointwise, pool, random, reduce, softmax};
use cotangent_base::*;
/// temp
pub struct CpuDevice;
#[allow(unused, missing_docs)]
impl Kernels for CpuDevice {
    type Buffer = Buffer;
    fn upload<T: Element>(&self, values: &[T]) -> Result<Self::Buffer> {
        Ok(memory::upload(values))
    }
    fn download<T: Element>(&self, x: View<Self::Buffer>) -> Vec<T> {
        memory::download(x)
    }
    fn fill(&self, dtype: DType, count: usize, value: f64) -> Self::Buffer {
        memory::fill(dtype, count, value)
    }
    fn arange(&self, dtype: DType, count: usize, start: f64, step: f64) -> Self::Buffer {
        memory::arange(dtype, count, start, step)
    }
    fn copy(&self, x: View<Self::Buffer>) -> Self::Buffer {
        memory::copy(x)
    }
    fn assign(&self, out: &mut Self::Buffer, places: Layout, x: View<Self::Buffer>) {
        memory::assign(out, places, x)
    }
    fn cast(&self, x: View<Self::Buffer>, dtype: DType) -> Self::Buffer {
        memory::cast(x, dtype)
    }
    fn map<const N: usize, M: Map<N>>(&self, op: M, x: [View<Self::Buffer>; N]) -> Self::Buffer {
        pointwise::map(op, x)
    }
    fn map_integers(&self, op: fn(i64, i64) -> i64, a: View<Self::Buffer>, b: View<Self::Buffer>) -> Self::Buffer {
        compare::map_integers(op, a, b)
    }
    fn compare(&self, op: Compare, a: View<Self::Buffer>, b: View<Self::Buffer>) -> Self::Buffer {
        compare::compare(op, a, b)
    }
    fn select(&self, mask: View<Self::Buffer>, a: View<Self::Buffer>, b: View<Self::Buffer>) -> Self::Buffer {
        compare::select(mask, a, b)
    }
    fn accumulate(&self, acc: &mut Self::Buffer, x: View<Self::Buffer>) {
        pointwise::accumulate(acc, x)
    }
    fn update<const S: usize, U: Update<S>>(
        &self,
        op: U,
        p: &mut Self::Buffer,
        g: View<Self::Buffer>,
        state: [&mut Self::Buffer; S],
    ) {
        pointwise::update(op, p, g, state)
    }
    fn reduce(&self, op: Reduce, x: View<Self::Buffer>, axes: Axes) -> Self::Buffer {
        reduce::reduce(op, x, axes)
    }
    fn arg_reduce(&self, greatest: bool, x: View<Self::Buffer>, axis: usize) -> Self::Buffer {
        reduce::arg_reduce(greatest, x, axis)
    }
    fn matmul(&self, a: View<Self::Buffer>, b: View<Self::Buffer>, bias: Option<View<Self::Buffer>>) -> Self::Buffer {
        gemm::matmul(a, b, bias)
    }
    fn conv2d(
        &self,
        x: View<Self::Buffer>,
        w: View<Self::Buffer>,
        bias: Option<View<Self::Buffer>>,
        geometry: &ConvGeometry,
    ) -> Self::Buffer {
        conv::conv2d(x, w, bias, geometry)
    }
    fn conv2d_dx(&self, dy: View<Self::Buffer>, w: View<Self::Buffer>, geometry: &ConvGeometry) -> Self::Buffer {
        conv::conv2d_dx(dy, w, geometry)
    }
    fn conv2d_dw(&self, x: View<Self::Buffer>, dy: View<Self::Buffer>, geometry: &ConvGeometry) -> Self::Buffer {
        conv::conv2d_dw(x, dy, geometry)
    }
    fn max_pool2d(&self, x: View<Self::Buffer>, geometry: &PoolGeometry) -> (Self::Buffer, Self::Buffer) {
        pool::max_pool2d(x, geometry)
    }
    fn max_pool2d_dx(&self, dy: View<Self::Buffer>, taps: View<Self::Buffer>, geometry: &PoolGeometry) -> Self::Buffer {
        pool::max_pool2d_dx(dy, taps, geometry)
    }
    fn avg_pool2d(&self, x: View<Self::Buffer>, geometry: &PoolGeometry, count_padding: bool) -> Self::Buffer {
        pool::avg_pool2d(x, geometry, count_padding)
    }
    fn avg_pool2d_dx(&self, dy: View<Self::Buffer>, geometry: &PoolGeometry, count_padding: bool) -> Self::Buffer {
        pool::avg_pool2d_dx(dy, geometry, count_padding)
    }
    fn moments(&self, x: View<Self::Buffer>, channel: usize) -> (Self::Buffer, Self::Buffer) {
        norm::moments(x, channel)
    }
    fn normalize(&self, x: View<Self::Buffer>, channel: usize, stats: NormStats<Self::Buffer>) -> Self::Buffer {
        norm::normalize(x, channel, stats)
    }
    fn normalize_vjp(
        &self,
        x: View<Self::Buffer>,
        channel: usize,
        stats: NormStats<Self::Buffer>,
        dy: View<Self::Buffer>,
    ) -> (Self::Buffer, Self::Buffer, Self::Buffer) {
        norm::normalize_vjp(x, channel, stats, dy)
    }
    fn softmax(&self, x: View<Self::Buffer>, log: bool) -> Self::Buffer {
        softmax::softmax(x, log)
    }
    fn softmax_cross_entropy(&self, x: View<Self::Buffer>, labels: View<Self::Buffer>) -> (Self::Buffer, Self::Buffer) {
        softmax::softmax_cross_entropy(x, labels)
    }
    fn softmax_cross_entropy_dx(
        &self,
        softmax: View<Self::Buffer>,
        labels: View<Self::Buffer>,
        dy: View<Self::Buffer>,
    ) -> Self::Buffer {
        softmax::softmax_cross_entropy_dx(softmax, labels, dy)
    }
    fn index_select(&self, x: View<Self::Buffer>, axis: usize, index: View<Self::Buffer>) -> Self::Buffer {
        index::index_select(x, axis, index)
    }
    fn index_add(&self, x: View<Self::Buffer>, axis: usize, index: View<Self::Buffer>, size: usize) -> Self::Buffer {
        index::index_add(x, axis, index, size)
    }
    fn gather(&self, x: View<Self::Buffer>, axis: usize, index: View<Self::Buffer>) -> Self::Buffer {
        index::gather(x, axis, index)
    }
    fn scatter_add(
        &self,
        base: View<Self::Buffer>,
        axis: usize,
        index: View<Self::Buffer>,
        x: View<Self::Buffer>,
    ) -> Self::Buffer {
        index::scatter_add(base, axis, index, x)
    }
    fn random(&self, draw: Draw, dtype: DType, count: usize, stream: Stream) -> Self::Buffer {
        random::random(draw, dtype, count, stream)
    }
    fn dropout(&self, x: View<Self::Buffer>, rate: f64, stream: Stream) -> Self::Buffer {
        random::dropout(x, rate, stream)
    }
}
