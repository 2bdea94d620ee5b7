//! The one place where a tensor's device is matched: each kernel family as a function from tensors to tensors,
//! outside any graph. Ops call these; nothing else does.

#[cfg(feature = "cuda")]
use crate::device::Storage;
use crate::device::{Device, Home, on, on_device};
use crate::update::Move;
use crate::{Spec, Tensor};
use cotangent_base::*;
#[cfg(feature = "cuda")]
use cotangent_cuda::CudaDevice;
use std::sync::Arc;

fn tensor<H: Home>(buffer: H::Buffer, shape: Shape) -> Tensor {
    let spec = Spec { shape, dtype: H::dtype(&buffer) };
    Tensor::from_storage(H::store(buffer), spec)
}

/// The buffer of a tensor that fills it in row-major order.
fn buffer<'a, H: Home>(home: &H, x: &'a Tensor) -> &'a H::Buffer {
    debug_assert!(x.is_contiguous() && x.layout.offset == 0);
    home.view(x).buffer
}

/// What the kernels see of each tensor; not generic over the map, so that it is compiled once and not for every op.
fn views<'a, H: Home, const N: usize>(home: &H, x: [&'a Tensor; N]) -> [View<'a, H::Buffer>; N] {
    x.map(|x| home.view(x))
}

pub(crate) fn upload<T: Element>(device: &Device, values: &[T], shape: Shape) -> Result<Tensor> {
    on_device!(device, H, home => Ok(tensor::<H>(home.upload(values)?, shape)))
}

/// The same elements on another device, outside any graph.
pub(crate) fn transfer(x: &Tensor, device: &Device) -> Result<Tensor> {
    fn through_host<T: Element>(x: &Tensor, device: &Device) -> Result<Tensor> {
        let values = Device::attempt(|| download::<T>(x))?;
        upload(device, &values, x.shape())
    }
    #[cfg(feature = "cuda")]
    if let (Storage::Cuda(buffer), Device::Cuda { ordinal, precision }) = (&*x.storage, device)
        && buffer.device().ordinal() == *ordinal
    {
        let home = buffer.device().with_precision(*precision)?;
        let copied = Device::attempt(|| home.copy(View { buffer, layout: x.layout }))?;
        return Ok(tensor::<CudaDevice>(copied.with_device(home), x.shape()));
    }
    match x.dtype() {
        DType::F32 => through_host::<f32>(x, device),
        DType::F64 => through_host::<f64>(x, device),
        DType::U32 => through_host::<u32>(x, device),
        DType::I64 => through_host::<i64>(x, device),
        DType::U8 => through_host::<u8>(x, device),
        DType::Bool => through_host::<bool>(x, device),
    }
}

pub(crate) fn fill(device: &Device, y: Spec, value: f64) -> Tensor {
    on_device!(device, H, home => tensor::<H>(home.fill(y.dtype, y.shape.count(), value), y.shape))
}

pub(crate) fn arange(device: &Device, count: usize, start: f64, step: f64, dtype: DType) -> Tensor {
    on_device!(device, H, home => tensor::<H>(home.arange(dtype, count, start, step), Shape::from([count])))
}

pub(crate) fn random(device: &Device, draw: Draw, y: Spec, stream: Stream) -> Tensor {
    on_device!(device, H, home => tensor::<H>(home.random(draw, y.dtype, y.shape.count(), stream), y.shape))
}

pub(crate) fn download<T: Element>(x: &Tensor) -> Vec<T> {
    on!(x, H, home => home.download(home.view(x)))
}

pub(crate) fn copy(x: &Tensor) -> Tensor {
    on!(x, H, home => tensor::<H>(home.copy(home.view(x)), x.shape()))
}

/// `x` itself if it starts its buffer and has no gaps, else a copy.
pub(crate) fn compact(x: &Tensor) -> Tensor {
    if x.is_contiguous() && x.layout.offset == 0 { x.detach() } else { copy(x) }
}

pub(crate) fn cast(x: &Tensor, dtype: DType) -> Tensor {
    on!(x, H, home => tensor::<H>(home.cast(home.view(x), dtype), x.shape()))
}

/// Writes each part into the places that its layout names in a fresh tensor of spec `y`, `background` elsewhere. There is at
/// least one part.
pub(crate) fn assemble(y: Spec, background: Option<f64>, parts: &[(Layout, &Tensor)]) -> Tensor {
    on!(parts[0].1, H, home => {
        let count = y.shape.count();
        let mut out = match background {
            Some(value) => home.fill(y.dtype, count, value),
            None => home.uninit(y.dtype, count),
        };
        for (places, x) in parts {
            home.assign(&mut out, *places, home.view(x));
        }
        tensor::<H>(out, y.shape)
    })
}

pub(crate) fn map<const N: usize, M: Map<N>>(op: M, x: [&Tensor; N]) -> Tensor {
    on!(x[0], H, home => tensor::<H>(home.map(op, views(&home, x)), x[0].shape()))
}

/// `y = op(x₀, …)`, an operand that is `None` being y: in y's memory if nobody else holds that.
pub(crate) fn map_over<const N: usize, M: Map<N>>(op: M, x: [Option<&Tensor>; N], mut y: Tensor) -> Tensor {
    on!(&y, H, home => {
        if !is_own(&home, &mut y) {
            return map(op, x.map(|x| x.unwrap_or(&y)));
        }
        let (shape, x) = (y.shape(), x.map(|x| x.map(|x| home.view(x))));
        home.map_over(op, x, own(&home, &mut y), shape);
    });
    y
}

pub(crate) fn map_integers(op: IntegerOp, a: &Tensor, b: &Tensor) -> Tensor {
    on!(a, H, home => tensor::<H>(home.map_integers(op, home.view(a), home.view(b)), a.shape()))
}

pub(crate) fn compare(op: Compare, a: &Tensor, b: &Tensor) -> Tensor {
    on!(a, H, home => tensor::<H>(home.compare(op, home.view(a), home.view(b)), a.shape()))
}

pub(crate) fn select(mask: &Tensor, a: &Tensor, b: &Tensor) -> Tensor {
    on!(mask, H, home => tensor::<H>(home.select(home.view(mask), home.view(a), home.view(b)), a.shape()))
}

/// Whether the tensor is all of its memory, and nobody else holds that.
fn is_own<H: Home>(home: &H, x: &mut Tensor) -> bool {
    let whole = x.is_contiguous() && x.layout.offset == 0 && x.count() == H::len(home.view(x).buffer);
    whole && Arc::get_mut(&mut x.storage).is_some()
}

/// The tensor's memory for writing, copied first if anyone else holds it (copy-on-write).
fn own<'a, H: Home>(home: &H, x: &'a mut Tensor) -> &'a mut H::Buffer {
    if !is_own(home, x) {
        x.storage = copy(x).storage;
        x.layout = Layout::contiguous(x.shape());
    }
    Arc::get_mut(&mut x.storage).and_then(H::buffer_mut).expect("just made unique, and on this device")
}

/// `acc += x`, in the memory of either if nobody else holds that.
pub(crate) fn accumulate(acc: &mut Tensor, mut x: Tensor) {
    on!(&x, H, home => {
        if !is_own(&home, acc) && is_own(&home, &mut x) {
            std::mem::swap(acc, &mut x);
        }
        home.accumulate(own(&home, acc), home.view(&x))
    })
}

/// `moves` are of one dtype.
pub(crate) fn update_all<const S: usize, U: Update<S>>(op: U, moves: Vec<Move<S>>) {
    let Some(first) = moves.first() else { return };
    on!(first.grad, H, home => home.update_all(op, moved(&home, moves)))
}

/// What the kernels see of each move; not generic over the rule, so that it is compiled once and not for every optimizer.
fn moved<'a, H: Home, const S: usize>(home: &H, moves: Vec<Move<'a, S>>) -> Vec<Moved<'a, H::Buffer, S>> {
    let moved = |Move { param, grad, state }| Moved {
        p: own(home, param),
        g: home.view(grad),
        state: state.map(|x| own(home, x)),
    };
    moves.into_iter().map(moved).collect()
}

/// Writes the elements of `x`, of equal spec, into the memory of `to`, or into new memory if anybody else holds that.
pub(crate) fn overwrite(to: &mut Tensor, x: &Tensor) {
    if to.is_sole() {
        on!(x, H, home => home.assign(own(&home, to), Layout::contiguous(x.shape()), home.view(x)))
    } else {
        let copy = copy(x);
        (to.storage, to.layout) = (copy.storage, copy.layout);
    }
}

pub(crate) fn reduce(op: Reduce, x: &Tensor, axes: Axes, keepdim: bool) -> Tensor {
    on!(x, H, home => tensor::<H>(home.reduce(op, home.view(x), axes), axes.reduce(&x.shape(), keepdim)))
}

pub(crate) fn arg_reduce(greatest: bool, x: &Tensor, axis: usize) -> Tensor {
    on!(x, H, home => tensor::<H>(home.arg_reduce(greatest, home.view(x), axis), x.shape().without(axis)))
}

pub(crate) fn matmul(a: &Tensor, b: &Tensor, bias: Option<&Tensor>, shape: Shape) -> Tensor {
    on!(a, H, home => tensor::<H>(home.matmul(home.view(a), home.view(b), bias.map(|x| home.view(x))), shape))
}

pub(crate) fn conv2d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, relu: bool, g: &ConvGeometry) -> Tensor {
    on!(x, H, home => {
        let bias = bias.map(|bias| home.view(bias));
        tensor::<H>(home.conv2d(home.view(x), home.view(w), bias, relu, g), g.y_shape())
    })
}

pub(crate) fn conv2d_dx(dy: &Tensor, w: &Tensor, g: &ConvGeometry) -> Tensor {
    on!(dy, H, home => tensor::<H>(home.conv2d_dx(home.view(dy), home.view(w), g), g.x_shape()))
}

pub(crate) fn conv2d_dw(x: &Tensor, dy: &Tensor, g: &ConvGeometry) -> Tensor {
    on!(x, H, home => tensor::<H>(home.conv2d_dw(home.view(x), home.view(dy), g), g.w_shape()))
}

pub(crate) fn conv2d_relu_dw(x: &Tensor, y: [&Tensor; 2], g: &ConvGeometry) -> Option<[Tensor; 2]> {
    on!(x, H, home => {
        let (dw, db) = home.conv2d_relu_dw(home.view(x), y.map(|y| home.view(y)), g)?;
        Some([tensor::<H>(dw, g.w_shape()), tensor::<H>(db, Shape::from([g.filters]))])
    })
}

pub(crate) fn max_pool2d(x: &Tensor, g: &PoolGeometry) -> (Tensor, Tensor) {
    on!(x, H, home => {
        let (y, taps) = home.max_pool2d(home.view(x), g);
        (tensor::<H>(y, g.y_shape()), tensor::<H>(taps, g.y_shape()))
    })
}

pub(crate) fn max_pool2d_dx(dy: &Tensor, taps: &Tensor, g: &PoolGeometry) -> Tensor {
    on!(dy, H, home => tensor::<H>(home.max_pool2d_dx(home.view(dy), home.view(taps), g), g.x_shape()))
}

pub(crate) fn conv2d_max_pool2d(
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    relu: bool,
    conv: &ConvGeometry,
    pool: &PoolGeometry,
) -> (Tensor, Tensor) {
    on!(x, H, home => {
        let bias = bias.map(|bias| home.view(bias));
        let (y, taps) = home.conv2d_max_pool2d(home.view(x), home.view(w), bias, relu, conv, pool);
        (tensor::<H>(y, pool.y_shape()), tensor::<H>(taps, pool.y_shape()))
    })
}

pub(crate) fn conv2d_max_pool2d_vjp(
    x: [&Tensor; 2],
    dy: [&Tensor; 2],
    conv: &ConvGeometry,
    pool: &PoolGeometry,
    need: [bool; 3],
) -> [Option<Tensor>; 3] {
    on!(x[0], H, home => {
        let (x, dy) = (x.map(|x| home.view(x)), dy.map(|dy| home.view(dy)));
        shaped::<H>(home.conv2d_max_pool2d_vjp(x, dy, conv, pool, need), conv)
    })
}

pub(crate) fn conv2d_max_pool2d_relu_vjp(
    x: [&Tensor; 2],
    y: [&Tensor; 3],
    conv: &ConvGeometry,
    pool: &PoolGeometry,
    need: [bool; 3],
) -> Option<[Option<Tensor>; 3]> {
    on!(x[0], H, home => {
        let (x, y) = (x.map(|x| home.view(x)), y.map(|y| home.view(y)));
        home.conv2d_max_pool2d_relu_vjp(x, y, conv, pool, need).map(|found| shaped::<H>(found, conv))
    })
}

/// The cotangents of a convolution's operands.
fn shaped<H: Home>(found: [Option<H::Buffer>; 3], g: &ConvGeometry) -> [Option<Tensor>; 3] {
    let mut shapes = [g.x_shape(), g.w_shape(), Shape::from([g.filters])].into_iter();
    found.map(|x| shapes.next().and_then(|shape| x.map(|x| tensor::<H>(x, shape))))
}

pub(crate) fn avg_pool2d(x: &Tensor, g: &PoolGeometry, count_padding: bool) -> Tensor {
    on!(x, H, home => tensor::<H>(home.avg_pool2d(home.view(x), g, count_padding), g.y_shape()))
}

pub(crate) fn avg_pool2d_dx(dy: &Tensor, g: &PoolGeometry, count_padding: bool) -> Tensor {
    on!(dy, H, home => tensor::<H>(home.avg_pool2d_dx(home.view(dy), g, count_padding), g.x_shape()))
}

pub(crate) fn moments(x: &Tensor, channel: usize) -> (Tensor, Tensor) {
    let shape = Shape::from([x.shape()[channel]]);
    on!(x, H, home => {
        let (mean, var) = home.moments(home.view(x), channel);
        (tensor::<H>(mean, shape), tensor::<H>(var, shape))
    })
}

/// The `[C]` vectors of batch normalisation.
pub(crate) struct Norm<'a> {
    pub mean: &'a Tensor,
    pub inv_std: &'a Tensor,
    pub gamma: &'a Tensor,
    pub beta: &'a Tensor,
}

impl Norm<'_> {
    fn stats<H: Home>(&self, home: &H) -> NormStats<'_, H::Buffer> {
        NormStats {
            mean: buffer(home, self.mean),
            inv_std: buffer(home, self.inv_std),
            gamma: buffer(home, self.gamma),
            beta: buffer(home, self.beta),
        }
    }
}

pub(crate) fn normalize(x: &Tensor, channel: usize, norm: Norm) -> Tensor {
    on!(x, H, home => tensor::<H>(home.normalize(home.view(x), channel, norm.stats(&home)), x.shape()))
}

pub(crate) fn normalize_vjp(
    x: &Tensor,
    channel: usize,
    norm: Norm,
    dy: &Tensor,
    [dx, dgamma, dbeta]: [bool; 3],
) -> [Option<Tensor>; 3] {
    on!(x, H, home => {
        let (of_x, of_gamma, of_beta) =
            home.normalize_vjp(home.view(x), channel, norm.stats(&home), home.view(dy), dx);
        let vector = |found| tensor::<H>(found, Shape::from([x.shape()[channel]]));
        let of_x = of_x.map(|found| tensor::<H>(found, x.shape()));
        [of_x, dgamma.then(|| vector(of_gamma)), dbeta.then(|| vector(of_beta))]
    })
}

pub(crate) fn normalize_linear_vjp(x: &Tensor, norm: Norm, w: &Tensor, dy: &Tensor) -> Option<[Tensor; 4]> {
    let [channels, results] = [w.shape()[0], w.shape()[1]].map(|n| Shape::from([n]));
    let shapes = [channels, channels, w.shape(), results];
    on!(x, H, home => {
        let found = home.normalize_linear_vjp(home.view(x), norm.stats(&home), home.view(w), home.view(dy))?;
        let mut shapes = shapes.into_iter();
        Some(found.map(|found| tensor::<H>(found, shapes.next().expect("one for each"))))
    })
}

pub(crate) fn softmax(x: &Tensor, log: bool) -> Tensor {
    on!(x, H, home => tensor::<H>(home.softmax(home.view(x), log), x.shape()))
}

pub(crate) fn softmax_cross_entropy(x: &Tensor, labels: &Tensor) -> (Tensor, Tensor) {
    on!(x, H, home => {
        let (loss, softmax) = home.softmax_cross_entropy(home.view(x), home.view(labels));
        (tensor::<H>(loss, labels.shape()), tensor::<H>(softmax, x.shape()))
    })
}

pub(crate) fn softmax_cross_entropy_dx(softmax: &Tensor, labels: &Tensor, dy: &Tensor) -> Tensor {
    on!(softmax, H, home => tensor::<H>(home.softmax_cross_entropy_dx(home.view(softmax), home.view(labels), home.view(dy)), softmax.shape()))
}

/// The indices, those beyond `0..size` as the nearest within, if a step is being recorded: nobody looks at them on the host
/// then, neither now nor when the record runs.
pub(crate) fn recorded_index(index: &Tensor, size: usize) -> Option<Tensor> {
    on!(index, H, home => home.recorded_index(home.view(index), size).map(|within| tensor::<H>(within, index.shape())))
}

pub(crate) fn index_select(x: &Tensor, axis: usize, index: &Tensor) -> Tensor {
    on!(x, H, home => tensor::<H>(home.index_select(home.view(x), axis, home.view(index)), x.shape().with(axis, index.count())))
}

pub(crate) fn index_add(x: &Tensor, axis: usize, index: &Tensor, size: usize) -> Tensor {
    on!(x, H, home => tensor::<H>(home.index_add(home.view(x), axis, home.view(index), size), x.shape().with(axis, size)))
}

pub(crate) fn gather(x: &Tensor, axis: usize, index: &Tensor) -> Tensor {
    on!(x, H, home => tensor::<H>(home.gather(home.view(x), axis, home.view(index)), index.shape()))
}

pub(crate) fn scatter_add(base: &Tensor, axis: usize, index: &Tensor, x: &Tensor) -> Tensor {
    on!(base, H, home => tensor::<H>(home.scatter_add(home.view(base), axis, home.view(index), home.view(x)), base.shape()))
}

/// Beside the result the mask, if the device would rather have it kept.
pub(crate) fn dropout(x: &Tensor, rate: f64, stream: Stream) -> (Tensor, Option<Tensor>) {
    on!(x, H, home => {
        let (y, mask) = home.dropout(home.view(x), rate, stream);
        (tensor::<H>(y, x.shape()), mask.map(|mask| tensor::<H>(mask, x.shape())))
    })
}

/// `y · mask / (1 − rate)`, in y's memory if nobody else holds that.
pub(crate) fn dropout_by(mut y: Tensor, rate: f64, mask: &Tensor) -> Tensor {
    on!(&y, H, home => home.dropout_by(own(&home, &mut y), rate, buffer(&home, mask)));
    y
}
