//! Lesson 5, exclusive or: what one layer cannot learn and two can.

use cotangent::prelude::*;

fn main() -> cotangent::Result<()> {
    // "One or the other, but not both." No straight line parts the ones from the zeros.
    let x = Tensor::from([[0.0_f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
    let y = Tensor::from([[0.0_f32], [1.0], [1.0], [0.0]]);

    // One layer draws a straight line. The best it can say is "a half" to everything.
    let mut line = Sequential::new([2]).add(Dense::new(1).activation(Sigmoid)).build(&Device::best(), Seed(0))?;
    train(&mut line, &x, &y, "one layer ")?;

    // A layer between bends the plane first, so that a line suffices.
    let mut network = Sequential::new([2])
        .add(Dense::new(8).activation(Tanh))
        .add(Dense::new(1).activation(Sigmoid))
        .build(&Device::best(), Seed(0))?;
    train(&mut network, &x, &y, "two layers")?;

    println!("\n a  b  a xor b  one layer  two layers");
    let [line, network] = [line.predict(&x)?, network.predict(&x)?].map(|p| p.to_vec::<f32>());
    for (i, pair) in x.to_vec::<f32>().chunks(2).enumerate() {
        let truth = y.to_vec::<f32>()[i];
        println!("{:2} {:2} {truth:8} {:10.3} {:11.3}", pair[0], pair[1], line[i], network[i]);
    }
    Ok(())
}

/// All four at once, again and again.
fn train(model: &mut Model, x: &Tensor, y: &Tensor, name: &str) -> cotangent::Result<()> {
    model.compile(Adam::new(0.05), BinaryCrossentropy, [Accuracy]);
    let history = model.fit(x, y).epochs(300).verbose(0).run()?;
    // a model that knows nothing has the loss ln 2 = 0.693
    let (loss, accuracy) = (&history["loss"], history["accuracy"][299]);
    println!("{name}: loss {:.3} -> {:.3}, accuracy {accuracy:.2}", loss[0], loss[299]);
    Ok(())
}
