//! The models whose training is timed, compiled with their optimizers.

use cotangent::prelude::*;

/// `cnn`, `mlp` or `dropout`: the models of the examples `mnist_cnn`, `mnist_mlp` and `mnist_mlp_dropout`.
pub fn mnist_model(name: &str) -> Result<Model> {
    let mut model = match name {
        "cnn" => Sequential::new([28, 28, 1])
            .add(Conv2d::new(32, (3, 3)).activation(Relu))
            .add(Conv2d::new(64, (3, 3)).activation(Relu))
            .add(MaxPool2d::new((2, 2)))
            .add(Dropout::new(0.25))
            .add(Flatten)
            .add(Dense::new(128).activation(Relu))
            .add(Dropout::new(0.5)),
        "mlp" => Sequential::new([28, 28]).add(Flatten).add(BatchNorm::new()).add(Dense::new(128).activation(Relu)),
        _ => Sequential::new([28, 28])
            .add(Flatten)
            .add(Dense::new(512).activation(Relu))
            .add(Dropout::new(0.2))
            .add(Dense::new(512).activation(Relu))
            .add(Dropout::new(0.2)),
    }
    .add(Dense::new(10).activation(Softmax))
    .build(&Device::best(), Seed(0))?;
    match name {
        "cnn" => model.compile(Adadelta::default(), SparseCategoricalCrossentropy, [Accuracy; 0]),
        "mlp" => model.compile(Adam::default(), SparseCategoricalCrossentropy, [Accuracy; 0]),
        _ => model.compile(RmsProp::default(), SparseCategoricalCrossentropy, [Accuracy; 0]),
    };
    Ok(model)
}

/// The training images as the model of this name takes them in its example, and their labels: `mlp` takes the bytes.
pub fn mnist_digits(name: &str, mnist: &Mnist) -> (Tensor, Tensor) {
    let scaled = || mnist.x_train.cast(DType::F32) / 255.0;
    let images = match name {
        "cnn" => scaled().unsqueeze(-1),
        "mlp" => mnist.x_train.clone(),
        _ => scaled(),
    };
    (images, mnist.y_train.clone())
}
