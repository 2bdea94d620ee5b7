//! The layers of several inputs.

use crate::assert_says;
use cotangent_core::{DType, Result, Rng, Shape, Tensor};
use cotangent_nn::*;

fn build(merge: &mut dyn Merge, inputs: &[Shape]) -> Result<Shape> {
    merge.build(inputs, &mut Build::new(&mut Rng::new(0)))
}

fn call(merge: &dyn Merge, x: &[&Tensor]) -> Vec<f32> {
    merge.call(x, &mut Pass::inference(&mut Rng::new(0))).to_vec()
}

#[test]
fn they_go_element_by_element() {
    let (a, b) = (Tensor::from([[1.0_f32, 5.0, -2.0]]), Tensor::from([[3.0_f32, 2.0, -2.0]]));
    let c = Tensor::from([[2.0_f32, 2.0, 1.0]]);
    let wanted: [(&mut dyn Merge, [f32; 3]); 5] = [
        (&mut Add, [6.0, 9.0, -3.0]),
        (&mut Multiply, [6.0, 20.0, 4.0]),
        (&mut Average, [2.0, 3.0, -1.0]),
        (&mut Maximum, [3.0, 5.0, 1.0]),
        (&mut Minimum, [1.0, 2.0, -2.0]),
    ];
    for (merge, values) in wanted {
        assert_eq!(*build(merge, &[[3].into(); 3]).unwrap(), [3]);
        assert_eq!(call(merge, &[&a, &b, &c]), values, "{}", merge.kind());
    }
    assert_eq!(call(&Subtract, &[&a, &b]), [-2.0, 3.0, 0.0]);
}

#[test]
fn axes_of_size_1_are_repeated() {
    let (image, gate) = (Tensor::ones([2, 3, 4]), Tensor::full([2, 1, 4], 0.5, DType::F32));
    assert_eq!(*build(&mut Multiply, &[[3, 4].into(), [1, 4].into()]).unwrap(), [3, 4]);
    assert_eq!(call(&Multiply, &[&image, &gate]), [0.5; 24]);
}

#[test]
fn concatenation_is_along_any_axis_but_the_batchs() {
    let (a, b) = (Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]), Tensor::from([[5.0_f32], [6.0]]));
    assert_eq!(*build(&mut Concatenate::new(), &[[2].into(), [1].into()]).unwrap(), [3]);
    assert_eq!(call(&Concatenate::new(), &[&a, &b]), [1.0, 2.0, 5.0, 3.0, 4.0, 6.0]);
    let mut rows = Concatenate::new().axis(1);
    assert_eq!(*build(&mut rows, &[[2, 3].into(), [5, 3].into()]).unwrap(), [7, 3]);
    assert_eq!(
        rows.call(&[&Tensor::ones([4, 2, 3]), &Tensor::ones([4, 5, 3])], &mut Pass::inference(&mut Rng::new(0))).dims(),
        [4, 7, 3]
    );
}

#[test]
fn what_does_not_go_together_is_refused() {
    let (a, b, c) = (Shape::from([3]), Shape::from([4]), Shape::from([3, 4]));
    assert_says(build(&mut Add, &[a, b]), &["[Add] inputs [N, 3], [N, 4] do not go together", "hint"]);
    // NumPy's rule would put the batch over another axis
    assert_says(build(&mut Add, &[b, c]), &["[Add] inputs [N, 4], [N, 3, 4]", "as many axes"]);
    assert_says(build(&mut Multiply, &[a]), &["[Multiply] 1 input, wants two or more", "[&a, &b].apply(Multiply)"]);
    assert_says(build(&mut Subtract, &[a, a, a]), &["[Subtract] 3 inputs", "wants two"]);
    let mut concatenate = Concatenate::new();
    assert_says(build(&mut concatenate, &[a, c]), &["[Concatenate] inputs [N, 3], [N, 3, 4]"]);
    assert_says(build(&mut concatenate.axis(1), &[c, [3, 5].into()]), &["[N, 3, 4], [N, 3, 5]", "other"]);
    for axis in [0, 2, -2] {
        assert_says(build(&mut Concatenate::new().axis(axis), &[a, b]), &[&format!("axis {axis} of inputs"), "batch"]);
    }
}
