//! Every parameter of every layer gets a gradient that teaches something.

use cotangent::gradcheck::reach;
use cotangent::prelude::*;

/// Builds a model of one layer and asks for the gradients of all its trainable parameters.
fn learns(name: &str, input: &[usize], layer: impl Layer + 'static) {
    let model = Sequential::new(input).add(layer).build(&Device::Cpu, Seed(1)).expect("the shapes fit");
    let batch = Shape::from([&[4], input].concat());
    let x = Tensor::uniform(batch, -1.0, 1.0, DType::F32, &mut Rng::new(2));
    let y = model.call(&x);
    let loss = (&y * Tensor::uniform(y.shape(), 0.5, 1.0, DType::F32, &mut Rng::new(3))).sum(..);
    let parameters: Vec<(String, Tensor)> =
        model.params().filter(|(_, p)| p.trainable).map(|(path, p)| (path, p.value.clone())).collect();
    assert!(!parameters.is_empty(), "{name} has nothing to learn");
    let named: Vec<(&str, &Tensor)> = parameters.iter().map(|(path, value)| (path.as_str(), value)).collect();
    reach::all(name, &loss, &named).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn all_parameters_of_all_layers_learn() {
    learns("dense", &[5], Dense::new(3));
    learns("dense without a bias", &[5], Dense::new(3).use_bias(false));
    learns("convolution", &[6, 6, 4], Conv2d::new(3, (3, 3)));
    learns("grouped convolution", &[6, 6, 4], Conv2d::new(4, (3, 2)).groups(2).strides((2, 1)));
    learns("padded convolution", &[6, 6, 4], Conv2d::new(3, (3, 3)).padding(Padding::Same).activation(Sigmoid));
    learns("batch norm", &[5], BatchNorm::new());
    learns("batch norm of images", &[3, 3, 5], BatchNorm::new());
}

#[test]
fn a_parameter_behind_a_cut_is_named() {
    let [w, b] = [1, 2].map(|seed| Tensor::uniform([3], 0.0, 1.0, DType::F32, &mut Rng::new(seed)).tracked());
    let loss = (&w * b.detach()).sum(..);
    let failure = reach::all("layer", &loss, &[("w", &w), ("b", &b)]).unwrap_err().to_string();
    assert!(failure.contains("b [3]: the loss does not depend on it") && !failure.contains("w [3]"), "{failure}");
    let dead = (&w * 0.0 + &b).sum(..);
    let failure = reach::all("layer", &dead, &[("w", &w), ("b", &b)]).unwrap_err().to_string();
    assert!(failure.contains("w [3]: its gradient is 0 everywhere"), "{failure}");
}
