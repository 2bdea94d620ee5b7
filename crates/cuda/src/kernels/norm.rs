//! Batch normalisation: the sums of each channel by kernels of their own, what is done with them by maps.

use super::memory::dense;
use super::pointwise::map;
use super::{BLOCK, launch, start, whole};
use crate::Buffer;
use crate::device::CudaDevice;
use cotangent_base::{Lane, Layout, Map, NormStats, Result, Shape, View};
use cotangent_kernels::NORM;

/// A `[C]` buffer, the same along all axes of `shape` but `channel`.
fn per_channel<'a>(buffer: &'a Buffer, shape: &Shape, channel: usize) -> View<'a, Buffer> {
    let strides: Vec<isize> = (0..shape.rank()).map(|axis| (axis == channel) as isize).collect();
    View { buffer, layout: Layout::new(*shape, &strides, 0) }
}

/// `(x − mean)·inv_std·gamma + beta`.
#[derive(Clone, Copy)]
struct Scale;
impl Map<5> for Scale {
    fn eval<L: Lane>(self, [x, mean, inv_std, gamma, beta]: [L; 5]) -> L {
        (x - mean).mul_add(inv_std * gamma, beta)
    }
}

/// `gamma·inv_std·(dy − dbeta/n − (x − mean)·inv_std·dgamma/n)`.
#[derive(Clone, Copy)]
struct Backward(f64);
impl Map<7> for Backward {
    fn eval<L: Lane>(self, [x, dy, mean, inv_std, gamma, dgamma, dbeta]: [L; 7]) -> L {
        let n = L::splat(self.0);
        inv_std * gamma * (dy - dbeta / n - (x - mean) * (dgamma * inv_std / n))
    }
}

/// The parameter of the kernels; an address is 0 where there is nothing to read.
#[repr(C)]
struct Stats {
    x: u64,
    dy: u64,
    mean: u64,
    inv_std: u64,
    parts: u64,
    first: u64,
    second: u64,
    outer: i32,
    channels: i32,
    inner: i32,
    chunks: i32,
    chunk: i32,
}

/// Channels that a block of the kernels for a last channel axis takes.
const ACROSS: usize = 32;
/// The most chunks of a channel: the kernel that joins them takes one after the other.
const MOST_CHUNKS: usize = 128;
/// The least elements of a chunk.
const LEAST_CHUNK: usize = 512;

/// Two sums for each channel of `x`, by the kernels `{what}_last` or `{what}_inner`, and `{what}_join`.
fn sums(
    device: CudaDevice,
    what: &str,
    x: &Buffer,
    shape: &Shape,
    channel: usize,
    others: [Option<&Buffer>; 3],
) -> Result<(Buffer, Buffer)> {
    let dtype = x.dtype();
    let (outer, channels): (usize, usize) = (shape[..channel].iter().product(), shape[channel]);
    let inner: usize = shape[channel + 1..].iter().product();
    let n = outer * inner;
    let chunk = n.div_ceil(MOST_CHUNKS).max(LEAST_CHUNK);
    let chunks = n.div_ceil(chunk).max(1);
    let parts = Buffer::uninit(device, dtype, 2 * chunks * channels)?;
    let [first, second] = [Buffer::uninit(device, dtype, channels)?, Buffer::uninit(device, dtype, channels)?];
    if channels == 0 {
        return Ok((first, second));
    }
    let [dy, mean, inv_std] = others.map(|buffer| buffer.map_or(0, start));
    let (x, parts) = (start(x), start(&parts));
    let [outer, channels_, inner_, chunks_, chunk] = [outer, channels, inner, chunks, chunk].map(|n| n as i32);
    let params = Stats {
        x,
        dy,
        mean,
        inv_std,
        parts,
        first: start(&first),
        second: start(&second),
        outer,
        channels: channels_,
        inner: inner_,
        chunks: chunks_,
        chunk,
    };
    let (how, strips) = if inner == 1 { ("last", channels.div_ceil(ACROSS)) } else { ("inner", channels) };
    // SAFETY: x, and dy where there is one, have outer·C·inner elements, the others C, parts 2·chunks·C.
    unsafe {
        launch(device, NORM, &format!("{what}_{how}"), dtype, [strips * chunks, 1, 1], &params)?;
        launch(device, NORM, &format!("{what}_join"), dtype, [channels.div_ceil(BLOCK), 1, 1], &params)?;
    }
    Ok((first, second))
}

/// Mean and biased variance of each channel, the variance from the deviations from the means of chunks.
pub fn moments(x: View<Buffer>, channel: usize) -> Result<(Buffer, Buffer)> {
    let (shape, mut space) = (x.shape(), None);
    sums(x.buffer.device(), "moments", dense(x, &mut space)?, &shape, channel, [None; 3])
}

/// `y = (x − mean)·inv_std·gamma + beta`.
pub fn normalize(x: View<Buffer>, channel: usize, stats: NormStats<Buffer>) -> Result<Buffer> {
    let shape = x.shape();
    let [mean, inv_std, gamma, beta] =
        [stats.mean, stats.inv_std, stats.gamma, stats.beta].map(|b| per_channel(b, &shape, channel));
    map(x.buffer.device(), Scale, [x, mean, inv_std, gamma, beta])
}

/// The cotangents `(dx, dgamma, dbeta)`, dx where it is needed.
pub fn normalize_vjp(
    x: View<Buffer>,
    channel: usize,
    stats: NormStats<Buffer>,
    dy: View<Buffer>,
    need_dx: bool,
) -> Result<(Option<Buffer>, Buffer, Buffer)> {
    let (shape, device) = (x.shape(), x.buffer.device());
    let (mut space, mut dy_space) = (None, None);
    let (x, dy) = (dense(x, &mut space)?, dense(dy, &mut dy_space)?);
    let others = [Some(dy), Some(stats.mean), Some(stats.inv_std)];
    let (dgamma, dbeta) = sums(device, "cotangents", x, &shape, channel, others)?;
    let n = (shape.count() / shape[channel].max(1)) as f64;
    let wide = |b| per_channel(b, &shape, channel);
    let [mean, inv_std, gamma] = [stats.mean, stats.inv_std, stats.gamma].map(wide);
    let (x, dy) = (whole(x, shape), whole(dy, shape));
    let dx = || map(device, Backward(n), [x, dy, mean, inv_std, gamma, wide(&dgamma), wide(&dbeta)]);
    Ok((need_dx.then(dx).transpose()?, dgamma, dbeta))
}
