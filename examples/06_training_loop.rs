//! Lesson 6, the training loop: what `fit` does, with nothing hidden. Forward, backward, step.

use cotangent::data::Batches;
use cotangent::prelude::*;

const BATCH_SIZE: usize = 50;

/// 784 pixels → 64 hidden numbers → a score for each of the ten digits.
struct Network {
    w1: Tensor,
    b1: Tensor,
    w2: Tensor,
    b2: Tensor,
}

impl Network {
    /// Random weights, so wide that the signal keeps its size on the way (He et al. 2015), and biases of 0.
    fn new(rng: &mut Rng) -> Self {
        let mut weight = |rows: usize, columns: usize| {
            let std = (2.0 / rows as f64).sqrt();
            Tensor::normal([rows, columns], 0.0, std, DType::F32, rng).tracked()
        };
        let (w1, w2) = (weight(784, 64), weight(64, 10));
        Self { w1, b1: Tensor::zeros([64]).tracked(), w2, b2: Tensor::zeros([10]).tracked() }
    }

    /// The scores `[N, 10]` of the images `[N, 784]`.
    fn forward(&self, x: &Tensor) -> Tensor {
        let hidden = (x.matmul(&self.w1) + &self.b1).relu();
        hidden.matmul(&self.w2) + &self.b2
    }

    fn params(&mut self) -> [(&'static str, &mut Tensor); 4] {
        [("w1", &mut self.w1), ("b1", &mut self.b1), ("w2", &mut self.w2), ("b2", &mut self.b2)]
    }

    /// The share of the digits that it recognises.
    fn accuracy(&self, x: &Tensor, y: &Tensor) -> f64 {
        let scores = no_grad(|| self.forward(x)); // nothing to differentiate: no graph
        scores.argmax(1).eq(y).cast(DType::F64).mean(..).item()
    }
}

fn main() -> cotangent::Result<()> {
    // Digits that the library draws itself; `Mnist::load()?` gives the real ones.
    let mnist = Mnist::synthetic(2_000, 500, 0);
    let [x_train, x_test] = [&mnist.x_train, &mnist.x_test].map(|x| x.flatten(1).cast(DType::F32) / 255.0);
    let (y_train, y_test) = (&mnist.y_train, &mnist.y_test);

    let mut rng = Rng::new(0);
    let mut network = Network::new(&mut rng);
    let mut optimizer = Sgd::new(0.1).momentum(0.9);
    println!("before: accuracy {:.3}", network.accuracy(&x_test, y_test)); // ten digits: guessing gets 0.1

    for epoch in 1..=4 {
        let mut total = 0.0;
        let batches = Batches::new(x_train.shape()[0], BATCH_SIZE, Some(&mut rng))?; // in random order
        let steps = batches.len();
        for batch in batches {
            let batch = Tensor::from_vec(batch.into_iter().map(|i| i as i64).collect());
            let (x, y) = (x_train.index_select(0, &batch), y_train.index_select(0, &batch));

            // forward: how wrong is the network? −ln of the probability that it gives to the right digit
            let loss = network.forward(&x).softmax_cross_entropy(&y).mean(..);
            // backward: which way is less wrong?
            let grads = loss.backward();
            // step: a little that way
            optimizer.step(network.params(), &grads)?;

            total += loss.item();
        }
        let accuracy = network.accuracy(&x_test, y_test);
        println!("epoch {epoch}: loss {:.4}, test accuracy {accuracy:.3}", total / steps as f64);
    }
    Ok(())
}
