//! Lesson 3, an op of one's own: its value, its derivative, and the proof that they belong together.

use cotangent::gradcheck::{gradcheck, gradgradcheck, sample};
use cotangent::prelude::*;
use cotangent::{Lane, Saves, Unary, unary};

/// sin²x.
#[derive(Clone, Copy)]
struct SinSquared;

impl Unary for SinSquared {
    const NAME: &'static str = "sin_squared";
    const SAVES: Saves = Saves::Inputs; // the rule below reads x, so the graph keeps x
    fn forward<L: Lane>(self, x: L) -> L {
        x.sin().square() // of one number, or of eight or sixteen at once: L is what the CPU computes with
    }
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy * L::splat(2.0) * x.sin() * x.cos()
    }
}

/// The same with a mistake.
#[derive(Clone, Copy)]
struct Mistaken;

impl Unary for Mistaken {
    const NAME: &'static str = "mistaken";
    const SAVES: Saves = Saves::Inputs;
    fn forward<L: Lane>(self, x: L) -> L {
        x.sin().square()
    }
    fn vjp<L: Lane>(self, x: L, dy: L) -> L {
        dy * x.sin() * x.cos() // where is the 2?
    }
}

/// x + sin²x, which grows and waves: Snake, for functions that repeat (Ziyin et al. 2020). As a layer, it goes into
/// models like any other.
struct Snake;

impl Layer for Snake {
    fn kind(&self) -> &'static str {
        "Snake"
    }
    fn build(&mut self, input: Shape, _: &mut Build) -> Result<Shape> {
        Ok(input)
    }
    fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
        x + unary(SinSquared, x)
    }
}

fn main() -> cotangent::Result<()> {
    // The op works like the built-in ones: on every shape and dtype, on all threads, in graphs.
    println!("sin² = {}", unary(SinSquared, &Tensor::linspace(-2.0, 2.0, 5, DType::F32)));

    // Does the rule fit the value? The checker compares it with differences of the value, and then its own derivative
    // with differences of the rule.
    let x = sample::uniform([3, 4], -1.0, 1.0, 7);
    let first = gradcheck("sin_squared", |[x]| unary(SinSquared, x), [&x]).expect("the rule is right");
    let second = gradgradcheck("sin_squared", |[x]| unary(SinSquared, x), [&x]).expect("it has a derivative too");
    println!("checked: {} first and {} second derivatives", first.compared, second.compared);

    // A wrong rule does not get far.
    println!("{}", gradcheck("mistaken", |[x]| unary(Mistaken, x), [&x]).unwrap_err());

    // What it is good for: waves.
    let x = Tensor::linspace(-3.0, 3.0, 256, DType::F32).unsqueeze(1);
    let y = (&x * 2.0).sin();
    let mut model =
        Sequential::new([1]).add(Dense::new(32)).add(Snake).add(Dense::new(1)).build(&Device::best(), Seed(0))?;
    model.compile(Adam::new(0.01), MeanSquaredError, [MeanAbsoluteError]);
    let history = model.fit(&x, &y).epochs(100).verbose(0).run()?;
    println!("learning sin 2x: loss {:.4} -> {:.4}", history["loss"][0], history["loss"][99]);
    Ok(())
}
