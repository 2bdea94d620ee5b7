//! Batch normalisation, made of maps over broadcast views and reductions.

use super::memory::dense;
use super::pointwise::map;
use super::reduce::reduce;
use super::whole;
use crate::Buffer;
use cotangent_base::{Axes, Lane, Layout, Map, NormStats, Reduce, Result, Shape, View};

/// A `[C]` buffer, the same along all axes of `shape` but `channel`.
fn per_channel<'a>(buffer: &'a Buffer, shape: &Shape, channel: usize) -> View<'a, Buffer> {
    let strides: Vec<isize> = (0..shape.rank()).map(|axis| (axis == channel) as isize).collect();
    View { buffer, layout: Layout::new(*shape, &strides, 0) }
}

/// All axes but `channel`.
fn others(shape: &Shape, channel: usize) -> Axes {
    (0..shape.rank()).filter(|&axis| axis != channel).collect()
}

/// How many elements a channel has.
fn count(shape: &Shape, channel: usize) -> f64 {
    (shape.count() / shape[channel].max(1)) as f64
}

/// `sum / n`.
#[derive(Clone, Copy)]
struct Over(f64);
impl Map<1> for Over {
    fn eval<L: Lane>(self, [sum]: [L; 1]) -> L {
        sum / L::splat(self.0)
    }
}

/// `(x − mean)²`.
#[derive(Clone, Copy)]
struct Deviation;
impl Map<2> for Deviation {
    fn eval<L: Lane>(self, [x, mean]: [L; 2]) -> L {
        let d = x - mean;
        d * d
    }
}

/// `(x − mean)·inv_std·gamma + beta`.
#[derive(Clone, Copy)]
struct Scale;
impl Map<5> for Scale {
    fn eval<L: Lane>(self, [x, mean, inv_std, gamma, beta]: [L; 5]) -> L {
        (x - mean).mul_add(inv_std * gamma, beta)
    }
}

/// `dy·(x − mean)`.
#[derive(Clone, Copy)]
struct Product;
impl Map<3> for Product {
    fn eval<L: Lane>(self, [x, dy, mean]: [L; 3]) -> L {
        dy * (x - mean)
    }
}

/// `a·b`.
#[derive(Clone, Copy)]
struct Times;
impl Map<2> for Times {
    fn eval<L: Lane>(self, [a, b]: [L; 2]) -> L {
        a * b
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

/// Mean and biased variance of each channel, the variance from a second pass.
pub fn moments(x: View<Buffer>, channel: usize) -> Result<(Buffer, Buffer)> {
    let (shape, device) = (x.shape(), x.buffer.device());
    let (n, others) = (count(&shape, channel), others(&shape, channel));
    let channels = Shape::from([shape[channel]]);
    let sum = reduce(Reduce::Sum, x, others)?;
    let mean = map(device, Over(n), [whole(&sum, channels)])?;
    let squares = map(device, Deviation, [x, per_channel(&mean, &shape, channel)])?;
    let sum = reduce(Reduce::Sum, whole(&squares, shape), others)?;
    let variance = map(device, Over(n), [whole(&sum, channels)])?;
    Ok((mean, variance))
}

/// `y = (x − mean)·inv_std·gamma + beta`.
pub fn normalize(x: View<Buffer>, channel: usize, stats: NormStats<Buffer>) -> Result<Buffer> {
    let shape = x.shape();
    let [mean, inv_std, gamma, beta] =
        [stats.mean, stats.inv_std, stats.gamma, stats.beta].map(|b| per_channel(b, &shape, channel));
    map(x.buffer.device(), Scale, [x, mean, inv_std, gamma, beta])
}

/// The cotangents `(dx, dgamma, dbeta)`.
pub fn normalize_vjp(
    x: View<Buffer>,
    channel: usize,
    stats: NormStats<Buffer>,
    dy: View<Buffer>,
) -> Result<(Buffer, Buffer, Buffer)> {
    let (shape, device) = (x.shape(), x.buffer.device());
    let (n, others) = (count(&shape, channel), others(&shape, channel));
    let channels = Shape::from([shape[channel]]);
    let mut space = None;
    let dy = whole(dense(dy, &mut space)?, shape);
    let dbeta = reduce(Reduce::Sum, dy, others)?;
    let [mean, inv_std, gamma] = [stats.mean, stats.inv_std, stats.gamma].map(|b| per_channel(b, &shape, channel));
    let products = map(device, Product, [x, dy, mean])?;
    let sum = reduce(Reduce::Sum, whole(&products, shape), others)?;
    let dgamma = map(device, Times, [whole(&sum, channels), whole(stats.inv_std, channels)])?;
    let [of_gamma, of_beta] = [&dgamma, &dbeta].map(|b| per_channel(b, &shape, channel));
    let dx = map(device, Backward(n), [x, dy, mean, inv_std, gamma, of_gamma, of_beta])?;
    Ok((dx, dgamma, dbeta))
}
