//! A convolution with a max pooling or a ReLU behind it is computed in one, and nobody can tell but by the clock.

use cotangent_core::{DType, Device, Rng, Tensor, inspect};
use cotangent_nn::{Activation::*, *};
use cotangent_train::*;

/// A small convnet; `apart` also gives the convolution's result as an output, so that it must be there.
fn model(activation: Activation, apart: bool) -> Model {
    let input = Input::new([10, 10, 3]);
    let images = input.apply(Conv2d::new(16, (3, 3)).activation(activation).named("conv"));
    let pooled = images.apply(MaxPool2d::new((2, 2)));
    let output =
        pooled.apply(Conv2d::new(20, (3, 3)).activation(activation)).apply(MaxPool2d::new((2, 2))).apply(Flatten);
    let outputs = if apart { vec![&output, &images] } else { vec![&output] };
    Model::new(&input, &outputs[..], &Device::Cpu, Seed(3)).unwrap()
}

fn images(count: usize) -> Tensor {
    Tensor::uniform([count, 10, 10, 3], -1.0, 1.0, DType::F32, &mut Rng::new(1))
}

/// The gradient of a weighted sum of the output with respect to every parameter.
fn gradients(model: &Model, x: &Tensor) -> Vec<Tensor> {
    let y = model.call_all(x).swap_remove(0);
    let weights = Tensor::uniform(y.shape(), -1.0, 1.0, DType::F32, &mut Rng::new(2));
    let grads = (y * weights).sum(..).backward();
    model.params().map(|(_, p)| grads.wrt(&p.value).clone()).collect()
}

#[test]
fn values_and_gradients_are_those_of_one_layer_after_the_other() {
    let x = images(5);
    for activation in [Linear, Relu, LeakyRelu(0.2), LeakyRelu(-0.2), Tanh] {
        let (one, two) = (model(activation, false), model(activation, true));
        let (a, b) = (one.call_all(&x).swap_remove(0), two.call_all(&x).swap_remove(0));
        let error = (a - b).abs().max(..).item();
        assert!(error <= 1e-6, "{activation:?}: {error}");
        for (a, b) in gradients(&one, &x).into_iter().zip(gradients(&two, &x)) {
            let (error, size) = ((&a - &b).abs().max(..).item(), b.abs().max(..).item());
            assert!(error <= 1e-5 * size, "{activation:?}: {error} of {size}");
        }
    }
}

#[test]
fn one_op_does_both_where_nobody_else_wants_the_convolutions_result() {
    let ops = |model: &Model| -> Vec<&str> {
        let x = images(1);
        let (_, profile) = inspect::profile(|| model.call_all(&x));
        profile.events().iter().map(|event| event.op).collect()
    };
    let one = ops(&model(Relu, false));
    assert_eq!(one, ["conv2d_max_pool2d_relu", "conv2d_max_pool2d_relu", "reshape"]);
    let apart = ops(&model(Relu, true));
    assert_eq!(apart, ["conv2d_relu", "max_pool2d", "conv2d_max_pool2d_relu", "reshape"]);
    let leaky = ops(&model(LeakyRelu(0.2), false));
    assert_eq!(leaky, ["conv2d_max_pool2d", "leaky_relu", "conv2d_max_pool2d", "leaky_relu", "reshape"]);
    let bent = ops(&model(LeakyRelu(-0.2), false));
    assert!(!bent.contains(&"conv2d_max_pool2d"), "the greatest may not stay the greatest: {bent:?}");
}

#[test]
fn a_dense_layer_does_its_relu_itself() {
    let layers = Sequential::new([3]).add(Dense::new(4).activation(Relu)).add(Dense::new(2).activation(Tanh));
    let model = layers.build(&Device::Cpu, Seed(1)).unwrap();
    let (_, profile) = inspect::profile(|| model.call(&Tensor::ones([5, 3])));
    let ops: Vec<&str> = profile.events().iter().map(|event| event.op).collect();
    assert_eq!(ops, ["linear_relu", "linear", "tanh"]);
}
