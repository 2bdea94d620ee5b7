//! Trains a deep perceptron with dropout on the MNIST dataset: Keras's mnist_mlp.py, line for line.
//!
//! Gets to about 98.4 % test accuracy after 20 epochs.

mod common;

use common::{Arguments, Defaults};
use cotangent::prelude::*;

const NUM_CLASSES: usize = 10;

fn main() -> cotangent::Result<()> {
    let arguments = Arguments::parse(Defaults { about: "Trains Keras's mnist_mlp.py", epochs: 20, batch_size: 128 });

    // read the data; each image as one row of floats 0 to 1
    let mnist = common::mnist(&arguments)?;
    let row = |x: &Tensor| x.flatten(1).cast(DType::F32) / 255.0;
    let (x_train, x_test) = (row(&mnist.x_train), row(&mnist.x_test));
    println!("{} train samples", x_train.shape()[0]);
    println!("{} test samples", x_test.shape()[0]);

    // labels 0 to 9 as one-hot vectors
    let y_train = mnist.y_train.one_hot(NUM_CLASSES, DType::F32);
    let y_test = mnist.y_test.one_hot(NUM_CLASSES, DType::F32);

    let mut model = Sequential::new([784])
        .add(Dense::new(512).activation(Relu))
        .add(Dropout::new(0.2))
        .add(Dense::new(512).activation(Relu))
        .add(Dropout::new(0.2))
        .add(Dense::new(NUM_CLASSES).activation(Softmax))
        .build(&common::device(&arguments)?, Seed(arguments.seed))?;
    model.summary();
    model.compile(RmsProp::default(), CategoricalCrossentropy, [Accuracy]);

    let fit = model
        .fit(&x_train, &y_train)
        .batch_size(arguments.batch_size)
        .epochs(arguments.epochs)
        .verbose(1)
        .validation(&x_test, &y_test);
    let history = common::checkpointed(fit, &arguments).run()?;

    let score = model.evaluate(&x_test, &y_test)?;
    println!("Test loss: {}", score.loss);
    println!("Test accuracy: {}", score["accuracy"]);

    common::show_digits(&arguments, &mnist, &model.predict(&x_test)?)?;
    common::show_curves(&arguments, &history)
}
