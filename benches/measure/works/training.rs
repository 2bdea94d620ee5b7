//! Training steps and inference.

use super::Work;
use super::models::{mnist_digits, mnist_model};
use cotangent::prelude::*;
use std::hint::black_box;

/// One step on the next batch of MNIST's training images, the gathering of the batch included.
pub fn mnist_step(name: &str, batch: usize) -> Work {
    let mnist = Mnist::load().expect("MNIST");
    let (images, labels) = mnist_digits(name, &mnist);
    step(mnist_model(name).expect("the model is sound"), images, labels, batch)
}

/// One step of a convolutional network on images of `image × image × 3`, whose second convolution has `width` filters.
pub fn images_step(batch: usize, image: usize, width: usize) -> Work {
    let mut model = Sequential::new([image, image, 3])
        .add(Conv2d::new(32, (3, 3)).activation(Relu))
        .add(Conv2d::new(width, (3, 3)).activation(Relu))
        .add(MaxPool2d::new((2, 2)))
        .add(GlobalAveragePool2d::new())
        .add(Dense::new(10).activation(Softmax))
        .build(&Device::Cpu, Seed(0))
        .expect("the model is sound");
    model.compile(Sgd::new(0.01), SparseCategoricalCrossentropy, [Accuracy; 0]);
    let images = Tensor::uniform([batch, image, image, 3], 0.0, 1.0, DType::F32, &mut Rng::new(0));
    let labels = Tensor::zeros([batch]).cast(DType::U8);
    step(model, images, labels, batch)
}

fn step(mut model: Model, images: Tensor, labels: Tensor, batch: usize) -> Work {
    let count = images.shape()[0];
    let order = Tensor::permutation(count, &mut Rng::new(1));
    let mut start = 0;
    Box::new(move || {
        let chosen = order.narrow(0, start, batch);
        let step = model.train_step(&images.index_select(0, &chosen), &labels.index_select(0, &chosen));
        black_box(step.expect("a step"));
        start = if start + 2 * batch > count { 0 } else { start + batch };
    })
}

/// The CNN's answers for a batch.
pub fn inference(batch: usize) -> Work {
    let mnist = Mnist::load().expect("MNIST").first(batch);
    let (images, _) = mnist_digits("cnn", &mnist);
    let model = mnist_model("cnn").expect("the model is sound");
    Box::new(move || drop(black_box(model.predict(&images).expect("images of the right shape"))))
}

/// A step of Adadelta, which the CNN is trained with, on one parameter of so many numbers.
pub fn update(count: usize) -> Work {
    let draw = |seed| Tensor::uniform([count], -1.0, 1.0, DType::F32, &mut Rng::new(seed));
    let (mut w, mut optimizer) = (draw(0).tracked(), Adadelta::default());
    let grads = (&w * &draw(1)).sum(..).backward();
    Box::new(move || optimizer.step([&mut w], &grads).expect("the parameter has a gradient"))
}
