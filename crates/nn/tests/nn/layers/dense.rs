//! [`Dense`].

use super::{build, infer};
use crate::assert_says;
use cotangent_core::Tensor;
use cotangent_nn::{Activation::*, *};

#[test]
fn it_is_an_affine_map_and_its_activation() {
    let mut dense = Dense::new(2).activation(Relu).bias_init(Init::Constant(-1.0));
    build(&mut dense, [3]).unwrap();
    dense.params_mut()[0].value.set_(&Tensor::from([[1.0_f32, -1.0], [2.0, 0.0], [0.5, 4.0]]));
    let y = infer(&dense, &Tensor::from([[1.0_f32, 2.0, 4.0], [0.0, 0.0, 0.0]]));
    assert_eq!(y.to_vec::<f32>(), [6.0, 14.0, 0.0, 0.0]);
    assert_eq!(y.dims(), [2, 2]);
}

#[test]
fn without_bias_it_has_a_kernel_alone() {
    let mut dense = Dense::new(2).use_bias(false).kernel_init(Init::Ones);
    build(&mut dense, [3]).unwrap();
    assert_eq!(dense.params().iter().map(|p| p.name).collect::<Vec<_>>(), ["kernel"]);
    assert_eq!(infer(&dense, &Tensor::from([[1.0_f32, 2.0, 4.0]])).to_vec::<f32>(), [7.0, 7.0]);
}

#[test]
fn its_parameters_know_what_they_cost() {
    let mut dense = Dense::new(2).kernel_regularizer(Regularizer { l1: 0.5, l2: 0.25 }).bias_init(Init::Ones);
    build(&mut dense, [1]).unwrap();
    dense.params_mut()[0].value.set_(&Tensor::from([[2.0_f32, -4.0]]));
    let cost = |p: &Param| p.regularizer.map(|r| r.penalty(&p.value));
    let penalty = cost(dense.params()[0]).unwrap();
    assert_eq!(penalty.item(), 0.5 * 6.0 + 0.25 * 20.0);
    // l1 · sign(w) + l2 · 2 w
    assert_eq!(penalty.backward().wrt(&dense.params()[0].value).to_vec::<f32>(), [0.5 + 1.0, -0.5 - 2.0]);
    assert!(cost(dense.params()[1]).is_none());
}

#[test]
fn its_parameters_have_gradients() {
    let mut dense = Dense::new(2);
    build(&mut dense, [3]).unwrap();
    let grads = infer(&dense, &Tensor::from([[1.0_f32, 2.0, 4.0]])).sum(..).backward();
    let [kernel, bias] = [0, 1].map(|i| grads.wrt(&dense.params()[i].value).to_vec::<f32>());
    assert_eq!((kernel, bias), (vec![1.0, 1.0, 2.0, 2.0, 4.0, 4.0], vec![1.0, 1.0]));
}

#[test]
fn images_are_refused_with_a_hint_at_flatten() {
    assert_says(
        build(&mut Dense::new(10), [12, 12, 64]),
        &["[Dense]", "input [N, 12, 12, 64] has 4 axes", "wants [N, features]", "put a `Flatten` layer before"],
    );
    assert_says(build(&mut Dense::new(10), [28, 28]), &["[Dense]", "input [N, 28, 28] has 3 axes", "`Flatten`"]);
    assert_says(build(&mut Dense::new(0), [4]), &["[Dense] 0 units", "hint"]);
}

#[test]
#[should_panic(expected = "[Dense] called before it was built")]
fn it_cannot_be_called_before_it_is_built() {
    infer(&Dense::new(2), &Tensor::from([[1.0_f32]]));
}
