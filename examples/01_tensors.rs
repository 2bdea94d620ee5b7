//! Lesson 1, tensors: numbers in a grid, and what can be done with all of them at once.

use cotangent::Op;
use cotangent::ops::MatMul;
use cotangent::prelude::*;

fn main() {
    // A tensor has a shape, a type of number and a device.
    let x = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    println!("x = {x}");
    println!("axes: {}, numbers: {}, type: {}, device: {}", x.rank(), x.count(), x.dtype(), x.device());

    // Others are made by rule, or by chance: the same seed gives the same numbers.
    println!("linspace = {}", Tensor::linspace(0.0, 1.0, 5, DType::F32));
    let noise = Tensor::uniform([2, 3], -1.0, 1.0, DType::F32, &mut Rng::new(7));
    println!("noise = {noise:.2}");

    // What is done to a tensor is done to every number. The result is a new tensor: tensors do not change.
    println!("x² + 1 = {}", x.square() + 1.0);

    // Sizes that differ broadcast, as in NumPy: an axis of size 1, or one that is missing, is repeated.
    let row = Tensor::from([10.0_f32, 20.0, 30.0]); // [3]
    let column = Tensor::from([[100.0_f32], [200.0]]); // [2, 1]
    println!("row + column = {}", &row + &column); // [2, 3]

    // Views look at the same memory in another order: nothing is copied.
    println!("transposed = {}", x.t());
    println!("in another shape = {}", x.reshape([3, 2]));
    println!("second row = {}", x.select(0, 1));
    println!("last two columns, backwards = {}", x.slice(1, -2..).flip(1));

    // Reductions take axes away: one, some, or all of them.
    println!("sum of each column = {}", x.sum(0));
    println!("mean of each row = {}", x.mean(1));
    println!("sum of all = {}", x.sum(..).item());
    println!("where each row is greatest = {}", x.argmax(1));

    // The product of matrices: [2, 3] · [3, 2] → [2, 2].
    println!("x · xᵀ = {}", x.matmul(&x.t()));

    // Comparisons give a mask, and a mask chooses.
    let big = x.gt(3.0);
    println!("big = {big}");
    println!("{} numbers are big", big.cast(DType::F32).sum(..).item());

    // Shapes that do not fit are a bug of the program: a panic at its line. The text can also be asked for.
    let error = MatMul.infer([x.spec(), x.spec()]).unwrap_err();
    println!("x · x fails: {error}");

    // Numbers come back as a Vec of the type that they are.
    let numbers: Vec<f32> = x.to_vec();
    println!("as a Vec: {numbers:?}");
}
