//! Building models: shapes and parameter counts, names, and what cannot be built.

use cotangent_core::{DataFormat, Device, Shape};
use cotangent_nn::{Activation::*, *};
use cotangent_train::{Model, Seed, Sequential};

fn cnn(format: DataFormat) -> Model {
    Sequential::new(match format {
        DataFormat::ChannelsLast => [28, 28, 1],
        DataFormat::ChannelsFirst => [1, 28, 28],
    })
    .add(Conv2d::new(32, (3, 3)).data_format(format).activation(Relu))
    .add(Conv2d::new(64, (3, 3)).data_format(format).activation(Relu))
    .add(MaxPool2d::new((2, 2)).data_format(format))
    .add(Dropout::new(0.25))
    .add(Flatten)
    .add(Dense::new(128).activation(Relu))
    .add(Dropout::new(0.5))
    .add(Dense::new(10).activation(Softmax))
    .build(&Device::Cpu, Seed(0))
    .unwrap()
}

#[test]
fn the_cnn_has_keras_sizes() {
    for format in [DataFormat::ChannelsLast, DataFormat::ChannelsFirst] {
        let model = cnn(format);
        assert_eq!((model.param_count(), model.trainable_count()), (1_199_882, 1_199_882));
        assert_eq!(model.output_shape(), Shape::from([10]));
    }
    let text = cnn(DataFormat::ChannelsLast).describe();
    for part in
        ["conv2d_1 (Conv2d)", "(None, 24, 24, 64)", "18,496", "(None, 9216)", "1,179,776", "1,199,882 (4.58 MB)"]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn the_notebooks_perceptron_has_keras_sizes() {
    let model = Sequential::new([28, 28])
        .add(Flatten)
        .add(BatchNorm::new())
        .add(Dense::new(128).activation(Relu))
        .add(Dense::new(10).activation(Softmax))
        .build(&Device::Cpu, Seed(0))
        .unwrap();
    assert_eq!((model.param_count(), model.trainable_count()), (104_906, 103_338));
    let paths: Vec<String> = model.params().map(|(path, _)| path).collect();
    assert_eq!(
        paths[..4],
        ["batch_norm/gamma", "batch_norm/beta", "batch_norm/moving_mean", "batch_norm/moving_variance"]
    );
    assert_eq!(paths[4..], ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]);
}

#[test]
fn a_layer_that_does_not_fit_is_named() {
    let error = |model: Sequential| model.build(&Device::Cpu, Seed(0)).err().expect("refused").to_string();
    let e = error(Sequential::new([28, 28, 1]).add(Conv2d::new(4, (3, 3))).add(Dense::new(10)));
    assert!(e.contains("dense") && e.contains("[26, 26, 4]") && e.contains("Flatten"), "{e}");
    let e = error(Sequential::new([4, 4, 1]).add(Conv2d::new(4, (5, 5))));
    assert!(e.contains("conv2d") && e.contains("height 4"), "{e}");
    let e = error(Sequential::new([4]).add(Dropout::new(1.5)));
    assert!(e.contains("dropout") && e.contains("1.5"), "{e}");
    let e = error(Sequential::new([4]));
    assert!(e.contains("no layers"), "{e}");
}
