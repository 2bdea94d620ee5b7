//! Batch normalisation: statistics of each channel, and what is done with them.
//!
//! An array is seen as `[outer, C, inner]`, channel axis in the middle.

mod channels;
mod linear;
#[cfg(test)]
mod tests;

pub use linear::normalize_linear_vjp;

use crate::Buffer;
use crate::dense::dense;
use crate::dispatch::for_float;
use crate::reduce::fold::{Elements, Number};
use channels::{Channels, PerChannel};
use cotangent_base::{Element, Lane, NormStats, View};

/// Mean and biased variance (over n, not n − 1) of each channel, `[C]` each: over all axes but `channel`.
///
/// The variance is the mean of `(x − mean)²`, from a second pass: exact also where the mean is far from 0. Of no
/// elements both are NaN.
pub fn moments(x: View<Buffer>, channel: usize) -> (Buffer, Buffer) {
    let channels = Channels::new(&x.shape(), channel);
    for_float!("moments", x.buffer.dtype(), T => {
        let x = dense::<T>(x);
        let mean = over_count::<T>(channels.sum(Elements(&x[..])), channels);
        let squares = channels.sum_products::<T>([&x, &x], [mean.as_slice(); 2]);
        (mean, over_count::<T>(squares, channels))
    })
}

/// The sums divided by the number of elements of a channel.
fn over_count<T: Number>(mut sums: Buffer, channels: Channels) -> Buffer {
    let count = T::from_f64(channels.count() as f64);
    sums.as_mut::<T>().iter_mut().for_each(|sum| *sum = *sum / count);
    sums
}

/// `y = (x − mean)·inv_std·gamma + beta`, all four `[C]`, along axis `channel`.
pub fn normalize(x: View<Buffer>, channel: usize, stats: NormStats<Buffer>) -> Buffer {
    let channels = Channels::new(&x.shape(), channel);
    for_float!("normalize", x.buffer.dtype(), T => {
        let scale = product::<T>(stats.inv_std, stats.gamma);
        channels.map::<T, _, 1, 3>(Scale, [&dense(x)], [stats.mean.as_slice(), &scale, stats.beta.as_slice()])
    })
}

/// The cotangents `(dx, dgamma, dbeta)` of batch normalisation with the batch's own statistics. With
/// `x̂ = (x − mean)·inv_std` and n elements to a channel:
/// `dbeta = Σ dy`, `dgamma = Σ dy·x̂`, `dx = gamma·inv_std·(dy − dbeta/n − x̂·dgamma/n)`.
/// `stats.beta` is not read, and there is a dx where it is needed.
///
/// Ioffe, Szegedy: *Batch Normalization*, ICML 2015, §3.
pub fn normalize_vjp(
    x: View<Buffer>,
    channel: usize,
    stats: NormStats<Buffer>,
    dy: View<Buffer>,
    need_dx: bool,
) -> (Option<Buffer>, Buffer, Buffer) {
    let channels = Channels::new(&x.shape(), channel);
    for_float!("normalize_vjp", x.buffer.dtype(), T => {
        let (x, dy) = (dense::<T>(x), dense::<T>(dy));
        let inv_std: &[T] = stats.inv_std.as_slice();
        let dbeta = channels.sum(Elements(&dy[..]));
        let mean: &[T] = stats.mean.as_slice();
        let mut dgamma = channels.sum_products([&x, &dy], [mean, &vec![T::default(); mean.len()]]);
        dgamma.as_mut::<T>().iter_mut().zip(inv_std).for_each(|(sum, &s)| *sum *= s);

        let dx = need_dx.then(|| {
            let n = T::from_f64(channels.count() as f64);
            let scale = product::<T>(stats.inv_std, stats.gamma);
            let shift: Vec<T> = dbeta.as_slice::<T>().iter().map(|&b| b / n).collect();
            let slope: Vec<T> = dgamma.as_slice::<T>().iter().zip(inv_std).map(|(&g, &s)| g * s / n).collect();
            channels.map::<T, _, 2, 4>(Backward, [&x, &dy], [mean, &scale, &shift, &slope])
        });
        (dx, dgamma, dbeta)
    })
}

fn product<T: Number>(a: &Buffer, b: &Buffer) -> Vec<T> {
    a.as_slice::<T>().iter().zip(b.as_slice::<T>()).map(|(&a, &b)| a * b).collect()
}

/// `(x − mean)·scale + beta`.
#[derive(Clone, Copy)]
struct Scale;
impl PerChannel<1, 3> for Scale {
    #[inline(always)]
    fn eval<L: Lane>(self, [x]: [L; 1], [mean, scale, beta]: [L; 3]) -> L {
        (x - mean).mul_add(scale, beta)
    }
}

/// `scale·(dy − shift − (x − mean)·slope)`.
#[derive(Clone, Copy)]
struct Backward;
impl PerChannel<2, 4> for Backward {
    #[inline(always)]
    fn eval<L: Lane>(self, [x, dy]: [L; 2], [mean, scale, shift, slope]: [L; 4]) -> L {
        scale * (dy - shift - (x - mean) * slope)
    }
}
