//! Softmax and cross-entropy, row by row.

/// `ln Σ eˣ`.
fn log_sum_exp(row: &[f64]) -> f64 {
    let greatest = row.iter().fold(f64::NEG_INFINITY, |a, &b| if a > b || a.is_nan() { a } else { b });
    greatest + row.iter().map(|x| (x - greatest).exp()).sum::<f64>().ln()
}

/// The logarithm of the softmax of each row of `columns` elements.
#[inline]
pub fn log_softmax(x: &[f64], columns: usize) -> Vec<f64> {
    x.chunks(columns.max(1))
        .flat_map(|row| {
            let log = log_sum_exp(row);
            row.iter().map(move |x| x - log)
        })
        .collect()
}

/// The softmax of each row.
#[inline]
pub fn softmax(x: &[f64], columns: usize) -> Vec<f64> {
    log_softmax(x, columns).into_iter().map(f64::exp).collect()
}

/// The loss of each row.
#[inline]
pub fn cross_entropy(x: &[f64], columns: usize, labels: &[i64]) -> Vec<f64> {
    x.chunks(columns.max(1)).zip(labels).map(|(row, &label)| log_sum_exp(row) - row[label as usize]).collect()
}

/// The cotangent of the logits.
#[inline]
pub fn cross_entropy_dx(softmax: &[f64], columns: usize, labels: &[i64], dy: &[f64]) -> Vec<f64> {
    let one_hot = |i: usize| f64::from(labels[i / columns] as usize == i % columns);
    softmax.iter().enumerate().map(|(i, p)| (p - one_hot(i)) * dy[i / columns]).collect()
}
