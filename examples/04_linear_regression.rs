//! Lesson 4, linear regression: the smallest model there is, and the one whose answer is known.

use cotangent::prelude::*;

fn main() -> cotangent::Result<()> {
    // Points along the line y = 3x − 2, each a little beside it.
    let mut rng = Rng::new(0);
    let x = Tensor::uniform([200, 1], -1.0, 1.0, DType::F32, &mut rng);
    let noise = Tensor::normal([200, 1], 0.0, 0.1, DType::F32, &mut rng);
    let y = &x * 3.0 - 2.0 + noise;

    // A layer of one unit computes w·x + b. It starts with a random w, and b = 0.
    let mut model = Sequential::new([1]).add(Dense::new(1)).build(&Device::best(), Seed(0))?;
    model.summary();

    // How to improve, what to make small, and what else to watch.
    model.compile(Sgd::new(0.1), MeanSquaredError, [MeanAbsoluteError]);
    let history = model.fit(&x, &y).epochs(10).batch_size(20).verbose(2).run()?;
    println!("loss: {:.4} -> {:.4}", history["loss"][0], history["loss"][9]);

    // What it has learned has names.
    for (path, param) in model.params() {
        println!("{path} = {:.3}", param.value.item());
    }

    // The least squares have a formula: w = cov(x, y) / var(x), b = mean(y) − w·mean(x).
    let (mean_x, mean_y) = (x.mean(..), y.mean(..));
    let w = ((&x - &mean_x) * (&y - &mean_y)).mean(..) / x.var(.., 0);
    let b = mean_y - &w * mean_x;
    println!("by formula: w = {:.3}, b = {:.3}", w.item(), b.item());

    // And it answers for numbers it has never seen.
    let new = Tensor::from([[0.0_f32], [1.0], [10.0]]);
    println!("predictions for 0, 1 and 10: {:.2}", model.predict(&new)?.squeeze(1));
    Ok(())
}
