//! Batch normalisation, channel by channel.

use cotangent_base::Shape;

/// The channel of each element in row-major order.
fn channels(shape: &Shape, channel: usize) -> impl Iterator<Item = usize> {
    let inner: usize = shape[channel + 1..].iter().product();
    let size = shape[channel];
    (0..shape.count()).map(move |i| i / inner % size)
}

/// The sum of `x` over each channel.
fn sum(x: &[f64], shape: &Shape, channel: usize) -> Vec<f64> {
    let mut sums = vec![0.0; shape[channel]];
    x.iter().zip(channels(shape, channel)).for_each(|(x, c)| sums[c] += x);
    sums
}

/// Mean and biased variance of each channel.
#[inline]
pub fn moments(x: &[f64], shape: &Shape, channel: usize) -> (Vec<f64>, Vec<f64>) {
    let n = (shape.count() / shape[channel].max(1)) as f64;
    let over_n = |sums: Vec<f64>| -> Vec<f64> { sums.iter().map(|sum| sum / n).collect() };
    let mean = over_n(sum(x, shape, channel));
    let squares: Vec<f64> = x.iter().zip(channels(shape, channel)).map(|(x, c)| (x - mean[c]).powi(2)).collect();
    let variance = over_n(sum(&squares, shape, channel));
    (mean, variance)
}

/// `mean, inv_std, gamma, beta`, `[C]` each.
pub struct Stats<'a>(pub &'a [f64], pub &'a [f64], pub &'a [f64], pub &'a [f64]);

/// `y = (x − mean)·inv_std·gamma + beta`.
#[inline]
pub fn normalize(x: &[f64], shape: &Shape, channel: usize, Stats(mean, inv_std, gamma, beta): Stats) -> Vec<f64> {
    x.iter().zip(channels(shape, channel)).map(|(x, c)| (x - mean[c]) * inv_std[c] * gamma[c] + beta[c]).collect()
}

/// `(dx, dgamma, dbeta)`, the mean and the standard deviation being those of `x`.
#[inline]
pub fn normalize_vjp(
    x: &[f64],
    shape: &Shape,
    channel: usize,
    Stats(mean, inv_std, gamma, _): Stats,
    dy: &[f64],
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let n = (shape.count() / shape[channel].max(1)) as f64;
    let normal: Vec<f64> = x.iter().zip(channels(shape, channel)).map(|(x, c)| (x - mean[c]) * inv_std[c]).collect();
    let products: Vec<f64> = normal.iter().zip(dy).map(|(x, dy)| x * dy).collect();
    let (dgamma, dbeta) = (sum(&products, shape, channel), sum(dy, shape, channel));
    let dx = channels(shape, channel)
        .enumerate()
        .map(|(i, c)| gamma[c] * inv_std[c] * (dy[i] - dbeta[c] / n - normal[i] * dgamma[c] / n))
        .collect();
    (dx, dgamma, dbeta)
}

/// `[dgamma, dbeta, dw, db]` for `y = z·w + b`, z being x `[n, c]` normalised: by way of `dz = dy·wᵀ`.
#[inline]
pub fn normalize_linear_vjp(x: &[f64], shape: &Shape, stats: Stats, w: &[f64], dy: &[f64]) -> [Vec<f64>; 4] {
    let (n, c, k) = (shape[0], shape[1], dy.len() / shape[0]);
    let Stats(mean, inv_std, gamma, beta) = stats;
    let z = normalize(x, shape, 1, Stats(mean, inv_std, gamma, beta));
    let dot = |count: usize, f: &dyn Fn(usize) -> f64| (0..count).map(f).sum::<f64>();
    let dz: Vec<f64> = (0..n * c).map(|i| dot(k, &|j| dy[i / c * k + j] * w[i % c * k + j])).collect();
    let dw = (0..c * k).map(|i| dot(n, &|row| z[row * c + i / k] * dy[row * k + i % k])).collect();
    let db = (0..k).map(|j| dot(n, &|row| dy[row * k + j])).collect();
    let (_, dgamma, dbeta) = normalize_vjp(x, shape, 1, Stats(mean, inv_std, gamma, beta), &dz);
    [dgamma, dbeta, dw, db]
}
