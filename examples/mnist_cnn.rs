//! Trains a simple convnet on the MNIST dataset: Keras's mnist_cnn.py, line for line.
//!
//! Gets to about 99.1 % test accuracy after 12 epochs.

mod common;

use common::{Arguments, Defaults, tuple};
use cotangent::prelude::*;

const NUM_CLASSES: usize = 10;

fn main() -> cotangent::Result<()> {
    // constants: how often to see all digits, and how many at a time
    let arguments = Arguments::parse(Defaults { about: "Trains Keras's mnist_cnn.py", epochs: 12, batch_size: 128 });

    // read the data: 60,000 digits to train on, 10,000 to test with
    let mnist = common::mnist(&arguments)?;

    // one channel, last or first; bytes 0 to 255 as floats 0 to 1
    let format = common::data_format(&arguments);
    let input_shape = format.shape([1, 28, 28, 1]).without(0);
    let image = |x: &Tensor| x.reshape(input_shape.inserted(0, x.shape()[0])).cast(DType::F32) / 255.0;
    let (x_train, x_test) = (image(&mnist.x_train), image(&mnist.x_test));
    println!("x_train shape: {}", tuple(&x_train.shape()));
    println!("{} train samples", x_train.shape()[0]);
    println!("{} test samples", x_test.shape()[0]);

    // labels 0 to 9 as one-hot vectors
    let y_train = mnist.y_train.one_hot(NUM_CLASSES, DType::F32);
    let y_test = mnist.y_test.one_hot(NUM_CLASSES, DType::F32);

    let mut model = Sequential::new(input_shape)
        .add(Conv2d::new(32, (3, 3)).data_format(format).activation(Relu))
        .add(Conv2d::new(64, (3, 3)).data_format(format).activation(Relu)) // input size determined by itself
        .add(MaxPool2d::new((2, 2)).data_format(format))
        .add(Dropout::new(0.25))
        .add(Flatten.data_format(format))
        .add(Dense::new(128).activation(Relu))
        .add(Dropout::new(0.5))
        .add(Dense::new(NUM_CLASSES).activation(Softmax))
        .build(&common::device(&arguments)?, Seed(arguments.seed))?;
    model.summary();
    model.compile(Adadelta::default(), CategoricalCrossentropy, [Accuracy]);

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
