//! Classifies MNIST's digits with a multi-layer perceptron: a tf.keras notebook, line for line.
//!
//! The raw bytes 0 to 255 go into batch norm; then the first hundred test digits are drawn, each titled with its
//! prediction. Gets to about 97.0 % test accuracy after 10 epochs.

mod common;

use common::{Arguments, Defaults, tuple};
use cotangent::prelude::*;

fn main() -> cotangent::Result<()> {
    let about = "Trains a perceptron with batch norm, and draws its first hundred answers";
    let mut arguments = Arguments::parse(Defaults { about, epochs: 10, batch_size: 32 });
    arguments.figure.get_or_insert_with(|| "mnist_mlp.png".into());

    let mnist = common::mnist(&arguments)?;
    println!("{} {}", tuple(&mnist.x_train.shape()), tuple(&mnist.y_train.shape()));
    println!("{} {}", tuple(&mnist.x_test.shape()), tuple(&mnist.y_test.shape()));

    // to modify a layer, you only have to change one line
    let inputs = Input::new([28, 28]);
    let x = inputs.apply(Flatten);
    let x = x.apply(BatchNorm::new());
    let x = x.apply(Dense::new(128).activation(Relu));
    let x = x.apply(Dense::new(10).activation(Softmax));
    let outputs = x;
    let mut model = Model::new(&inputs, &outputs, &common::device(&arguments)?, Seed(arguments.seed))?;
    model.summary();

    // the optimizer, the loss, and what to watch
    model.compile(Adam::default(), SparseCategoricalCrossentropy, [SparseCategoricalCrossentropy]);
    let fit = model
        .fit(&mnist.x_train, &mnist.y_train)
        .batch_size(arguments.batch_size)
        .epochs(arguments.epochs)
        .validation(&mnist.x_test, &mnist.y_test);
    let history = common::checkpointed(fit, &arguments).run()?;

    // a prediction is ten probabilities; the digit is the most probable one
    let y_pred_prob = model.predict(&mnist.x_test)?;
    let y_pred = y_pred_prob.argmax(-1);
    println!("Test loss: {}", model.evaluate(&mnist.x_test, &mnist.y_test)?.loss);
    println!("Test accuracy: {}", y_pred.eq(&mnist.y_test).cast(DType::F64).mean(..).item());

    common::show_digits(&arguments, &mnist, &y_pred_prob)?;
    common::show_curves(&arguments, &history)
}
