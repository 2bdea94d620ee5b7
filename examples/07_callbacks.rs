//! Lesson 7, callbacks and checkpoints: training that knows when to stop, and that survives being stopped.

use cotangent::prelude::*;

fn network() -> Result<Model> {
    let mut model = Sequential::new([28, 28])
        .add(Flatten)
        .add(Dense::new(64).activation(Relu))
        .add(Dropout::new(0.2))
        .add(Dense::new(10).activation(Softmax))
        .build(&Device::best(), Seed(0))?;
    model.compile(Adam::new(0.005), SparseCategoricalCrossentropy, [Accuracy]);
    Ok(model)
}

/// Every weight, to compare.
fn weights(model: &Model) -> Vec<Vec<f32>> {
    model.params().map(|(_, param)| param.value.to_vec()).collect()
}

fn main() -> cotangent::Result<()> {
    let mnist = Mnist::synthetic(1_000, 500, 0);
    let [x, x_test] = [&mnist.x_train, &mnist.x_test].map(|x| x.cast(DType::F32) / 255.0);
    let (y, y_test) = (&mnist.y_train, &mnist.y_test);

    // How many epochs are enough? More than enough, and callbacks that watch: slower where it gets no better, and an
    // end, with the best weights, where that does not help either.
    let mut model = network()?;
    let mut stopping = EarlyStopping::new("val_loss").patience(4).min_delta(1e-3).restore_best_weights(true);
    let history = model
        .fit(&x, y)
        .epochs(100)
        .validation(&x_test, y_test)
        .callback(ReduceLrOnPlateau::new("val_loss").factor(0.2).patience(2))
        .callback(&mut stopping)
        .verbose(0)
        .run()?;
    print!("{history}");
    let (loss, epoch) = stopping.best().expect("it has watched");
    println!("stopped after epoch {}, back to epoch {} with val_loss {loss:.4}", history.epochs(), epoch + 1);
    println!("evaluated: val_loss {:.4}", model.evaluate(&x_test, y_test)?.loss);

    // A callback of one's own is a closure, or a type that implements `Callback`.
    let tell = LambdaCallback::on_epoch_end(|context| {
        let loss = context.logs.get("loss").expect("every model has one");
        println!("epoch {} of {}: loss {loss:.4}", context.epoch() + 1, context.epochs());
        Ok(())
    });
    let mut whole = network()?;
    whole.fit(&x, y).epochs(4).callback(tell).verbose(0).run()?;

    // The same in two halves. After each epoch the checkpoint has all that training knows: weights, what the optimizer
    // remembers, random numbers, history. So it does not matter when the program ends, or how.
    let path = std::env::temp_dir().join(format!("lesson-7-{}.safetensors", std::process::id()));
    network()?.fit(&x, y).epochs(2).callback(ModelCheckpoint::new(&path)).verbose(0).run()?;
    let mut resumed = network()?; // tomorrow, perhaps
    let history = resumed.fit(&x, y).epochs(4).resume(&path).verbose(0).run()?;
    println!("resumed: the history has {} epochs", history.epochs());
    println!("the same weights to the last bit: {}", weights(&resumed) == weights(&whole));

    // To use a model it takes the weights alone.
    resumed.save(&path)?;
    let mut model = network()?;
    model.load(&path)?;
    println!("loaded: test accuracy {:.3}", model.evaluate(&x_test, y_test)?["accuracy"]);
    std::fs::remove_file(&path).expect("it was there a moment ago");
    Ok(())
}
