//! Lesson 9, looking inside: what a trained convnet has learned, what it costs, and where a NaN came from.

use cotangent::inspect;
use cotangent::prelude::*;
use cotangent::train::{figure, sparkline}; // pictures need the feature `figures`
use std::path::Path;

fn main() -> cotangent::Result<()> {
    // On what does this run? The first thing to say in a bug report.
    print!("{}", inspect::build_info());

    let mnist = Mnist::synthetic(1_000, 500, 0);
    let [x_train, x_test] = [&mnist.x_train, &mnist.x_test].map(|x| x.unsqueeze(-1).cast(DType::F32) / 255.0);
    let mut model = Sequential::new([28, 28, 1])
        .add(Conv2d::new(8, (5, 5)).activation(Relu))
        .add(MaxPool2d::new((4, 4)))
        .add(Flatten)
        .add(Dense::new(10).activation(Softmax))
        .build(&Device::best(), Seed(0))?;
    model.compile(Adam::new(0.005), SparseCategoricalCrossentropy, [Accuracy]);
    let history = model.fit(&x_train, &mnist.y_train).epochs(5).verbose(0).run()?;
    println!("loss {}", sparkline(&history["loss"]));

    // What is taken for what? Row 4, column 9: how many fours it took for nines.
    let confusion = ConfusionMatrix.of(&mnist.y_test, &model.predict(&x_test)?);
    println!("confusion matrix = {confusion:.0}");
    let folder = Path::new("target/looking_inside");
    figure::confusion_matrix(folder.join("confusion.png"), &confusion, &[] as &[&str])?;

    // What does it look for? The eight filters of the first layer: red is ink, blue is none.
    let (_, kernel) = model.params().find(|(path, _)| path == "conv2d/kernel").expect("the first layer");
    figure::filters(folder.join("filters.png"), &kernel.value)?;

    // And what does it see in four digits? A row for each digit, a column for each filter.
    let seen = model.layer_output("conv2d", &x_test.narrow(0, 0, 4))?;
    println!("conv2d sees {}", seen.shape());
    figure::activations(folder.join("activations.png"), &seen, DataFormat::ChannelsLast)?;
    println!("pictures: {}", folder.display());

    // Where does the time go? A table by op and one by layer, and a trace for the browser (chrome://tracing).
    let (x, y) = (x_train.narrow(0, 0, 128), mnist.y_train.narrow(0, 0, 128));
    let (values, profile) = inspect::profile(|| model.train_step(&x, &y));
    println!("a step, with loss {:.3}:\n{profile}", values?[0]);
    profile.write_trace(folder.join("step.json"))?;

    // What holds memory? The largest tensors, with the ops and layers that made them.
    let tracking = inspect::track_memory();
    let hidden = model.layer_output("max_pool2d", &x)?;
    println!("with {} of pooled images:\n{}", hidden.shape(), inspect::memory_report());
    drop(tracking);

    // Where does a NaN come from? Often from an infinity, and that from a learning rate that is far too high.
    model.compile(Sgd::new(1e30), SparseCategoricalCrossentropy, [Accuracy]);
    let _guard = inspect::detect_anomaly(); // looks at every result while it lives
    let error = model.fit(&x_train, &mnist.y_train).verbose(0).run().unwrap_err();
    println!("{error}");
    Ok(())
}
