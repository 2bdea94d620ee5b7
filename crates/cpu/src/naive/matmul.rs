//! The matrix product as its definition says it.

/// `y[i, j] = bias[j] + Σ_k a[i, k]·b[k, j]` for row-major `a [m, k]`, `b [k, n]`, and beside it the same sum of
/// absolute values, which bounds the rounding error of any order of summation.
#[inline]
pub fn matmul(a: &[f64], b: &[f64], bias: Option<&[f64]>, [m, k, n]: [usize; 3]) -> (Vec<f64>, Vec<f64>) {
    let (mut y, mut size) = (Vec::with_capacity(m * n), Vec::with_capacity(m * n));
    for i in 0..m {
        for j in 0..n {
            let bias = bias.map_or(0.0, |b| b[j]);
            let products = (0..k).map(|l| a[i * k + l] * b[l * n + j]);
            y.push(bias + products.clone().sum::<f64>());
            size.push(bias.abs() + products.map(f64::abs).sum::<f64>());
        }
    }
    (y, size)
}
