//! Lesson 8, the functional way: two inputs, one shared layer, and a model that learns the order of the digits.

use cotangent::prelude::*;

fn main() -> cotangent::Result<()> {
    // Pairs of digits, and which is greater. That is all the model is told: never which digits they are.
    let mnist = Mnist::synthetic(4_000, 1_000, 0);
    let [x_train, x_test] = [&mnist.x_train, &mnist.x_test].map(|x| x.cast(DType::F32) / 255.0);
    let (left, right, greater) = pairs(&x_train, &mnist.y_train, 1);
    let test = pairs(&x_test, &mnist.y_test, 2);

    // Layers are applied to symbols: tensors that are not there yet, but whose shapes are known.
    let (a, b) = (Input::named("left", [28, 28]), Input::named("right", [28, 28]));

    // Something that gives an image one number. Both inputs go through it: it is one layer, with one set of weights.
    let size = Sequential::new([28, 28]).name("size");
    let size = Shared::new(size.add(Flatten).add(Dense::new(64).activation(Relu)).add(Dense::new(1)));
    let (size_a, size_b) = (a.apply(&size), b.apply(&size));

    // P(left > right) = σ(size of left − size of right): RankNet (Burges et al. 2005).
    let difference = [&size_a, &size_b].apply(Subtract);
    let answer = difference.apply(Sigmoid);
    let mut model = Model::new([&a, &b], &answer, &Device::best(), Seed(0))?;
    model.summary();

    // Several inputs are given as an array, in the order of the inputs.
    model.compile(Adam::default(), BinaryCrossentropy, [Accuracy]);
    model.fit([&left, &right], &greater).epochs(5).validation([&test.0, &test.1], &test.2).verbose(2).run()?;
    let score = model.evaluate([&test.0, &test.1], &test.2)?;
    println!("test accuracy on pairs: {:.3}", score["accuracy"]);

    // The shared part alone: what size does it see in each digit?
    let size = model.submodel("size").expect("the model within is found by its name");
    let sizes = size.call(&x_test).squeeze(1);
    for digit in 0..10 {
        let is_digit = mnist.y_test.eq(f64::from(digit)).cast(DType::F32);
        let mean = (&sizes * &is_digit).sum(..) / is_digit.sum(..);
        println!("size of {digit}: {:6.2}", mean.item());
    }
    Ok(())
}

/// Each image beside a random other one, and 1 where the left digit is greater: `[N, 28, 28]` twice, and `[N, 1]`.
fn pairs(x: &Tensor, digit: &Tensor, seed: u64) -> (Tensor, Tensor, Tensor) {
    let other = Tensor::permutation(x.shape()[0], &mut Rng::new(seed));
    let greater = digit.gt(&digit.index_select(0, &other)).cast(DType::F32);
    (x.clone(), x.index_select(0, &other), greater.unsqueeze(1))
}
