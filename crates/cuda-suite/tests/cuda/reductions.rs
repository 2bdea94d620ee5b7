//! Reductions of every dtype over lengths around the edges of the kernels' parts: 32 lanes, 8 warps, chunks of 512 and 4096.

use super::same::{assert_near, assert_same, there, whole};
use cotangent::{DType, Tensor};
use cotangent_cuda_suite::on_device;

const NUMBERS: [DType; 5] = [DType::F32, DType::F64, DType::U32, DType::I64, DType::U8];

type Reduction = (&'static str, fn(&Tensor, isize) -> Tensor);

const FOLDS: [Reduction; 4] = [
    ("sum", |x, axis| x.sum(axis)),
    ("prod", |x, axis| x.prod(axis)),
    ("max", |x, axis| x.max(axis)),
    ("min", |x, axis| x.min(axis)),
];
const ARGS: [Reduction; 2] = [("argmax", Tensor::argmax), ("argmin", Tensor::argmin)];

/// `[outer, n, inner]`.
const EXTENTS: [[usize; 3]; 14] = [
    [1, 1, 1],
    [9, 31, 1],
    [3, 33, 1],
    [2, 130, 1],
    [17, 7, 1],
    [1, 4095, 1],
    [2, 4097, 1],
    [1, 8197, 1],
    [1, 1, 5],
    [3, 9, 31],
    [2, 16, 33],
    [2, 23, 65],
    [1, 513, 3],
    [2, 1100, 34],
];

/// Numbers that need all the bits of the dtype; wrapping is the same on both sides.
fn numbers(dtype: DType, shape: [usize; 3]) -> Tensor {
    let count: usize = shape.iter().product();
    let mixed = |i: usize| (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    match dtype {
        DType::F32 | DType::F64 => whole(&shape).cast(dtype),
        DType::U32 => Tensor::from_slice(&(0..count).map(|i| (mixed(i) >> 32) as u32).collect::<Vec<_>>(), shape),
        DType::I64 => Tensor::from_slice(&(0..count).map(|i| mixed(i) as i64).collect::<Vec<_>>(), shape),
        _ => Tensor::from_slice(&(0..count).map(|i| (mixed(i) >> 56) as u8).collect::<Vec<_>>(), shape),
    }
}

/// Row i is all `low` but for a `high` at place i, and another some places further.
fn peaks(dtype: DType, n: usize, low: f64, high: f64) -> Tensor {
    let at = |i: usize, j: usize| j == i || j == (i + 37) % n;
    let values: Vec<f64> = (0..n * n).map(|k| if at(k / n, k % n) { high } else { low }).collect();
    Tensor::from_slice(&values, [n, n]).cast(dtype)
}

/// Both reductions of a matrix, each way round.
fn assert_extremes(what: &str, x: Tensor) {
    for (name, f) in [FOLDS[2], FOLDS[3], ARGS[0], ARGS[1]] {
        for axis in [0, 1] {
            assert_same(&format!("{name} of {what} over axis {axis}"), std::slice::from_ref(&x), |x| f(&x[0], axis));
        }
    }
}

on_device! {
    fn every_length_of_every_dtype_folds_as_on_the_cpu() {
        for dtype in NUMBERS {
            for extent in EXTENTS {
                let x = numbers(dtype, extent);
                // products of whole numbers leave the range in which floats are exact
                let factors = if dtype.is_float() { x.clamp(-1.0, 1.0).abs() + x.ge(5.0).cast(dtype) } else { x.clone() };
                for (name, f) in FOLDS {
                    let x = if name == "prod" { &factors } else { &x };
                    assert_same(&format!("{name} of {extent:?} in {dtype}"), std::slice::from_ref(x), |x| f(&x[0], 1));
                }
                for (name, f) in ARGS {
                    assert_same(&format!("{name} of {extent:?} in {dtype}"), std::slice::from_ref(&x), |x| f(&x[0], 1));
                }
            }
        }
    }

    fn an_extreme_is_found_wherever_it_is() {
        for dtype in NUMBERS {
            for n in [1, 2, 31, 64, 75] {
                for (low, high) in [(3.0, 7.0), (7.0, 3.0), (0.0, 0.0)] {
                    assert_extremes(&format!("{n} peaks of {high} on {low} in {dtype}"), peaks(dtype, n, low, high));
                }
            }
        }
    }

    fn not_a_number_wins_wherever_it_is() {
        for dtype in [DType::F32, DType::F64] {
            for low in [1.0, f64::INFINITY, f64::NEG_INFINITY] {
                assert_extremes(&format!("a NaN on {low} in {dtype}"), peaks(dtype, 71, low, f64::NAN));
            }
        }
    }

    fn infinities_are_found_among_each_other() {
        for dtype in [DType::F32, DType::F64] {
            for (low, high) in [(f64::NEG_INFINITY, f64::INFINITY), (f64::INFINITY, f64::NEG_INFINITY)] {
                assert_extremes(&format!("{high} on {low} in {dtype}"), peaks(dtype, 40, low, high));
            }
        }
    }

    fn a_strided_operand_is_reduced_as_it_is_seen() {
        let x = whole(&[6, 5, 7, 4]);
        for axis in 0..4 {
            let views = [x.permute(&[2, 0, 3, 1]), x.slice(2, 1..6).slice(0, ..4), x.narrow(1, 2, 3)];
            for (k, x) in views.iter().enumerate() {
                assert_same(&format!("view {k} over axis {axis}"), std::slice::from_ref(x), |x| x[0].sum(axis));
                assert_same(&format!("view {k} over axis {axis}"), std::slice::from_ref(x), |x| x[0].argmax(axis));
            }
        }
        assert_same("two runs of axes", &[x], |x| x[0].sum([0, 2]));
    }

    fn sums_of_more_chunks_than_one_fold_takes() {
        let x = (Tensor::arange(0.0, 17_000_000.0, 1.0, DType::F32) * 0.0).cast(DType::U8) + Tensor::ones([1]).cast(DType::U8);
        let there = there(std::slice::from_ref(&x)).remove(0);
        assert_near("17 million ones", &there.sum(0), &x.sum(0), 0.0);
    }
}
