//! How tensors print.

use cotangent_core::{DType, Tensor};

#[test]
fn columns_are_aligned_and_digits_even() {
    let x = Tensor::from([[1.0_f32, -22.5], [0.125, 4.0]]);
    assert_eq!(x.to_string(), "tensor([[  1.000, -22.500],\n        [  0.125,   4.000]], shape=[2, 2], f32)");
    assert_eq!(Tensor::from([1.0_f64, 2.0]).to_string(), "tensor([1., 2.], shape=[2], f64)");
    assert_eq!(Tensor::from([1_i64, -20]).to_string(), "tensor([  1, -20], shape=[2], i64)");
    assert_eq!(Tensor::from([true, false]).to_string(), "tensor([ true, false], shape=[2], bool)");
}

#[test]
fn digits_are_four_or_as_asked() {
    let x = Tensor::from([1.0_f64 / 3.0]);
    assert_eq!(format!("{x}"), "tensor([0.3333], shape=[1], f64)");
    assert_eq!(format!("{x:.8}"), "tensor([0.33333333], shape=[1], f64)");
}

#[test]
fn wide_ranges_are_scientific() {
    let x = Tensor::from([1.5e9_f64, 1.0]);
    assert_eq!(x.to_string(), "tensor([1.5e9, 1.0e0], shape=[2], f64)");
    assert_eq!(Tensor::from([1e-7_f32]).to_string(), "tensor([1e-7], shape=[1], f32)");
}

#[test]
fn scalars_empties_and_what_is_no_number() {
    assert_eq!(Tensor::scalar(3.0_f32).to_string(), "tensor(3., shape=[], f32)");
    assert_eq!(Tensor::zeros([0, 3]).to_string(), "tensor([], shape=[0, 3], f32)");
    let x = Tensor::from([f32::NAN, f32::NEG_INFINITY, 0.0, 0.5]);
    assert_eq!(x.to_string(), "tensor([ nan, -inf,  0.0,  0.5], shape=[4], f32)");
}

#[test]
fn blocks_stand_apart() {
    let x = Tensor::arange(0.0, 8.0, 1.0, DType::I64).reshape([2, 2, 2]);
    let text = "tensor([[[0, 1],\n         [2, 3]],\n\n        [[4, 5],\n         [6, 7]]], shape=[2, 2, 2], i64)";
    assert_eq!(x.to_string(), text);
}

#[test]
fn large_tensors_show_their_edges() {
    let x = Tensor::arange(0.0, 2000.0, 1.0, DType::I64);
    assert_eq!(x.to_string(), "tensor([   0,    1,    2, …, 1997, 1998, 1999], shape=[2000], i64)");
    let text = x.reshape([500, 4]).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 7);
    assert_eq!((lines[1], lines[3]), ("        [   4,    5,    6,    7],", "        …,"));
    assert_eq!(lines[6], "        [1996, 1997, 1998, 1999]], shape=[500, 4], i64)");
}

#[test]
fn long_rows_are_broken() {
    let text = Tensor::arange(0.0, 100.0, 1.0, DType::I64).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|l| l.len() <= 120), "{text}");
    assert_eq!(lines[1].trim_start().split(',').next(), Some("22"));
}

#[test]
fn debug_names_the_op() {
    let x = Tensor::from([1.0_f32]).tracked();
    assert_eq!(format!("{:?}", x.exp() * 0.0), "tensor([0.], shape=[1], f32, op=scale)");
    assert_eq!(format!("{x:?}"), "tensor([1.], shape=[1], f32, op=leaf)");
    assert_eq!(format!("{:?}", x.detach()), "tensor([1.], shape=[1], f32)");
}
