//! Shapes, parameter counts, values and messages of the layers.

mod batch_norm;
mod conv;
mod dense;
mod merge;
mod small;

use cotangent_core::{Result, Rng, Shape, Tensor};
use cotangent_nn::*;

/// The layer's output shape, the batch axis left out.
fn build(layer: &mut dyn Layer, input: impl Into<Shape>) -> Result<Shape> {
    layer.build(input.into(), &mut Build::new(&mut Rng::new(0)))
}

/// The layer's output in inference, its activation applied.
fn infer(layer: &dyn Layer, x: &Tensor) -> Tensor {
    layer.activation().apply(&layer.call(x, &mut Pass::inference(&mut Rng::new(0))))
}

/// How many numbers the layer has, and how many of them train.
fn counts(layer: &dyn Layer) -> (usize, usize) {
    let count = |p: &&Param| p.value.count();
    let params = layer.params();
    (params.iter().map(count).sum(), params.iter().filter(|p| p.trainable).map(count).sum())
}

/// Builds the layers one behind the other: the output shapes, and the parameters of each layer.
fn stack(layers: &mut [Box<dyn Layer>], input: impl Into<Shape>) -> (Vec<Shape>, Vec<usize>) {
    let mut shape = input.into();
    let outputs = layers.iter_mut().map(|layer| {
        shape = build(layer.as_mut(), shape).unwrap();
        shape
    });
    let outputs = outputs.collect();
    (outputs, layers.iter().map(|layer| counts(layer.as_ref()).0).collect())
}

#[test]
fn the_mnist_cnn_has_keras_shapes_and_counts() {
    let mut layers: Vec<Box<dyn Layer>> = vec![
        Box::new(Conv2d::new(32, (3, 3)).activation(Activation::Relu)),
        Box::new(Conv2d::new(64, (3, 3)).activation(Activation::Relu)),
        Box::new(MaxPool2d::new((2, 2))),
        Box::new(Dropout::new(0.25)),
        Box::new(Flatten),
        Box::new(Dense::new(128).activation(Activation::Relu)),
        Box::new(Dropout::new(0.5)),
        Box::new(Dense::new(10).activation(Activation::Softmax)),
    ];
    let (shapes, counts) = stack(&mut layers, [28, 28, 1]);
    let wanted: [Shape; 8] = [
        [26, 26, 32].into(),
        [24, 24, 64].into(),
        [12, 12, 64].into(),
        [12, 12, 64].into(),
        [9216].into(),
        [128].into(),
        [128].into(),
        [10].into(),
    ];
    assert_eq!(shapes, wanted);
    assert_eq!(counts, [320, 18_496, 0, 0, 0, 1_179_776, 0, 1_290]);
    assert_eq!(counts.iter().sum::<usize>(), 1_199_882);
}

#[test]
fn the_mnist_mlp_has_keras_counts() {
    let mut norm = BatchNorm::new();
    build(&mut norm, [784]).unwrap();
    assert_eq!(counts(&norm), (3_136, 1_568));
    let mut layers: Vec<Box<dyn Layer>> =
        vec![Box::new(Flatten), Box::new(BatchNorm::new()), Box::new(Dense::new(128)), Box::new(Dense::new(10))];
    assert_eq!(stack(&mut layers, [28, 28]).1, [0, 3_136, 100_480, 1_290]);
}
