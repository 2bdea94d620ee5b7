//! Points to check at, the same on every run: numbers in a domain, and the layouts that a tensor can lie in.

use cotangent_base::Stream;
use cotangent_base::rng::unit_f64;
use cotangent_core::{DType, Shape, Tensor};

/// `count` numbers in [0, 1).
fn units(count: usize, seed: u64) -> impl Iterator<Item = f64> {
    let stream = Stream { seed, stream: 0x6772_6164 };
    (0..count as u64).map(move |i| {
        let words = stream.block(i);
        unit_f64(words[0], words[1])
    })
}

/// Uniform numbers in `[low, high)`, f64.
pub fn uniform(shape: impl Into<Shape>, low: f64, high: f64, seed: u64) -> Tensor {
    Domain::Range(low, high).sample(shape.into(), seed)
}

/// Random signs times numbers in [0.5, 1): directions in which every element counts and none moves far.
pub(crate) fn directions(count: usize, seed: u64) -> Vec<f64> {
    units(count, seed.wrapping_add(0xd1ce)).map(|u| if u < 0.5 { u - 1.0 } else { u }).collect()
}

/// Where an op's inputs may lie, so that no kink or pole is within 1e-2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    /// Uniform in [low, high).
    Range(f64, f64),
    /// Uniform in [low, high), at least 1e-2 away from each of these points.
    Away(f64, f64, &'static [f64]),
    /// A random sign times a number in [low, high).
    Outer(f64, f64),
    /// In [-1, 1), every two elements at least 2e-2 apart (up to 100 of them): no ties for max and sorting.
    Distinct,
    /// Multiples of 0.1 in [-1, 1), plus an offset: two tensors with other offsets have no ties.
    Grid(f64),
    /// Multiples of 1/16 in [-1, 1): numbers that f32 can add to large ones without rounding.
    Sixteenths,
    /// Integers 0 .. n, as i64: labels and indices. Constants to the check.
    Index(usize),
    /// Zeros and ones as bools. Constants to the check.
    Mask,
}

/// How far samples stay away from kinks.
const MARGIN: f64 = 1e-2;

impl Domain {
    /// A tensor from the domain: f64, or i64 or bool for the last two.
    pub fn sample(self, shape: Shape, seed: u64) -> Tensor {
        let count = shape.count();
        let values: Vec<f64> = match self {
            Domain::Range(low, high) => units(count, seed).map(|u| low + (high - low) * u).collect(),
            Domain::Away(low, high, kinks) => units(count, seed).map(|u| away(low + (high - low) * u, kinks)).collect(),
            Domain::Outer(low, high) => units(count, seed).map(|u| outer(low, high, 2.0 * u)).collect(),
            Domain::Distinct => distinct(count, seed),
            Domain::Grid(offset) => units(count, seed).map(|u| (u * 20.0).floor() / 10.0 - 1.0 + offset).collect(),
            Domain::Sixteenths => units(count, seed).map(|u| (u * 32.0).floor() / 16.0 - 1.0).collect(),
            Domain::Index(n) => units(count, seed).map(|u| (u * n as f64).floor()).collect(),
            Domain::Mask => units(count, seed).map(|u| (u < 0.5) as u8 as f64).collect(),
        };
        let dtype = match self {
            Domain::Index(_) => DType::I64,
            Domain::Mask => DType::Bool,
            _ => DType::F64,
        };
        Tensor::from_slice(&values, shape).cast(dtype)
    }
}

/// `x`, moved away from the nearest kink if it is too close.
fn away(x: f64, kinks: &[f64]) -> f64 {
    match kinks.iter().find(|&&k| (x - k).abs() < MARGIN) {
        Some(k) => k + if x < *k { -MARGIN } else { MARGIN } + (x - k),
        None => x,
    }
}

/// From `u` in [0, 2) the sign and the size.
fn outer(low: f64, high: f64, u: f64) -> f64 {
    if u < 1.0 { low + (high - low) * u } else { -low - (high - low) * (u - 1.0) }
}

/// The middles of `count` equal parts of [-1, 1) in random order.
fn distinct(count: usize, seed: u64) -> Vec<f64> {
    let keys: Vec<f64> = units(count, seed).collect();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    order.into_iter().map(|i| (2 * i + 1) as f64 / count as f64 - 1.0).collect()
}

/// How a tensor's elements lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// Row-major, from the buffer's start.
    Contiguous,
    /// Row-major, from the middle of a buffer.
    Offset,
    /// The axes stored in the opposite order.
    Transposed,
    /// Every second element of a larger tensor, along every axis.
    Strided,
    /// Stored backwards along every axis.
    Reversed,
}

impl Arrangement {
    /// All of them.
    pub const ALL: [Arrangement; 5] = [
        Arrangement::Contiguous,
        Arrangement::Offset,
        Arrangement::Transposed,
        Arrangement::Strided,
        Arrangement::Reversed,
    ];

    /// The same elements in this arrangement.
    pub fn of(self, x: &Tensor) -> Tensor {
        let (rank, shape) = (x.rank(), x.shape());
        let axes = || (0..rank).map(|a| a as isize);
        match self {
            Arrangement::Contiguous => x.clone(),
            Arrangement::Offset => padded(&x.reshape([x.count()]), 5, 1).reshape(shape),
            Arrangement::Transposed => {
                let back: Vec<isize> = axes().rev().collect();
                packed(&x.permute(&back)).permute(&back)
            }
            Arrangement::Strided => padded(x, 1, 2),
            Arrangement::Reversed => {
                let flip = |x: &Tensor| axes().fold(x.clone(), |x, axis| x.flip(axis));
                flip(&packed(&flip(x)))
            }
        }
    }
}

/// The elements in row-major order without gaps.
fn packed(x: &Tensor) -> Tensor {
    let shape = x.shape();
    match x.dtype() {
        DType::F32 => Tensor::from_slice(&x.to_vec::<f32>(), shape),
        DType::F64 => Tensor::from_slice(&x.to_vec::<f64>(), shape),
        DType::U32 => Tensor::from_slice(&x.to_vec::<u32>(), shape),
        DType::I64 => Tensor::from_slice(&x.to_vec::<i64>(), shape),
        DType::U8 => Tensor::from_slice(&x.to_vec::<u8>(), shape),
        DType::Bool => Tensor::from_slice(&x.to_vec::<bool>(), shape),
    }
}

/// `x` as a view into a larger tensor of zeros: along every axis after `before` others, `step` apart.
fn padded(x: &Tensor, before: usize, step: usize) -> Tensor {
    let sizes: Vec<usize> = x.shape().iter().map(|n| before + n * step).collect();
    let shape = Shape::new(&sizes);
    let mut values = vec![f64::NAN; shape.count()];
    let mut places = cotangent_base::Layout::contiguous(shape);
    for (axis, &n) in x.shape().iter().enumerate() {
        places = places.slice(axis, before.min(sizes[axis].saturating_sub(1)), n, step as isize);
    }
    for (place, value) in places.places().zip(x.cast(DType::F64).to_vec::<f64>()) {
        values[place] = value;
    }
    let mut view = Tensor::from_slice(&values, shape).cast(x.dtype());
    for (axis, &n) in x.shape().iter().enumerate() {
        let (from, to) = (before as isize, (before + n * step) as isize);
        view = view.slice_step(axis as isize, from..to, step as isize);
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_away_from_kinks_and_from_each_other() {
        let x = Domain::Away(-1.0, 1.0, &[0.0, 0.5]).sample([2000].into(), 3).to_vec::<f64>();
        assert!(x.iter().all(|x| x.abs() >= MARGIN && (x - 0.5).abs() >= MARGIN && x.abs() < 1.0));
        let mut d = Domain::Distinct.sample([100].into(), 3).to_vec::<f64>();
        d.sort_by(f64::total_cmp);
        assert!(d.windows(2).all(|w| w[1] - w[0] > 0.0199));
        assert!(Domain::Index(3).sample([99].into(), 1).to_vec::<i64>().iter().all(|i| (0..3).contains(i)));
    }

    #[test]
    fn arrangements_hold_the_same_elements() {
        for shape in [Shape::from([3, 4, 2]), Shape::from([5]), Shape::SCALAR, Shape::from([0, 3])] {
            let x = uniform(shape, -1.0, 1.0, 4);
            for arrangement in Arrangement::ALL {
                let y = arrangement.of(&x);
                assert_eq!((y.shape(), y.to_vec::<f64>()), (shape, x.to_vec::<f64>()), "{arrangement:?} {shape}");
            }
        }
        let x = uniform([3, 4], -1.0, 1.0, 4);
        assert!(!Arrangement::Transposed.of(&x).is_contiguous() && !Arrangement::Strided.of(&x).is_contiguous());
        assert!(Arrangement::Offset.of(&x).is_contiguous() && Arrangement::Offset.of(&x).layout().offset == 5);
    }
}
