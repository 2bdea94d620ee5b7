//! Picking and adding by index, element by element.

use cotangent_base::{Layout, Shape};

/// The place in an array of shape `array` that element `i` of an index array of shape `index` names along `axis`.
fn place(i: usize, at: i64, index: &Shape, array: &Shape, axis: usize) -> usize {
    let to = Layout::contiguous(*array);
    let of = Layout::contiguous(*index);
    (0..index.rank())
        .map(|a| {
            let coordinate = if a == axis { at as usize } else { i / of.strides()[a] as usize % index[a] };
            coordinate * to.strides()[a] as usize
        })
        .sum()
}

/// `y[.., i, ..] = x[.., index[.., i, ..], ..]`.
#[inline]
pub fn gather(x: &[f64], shape: &Shape, axis: usize, index: &[i64], index_shape: &Shape) -> Vec<f64> {
    index.iter().enumerate().map(|(i, &at)| x[place(i, at, index_shape, shape, axis)]).collect()
}

/// `y = base; y[.., index[.., i, ..], ..] += x[.., i, ..]`.
#[inline]
pub fn scatter_add(
    base: &[f64],
    shape: &Shape,
    axis: usize,
    index: &[i64],
    index_shape: &Shape,
    x: &[f64],
) -> Vec<f64> {
    let mut y = base.to_vec();
    for (i, &at) in index.iter().enumerate() {
        y[place(i, at, index_shape, shape, axis)] += x[i];
    }
    y
}

/// The index of [`gather`] that selects whole slices: `index[i]` at every place of slice i.
#[inline]
pub fn of_slices(shape: &Shape, axis: usize, index: &[i64]) -> (Vec<i64>, Shape) {
    let shape = shape.with(axis, index.len());
    let inner: usize = shape[axis + 1..].iter().product();
    ((0..shape.count()).map(|i| index[i / inner % index.len()]).collect(), shape)
}
