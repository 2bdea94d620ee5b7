//! Lesson 2, automatic differentiation: the chain rule by hand, and the machine that applies it for us.

use cotangent::prelude::*;

fn main() -> cotangent::Result<()> {
    // One neuron, y = σ(w·x + b), and how far it is from its target t: the loss (y − t)².
    let [x, t] = [1.5, 1.0].map(Tensor::scalar::<f64>);
    let [w, b] = [-0.8, 0.3].map(|value: f64| Tensor::scalar(value).tracked()); // remember what is made of these
    let y = (&w * &x + &b).sigmoid();
    let loss = (&y - &t).square();
    println!("y = {:.6}, loss = {:.6}", y.item(), loss.item());

    // By hand, from the loss back to w and b. Each step multiplies by its own derivative.
    let dy = 2.0 * (y.item() - t.item()); // of (y − t)²: 2 (y − t)
    let dz = dy * y.item() * (1.0 - y.item()); // of σ(z): σ(z) (1 − σ(z))
    let (dw, db) = (dz * x.item(), dz); // of w·x + b: x, and 1
    println!("by hand:       dw = {dw:.9}, db = {db:.9}");

    // By machine: `backward` walks the same way through the graph that the ops have left behind.
    let grads = loss.backward();
    println!("by backward:   dw = {:.9}, db = {:.9}", grads.wrt(&w).item(), grads.wrt(&b).item());

    // By trying: nudge w and see how much the loss moves. The gradient checker of lesson 3 does this.
    let loss_at = |w: f64| (Tensor::scalar(w * 1.5 + 0.3).sigmoid().item() - 1.0).powi(2);
    println!("by difference: dw = {:.9}", (loss_at(-0.8 + 1e-5) - loss_at(-0.8 - 1e-5)) / 2e-5);

    // A gradient says where down is. Steps against it make the loss small: that is all training.
    let [mut w, mut b] = [w, b];
    for step in 0..=300 {
        let loss = ((&w * &x + &b).sigmoid() - &t).square();
        if step % 100 == 0 {
            println!("step {step}: loss = {:.6}", loss.item());
        }
        let grads = loss.backward();
        w = (&w - grads.wrt(&w)).detach().tracked(); // a new leaf: the next step's graph begins here
        b = (&b - grads.wrt(&b)).detach().tracked();
    }

    // Where a number is used twice, its gradients add up: y = x·x has dy/dx = x + x.
    let x = Tensor::scalar(3.0_f64).tracked();
    println!("x = 3: d(x·x)/dx = {}", (&x * &x).backward().wrt(&x).item());

    // Gradients can be differentiated again. Newton's method finds the least of eˣ − 2x by f′ and f″: it is at ln 2.
    let mut x = Tensor::scalar(0.0_f64).tracked();
    for _ in 0..6 {
        let f = x.exp() - &x * 2.0;
        let slope = grad(&f, &[&x], Order::Second)?.remove(0);
        let curvature = grad(&slope, &[&x], Order::First)?.remove(0);
        x = (&x - slope / curvature).detach().tracked();
    }
    println!("Newton: x = {:.12}, ln 2 = {:.12}", x.item(), 2.0_f64.ln());

    // What has no derivative says so. There is no silent zero.
    let error = grad(&x.floor(), &[&x], Order::First).unwrap_err();
    println!("floor: {error}");
    Ok(())
}
