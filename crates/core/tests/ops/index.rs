//! Values of indexing, and what it refuses.

use crate::support::{numbers, panic_text};
use cotangent_core::{DType, Tensor};

fn x() -> Tensor {
    Tensor::arange(0.0, 12.0, 1.0, DType::F32).reshape([3, 4])
}

#[test]
fn index_select_takes_slices() {
    let y = x().index_select(1, &Tensor::from([3_i64, 3, 0]));
    assert_eq!(numbers(&y), [3.0, 3.0, 0.0, 7.0, 7.0, 4.0, 11.0, 11.0, 8.0]);
    let labels = Tensor::from([5_i64, 6, 7]).index_select(0, &Tensor::from([2_i64]));
    assert_eq!(labels.to_vec::<i64>(), [7]);
    assert_eq!(x().index_select(0, &Tensor::from_vec(Vec::<i64>::new())).dims(), [0, 4]);
}

#[test]
fn gather_takes_elements() {
    let y = x().gather(0, &Tensor::from([[2_i64, 0, 1, 2]]));
    assert_eq!(numbers(&y), [8.0, 1.0, 6.0, 11.0]);
}

#[test]
fn scatter_add_adds_repeated_places() {
    let index = Tensor::from([[0_i64, 0, 2, 0]]);
    let y = x().scatter_add(0, &index, &Tensor::ones([1, 4]));
    assert_eq!(numbers(&y), [1.0, 2.0, 2.0, 4.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 11.0, 11.0]);
}

#[test]
fn one_hot_has_one_one_in_each_row() {
    let y = Tensor::from([[1_i64], [0]]).one_hot(2, DType::F64);
    assert_eq!(y.dims(), [2, 1, 2]);
    assert_eq!(y.to_vec::<f64>(), [0.0, 1.0, 1.0, 0.0]);
}

#[test]
fn an_index_outside_says_which_and_where() {
    let beyond = Tensor::from([[0_i64, 1, 2, 0], [1, 3, 0, 0]]);
    assert_eq!(panic_text(|| x().gather(0, &beyond)), "[gather] index 3 at [1, 1], but axis 0 of [3, 4] has 0 to 2");
    assert_eq!(
        panic_text(|| x().index_select(1, &Tensor::from([0_i64, -1]))),
        "[index_select] index -1 at [1], but axis 1 of [3, 4] has 0 to 3"
    );
    assert_eq!(
        panic_text(|| x().scatter_add(0, &beyond, &Tensor::ones([2, 4]))),
        "[scatter_add] index 3 at [1, 1], but axis 0 of [3, 4] has 0 to 2"
    );
    assert_eq!(
        panic_text(|| Tensor::from([0_i64, 7]).one_hot(3, DType::F32)),
        "[one_hot] class 7 at [1], but there are 3 classes, from 0"
    );
    assert_eq!(
        panic_text(|| x().index_select(0, &Tensor::from([1.0_f32]))),
        "[index_select] indices are i64, got f32 [1]; cast them"
    );
    assert_eq!(
        panic_text(|| Tensor::zeros([0, 2]).index_select(0, &Tensor::from([0_i64]))),
        "[index_select] index 0 at [0], but axis 0 of [0, 2] has no elements"
    );
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    assert_eq!(
        panic_text(|| x().gather(0, &Tensor::from([[0_i64, 1]]))),
        "[gather] x [3, 4], the index [1, 2]: they may differ in axis 0 alone"
    );
    assert_eq!(
        panic_text(|| x().index_select(0, &Tensor::from([[0_i64]]))),
        "[index_select] the index [1, 1] has 2 axes, wants 1"
    );
    assert_eq!(
        panic_text(|| x().scatter_add(0, &Tensor::from([[0_i64; 4]]), &Tensor::ones([2, 4]))),
        "[scatter_add] the index has shape [1, 4], x [2, 4]"
    );
}
