//! The one place where a tensor's device is matched: each kernel family as a function from tensors to tensors,
//! outside any graph. Ops call these; nothing else does.

use crate::device::{CPU, Storage};
use crate::{Spec, Tensor};
use cotangent_base::*;
use cotangent_cpu::Buffer;
use std::sync::Arc;

type CpuView<'a> = View<'a, Buffer>;

fn view(x: &Tensor) -> CpuView<'_> {
    let Storage::Cpu(buffer) = &*x.storage;
    View { buffer, layout: x.layout }
}

fn buffer(x: &Tensor) -> &Buffer {
    debug_assert!(x.is_contiguous() && x.layout.offset == 0);
    view(x).buffer
}

fn tensor(buffer: Buffer, shape: Shape) -> Tensor {
    let spec = Spec { shape, dtype: buffer.dtype() };
    Tensor::from_storage(Storage::Cpu(buffer), spec)
}

pub(crate) fn fill(y: Spec, value: f64) -> Tensor {
    tensor(CPU.fill(y.dtype, y.shape.count(), value), y.shape)
}

pub(crate) fn arange(count: usize, start: f64, step: f64, dtype: DType) -> Tensor {
    tensor(CPU.arange(dtype, count, start, step), Shape::from([count]))
}

pub(crate) fn random(draw: Draw, y: Spec, stream: Stream) -> Tensor {
    tensor(CPU.random(draw, y.dtype, y.shape.count(), stream), y.shape)
}

pub(crate) fn download<T: Element>(x: &Tensor) -> Vec<T> {
    CPU.download(view(x))
}

pub(crate) fn copy(x: &Tensor) -> Tensor {
    tensor(CPU.copy(view(x)), x.shape())
}

/// `x` itself if it starts its buffer and has no gaps, else a copy.
pub(crate) fn compact(x: &Tensor) -> Tensor {
    if x.is_contiguous() && x.layout.offset == 0 { x.detach() } else { copy(x) }
}

pub(crate) fn cast(x: &Tensor, dtype: DType) -> Tensor {
    tensor(CPU.cast(view(x), dtype), x.shape())
}

/// Writes each part into the places that its layout names in a fresh tensor of spec `y`, `background` elsewhere.
pub(crate) fn assemble(y: Spec, background: Option<f64>, parts: &[(Layout, &Tensor)]) -> Tensor {
    let count = y.shape.count();
    let mut out = match background {
        Some(value) => CPU.fill(y.dtype, count, value),
        None => Buffer::uninit(y.dtype, count),
    };
    for (places, x) in parts {
        CPU.assign(&mut out, *places, view(x));
    }
    tensor(out, y.shape)
}

pub(crate) fn map<const N: usize, M: Map<N>>(op: M, x: [&Tensor; N]) -> Tensor {
    tensor(CPU.map(op, x.map(view)), x[0].shape())
}

pub(crate) fn map_integers(op: fn(i64, i64) -> i64, a: &Tensor, b: &Tensor) -> Tensor {
    tensor(CPU.map_integers(op, view(a), view(b)), a.shape())
}

pub(crate) fn compare(op: Compare, a: &Tensor, b: &Tensor) -> Tensor {
    tensor(CPU.compare(op, view(a), view(b)), a.shape())
}

pub(crate) fn select(mask: &Tensor, a: &Tensor, b: &Tensor) -> Tensor {
    tensor(CPU.select(view(mask), view(a), view(b)), a.shape())
}

/// The tensor's memory for writing, copied first if anyone else holds it (copy-on-write).
fn own(x: &mut Tensor) -> &mut Buffer {
    let whole = x.is_contiguous() && x.layout.offset == 0 && x.count() == view(x).buffer.len();
    if !whole || Arc::get_mut(&mut x.storage).is_none() {
        x.storage = copy(x).storage;
        x.layout = Layout::contiguous(x.shape());
    }
    let Some(Storage::Cpu(buffer)) = Arc::get_mut(&mut x.storage) else { unreachable!("just made unique") };
    buffer
}

/// `acc += x`, in place if nobody else holds `acc`.
pub(crate) fn accumulate(acc: &mut Tensor, x: &Tensor) {
    CPU.accumulate(own(acc), view(x));
}

pub(crate) fn update<const S: usize, U: Update<S>>(op: U, p: &mut Tensor, g: &Tensor, state: [&mut Tensor; S]) {
    CPU.update(op, own(p), view(g), state.map(own));
}

pub(crate) fn reduce(op: Reduce, x: &Tensor, axes: Axes, keepdim: bool) -> Tensor {
    tensor(CPU.reduce(op, view(x), axes), axes.reduce(&x.shape(), keepdim))
}

pub(crate) fn arg_reduce(greatest: bool, x: &Tensor, axis: usize) -> Tensor {
    tensor(CPU.arg_reduce(greatest, view(x), axis), x.shape().without(axis))
}

pub(crate) fn matmul(a: &Tensor, b: &Tensor, bias: Option<&Tensor>, shape: Shape) -> Tensor {
    tensor(CPU.matmul(view(a), view(b), bias.map(view)), shape)
}

pub(crate) fn conv2d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, g: &ConvGeometry) -> Tensor {
    tensor(CPU.conv2d(view(x), view(w), bias.map(view), g), g.y_shape())
}

pub(crate) fn conv2d_dx(dy: &Tensor, w: &Tensor, g: &ConvGeometry) -> Tensor {
    tensor(CPU.conv2d_dx(view(dy), view(w), g), g.x_shape())
}

pub(crate) fn conv2d_dw(x: &Tensor, dy: &Tensor, g: &ConvGeometry) -> Tensor {
    tensor(CPU.conv2d_dw(view(x), view(dy), g), g.w_shape())
}

pub(crate) fn max_pool2d(x: &Tensor, g: &PoolGeometry) -> (Tensor, Tensor) {
    let (y, taps) = CPU.max_pool2d(view(x), g);
    (tensor(y, g.y_shape()), tensor(taps, g.y_shape()))
}

pub(crate) fn max_pool2d_dx(dy: &Tensor, taps: &Tensor, g: &PoolGeometry) -> Tensor {
    tensor(CPU.max_pool2d_dx(view(dy), view(taps), g), g.x_shape())
}

pub(crate) fn conv2d_max_pool2d(
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    conv: &ConvGeometry,
    pool: &PoolGeometry,
) -> (Tensor, Tensor) {
    let (y, taps) = CPU.conv2d_max_pool2d(view(x), view(w), bias.map(view), conv, pool);
    (tensor(y, pool.y_shape()), tensor(taps, pool.y_shape()))
}

pub(crate) fn conv2d_max_pool2d_vjp(
    x: [&Tensor; 2],
    dy: [&Tensor; 2],
    conv: &ConvGeometry,
    pool: &PoolGeometry,
    need: [bool; 2],
) -> [Option<Tensor>; 2] {
    let [dx, dw] = CPU.conv2d_max_pool2d_vjp(x.map(view), dy.map(view), conv, pool, need);
    [dx.map(|dx| tensor(dx, conv.x_shape())), dw.map(|dw| tensor(dw, conv.w_shape()))]
}

pub(crate) fn avg_pool2d(x: &Tensor, g: &PoolGeometry, count_padding: bool) -> Tensor {
    tensor(CPU.avg_pool2d(view(x), g, count_padding), g.y_shape())
}

pub(crate) fn avg_pool2d_dx(dy: &Tensor, g: &PoolGeometry, count_padding: bool) -> Tensor {
    tensor(CPU.avg_pool2d_dx(view(dy), g, count_padding), g.x_shape())
}

pub(crate) fn moments(x: &Tensor, channel: usize) -> (Tensor, Tensor) {
    let shape = Shape::from([x.shape()[channel]]);
    let (mean, var) = CPU.moments(view(x), channel);
    (tensor(mean, shape), tensor(var, shape))
}

/// The `[C]` vectors of batch normalisation.
pub(crate) struct Norm<'a> {
    pub mean: &'a Tensor,
    pub inv_std: &'a Tensor,
    pub gamma: &'a Tensor,
    pub beta: &'a Tensor,
}

impl Norm<'_> {
    fn stats(&self) -> NormStats<'_, Buffer> {
        NormStats {
            mean: buffer(self.mean),
            inv_std: buffer(self.inv_std),
            gamma: buffer(self.gamma),
            beta: buffer(self.beta),
        }
    }
}

pub(crate) fn normalize(x: &Tensor, channel: usize, norm: Norm) -> Tensor {
    tensor(CPU.normalize(view(x), channel, norm.stats()), x.shape())
}

pub(crate) fn normalize_vjp(x: &Tensor, channel: usize, norm: Norm, dy: &Tensor) -> [Tensor; 3] {
    let (dx, dgamma, dbeta) = CPU.normalize_vjp(view(x), channel, norm.stats(), view(dy));
    let per_channel = Shape::from([x.shape()[channel]]);
    [tensor(dx, x.shape()), tensor(dgamma, per_channel), tensor(dbeta, per_channel)]
}

pub(crate) fn softmax(x: &Tensor, log: bool) -> Tensor {
    tensor(CPU.softmax(view(x), log), x.shape())
}

pub(crate) fn softmax_cross_entropy(x: &Tensor, labels: &Tensor) -> (Tensor, Tensor) {
    let (loss, softmax) = CPU.softmax_cross_entropy(view(x), view(labels));
    (tensor(loss, labels.shape()), tensor(softmax, x.shape()))
}

pub(crate) fn softmax_cross_entropy_dx(softmax: &Tensor, labels: &Tensor, dy: &Tensor) -> Tensor {
    tensor(CPU.softmax_cross_entropy_dx(view(softmax), view(labels), view(dy)), softmax.shape())
}

pub(crate) fn index_select(x: &Tensor, axis: usize, index: &Tensor) -> Tensor {
    tensor(CPU.index_select(view(x), axis, view(index)), x.shape().with(axis, index.count()))
}

pub(crate) fn index_add(x: &Tensor, axis: usize, index: &Tensor, size: usize) -> Tensor {
    tensor(CPU.index_add(view(x), axis, view(index), size), x.shape().with(axis, size))
}

pub(crate) fn gather(x: &Tensor, axis: usize, index: &Tensor) -> Tensor {
    tensor(CPU.gather(view(x), axis, view(index)), index.shape())
}

pub(crate) fn scatter_add(base: &Tensor, axis: usize, index: &Tensor, x: &Tensor) -> Tensor {
    tensor(CPU.scatter_add(view(base), axis, view(index), view(x)), base.shape())
}

pub(crate) fn dropout(x: &Tensor, rate: f64, stream: Stream) -> Tensor {
    tensor(CPU.dropout(view(x), rate, stream), x.shape())
}
