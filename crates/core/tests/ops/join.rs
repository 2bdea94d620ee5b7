//! Values of views and joins.

use crate::support::numbers;
use cotangent_core::{DType, Tensor};

fn grid() -> Tensor {
    Tensor::arange(0.0, 6.0, 1.0, DType::I64).reshape([2, 3])
}

#[test]
fn concat_takes_any_number_and_any_axis() {
    let x = grid();
    let y = Tensor::concat(&[&x, &x.slice(0, 0..0), &x.slice(0, 1..)], 0);
    assert_eq!(y.to_vec::<i64>(), [0, 1, 2, 3, 4, 5, 3, 4, 5]);
    let y = Tensor::concat(&[&x.slice(1, ..1), &x.flip(1)], -1);
    assert_eq!(y.to_vec::<i64>(), [0, 2, 1, 0, 3, 5, 4, 3]);
    assert_eq!(Tensor::concat(&[&x], 0).to_vec::<i64>(), x.to_vec::<i64>());
}

#[test]
fn stack_makes_an_axis() {
    let x = grid();
    assert_eq!(Tensor::stack(&[&x, &x, &x], 0).dims(), [3, 2, 3]);
    assert_eq!(Tensor::stack(&[&x, &x, &x], -1).dims(), [2, 3, 3]);
    assert_eq!(Tensor::stack(&[&x, &x], 1).to_vec::<i64>(), [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]);
}

#[test]
fn split_and_chunk_undo_concat() {
    let x = grid();
    let parts = x.split(&[2, 0, 1], 1);
    assert_eq!(parts.iter().map(|p| p.shape()[1]).collect::<Vec<_>>(), [2, 0, 1]);
    assert_eq!(Tensor::concat(&parts.iter().collect::<Vec<_>>(), 1).to_vec::<i64>(), x.to_vec::<i64>());
    assert_eq!(x.chunk(3, 1)[2].to_vec::<i64>(), [2, 5]);
}

#[test]
fn pad_surrounds() {
    let y = Tensor::from([[1.0_f32]]).pad(&[(1, 0), (1, 2)], -1.0);
    assert_eq!(y.dims(), [2, 4]);
    assert_eq!(numbers(&y), [-1.0, -1.0, -1.0, -1.0, -1.0, 1.0, -1.0, -1.0]);
}

#[test]
fn views_share_memory_until_written() {
    let x = grid();
    let mut y = x.t();
    assert!(!y.is_contiguous());
    assert_eq!(y.to_vec::<i64>(), [0, 3, 1, 4, 2, 5]);
    y.set_(&y.zeros_like());
    assert_eq!(x.to_vec::<i64>(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn slices_follow_python() {
    let x = Tensor::arange(0.0, 10.0, 1.0, DType::I64);
    assert_eq!(x.slice(0, -3..-1).to_vec::<i64>(), [7, 8]);
    assert_eq!(x.slice_step(0, 1..8, 3).to_vec::<i64>(), [1, 4, 7]);
    assert_eq!(x.slice_step(0, 2..=6, -2).to_vec::<i64>(), [6, 4, 2]);
    assert_eq!(x.slice(0, 4..4).count(), 0);
    assert_eq!(x.flip(0).slice(0, ..2).to_vec::<i64>(), [9, 8]);
    assert_eq!(x.select(0, -1).item(), 9.0);
}
