//! Pointwise functions in f32: their error in units in the last place, over 2²⁶ inputs from every binade.
//!
//! `COTANGENT_EXHAUSTIVE=1 cargo test --release --test agree functions` takes all 2³² inputs; with `-- --nocapture` it
//! shows the errors.

use cotangent::Lane;
use cotangent::Tensor;
use cotangent::gradcheck::compare::ulps_f32;
use rayon::prelude::*;
use std::f64::consts::{PI, SQRT_2};
use std::time::Instant;

/// A function, its value in f64, and the greatest error in ulp.
struct Function {
    name: &'static str,
    f: fn(&Tensor) -> Tensor,
    exact: fn(f64) -> f64,
    bound: f64,
}

const fn function(name: &'static str, f: fn(&Tensor) -> Tensor, exact: fn(f64) -> f64, bound: f64) -> Function {
    Function { name, f, exact, bound }
}

const FUNCTIONS: [Function; 14] = [
    function("exp", Tensor::exp, f64::exp, 1.0),
    function("ln", Tensor::ln, f64::ln, 1.0),
    function("sqrt", Tensor::sqrt, f64::sqrt, 0.5),
    function("recip", Tensor::recip, f64::recip, 0.5),
    function("sigmoid", Tensor::sigmoid, Lane::sigmoid, 3.0),
    function("tanh", Tensor::tanh, f64::tanh, 3.0),
    function("erf", Tensor::erf, Lane::erf, 4.0),
    function("gelu", Tensor::gelu, gelu, 4.0),
    function("gelu_tanh", Tensor::gelu_tanh, gelu_tanh, 4.0),
    function("exp_m1", Tensor::exp_m1, f64::exp_m1, 2.0),
    function("ln_1p", Tensor::ln_1p, f64::ln_1p, 2.0),
    function("sin", Tensor::sin, f64::sin, 2.0),
    function("cos", Tensor::cos, f64::cos, 2.0),
    function("softplus", Tensor::softplus, |x| if x > 40.0 { x } else { x.exp().ln_1p() }, 4.0),
];

/// x·Φ(x).
fn gelu(x: f64) -> f64 {
    if x > 0.0 {
        return 0.5 * x * (1.0 + Lane::erf(x / SQRT_2));
    }
    (x * x.abs().normal_tail()).times_gaussian(x)
}

/// ½x(1 + tanh u) without its cancellation.
fn gelu_tanh(x: f64) -> f64 {
    x * Lane::sigmoid((8.0 / PI).sqrt() * (x + 0.044715 * x.powi(3)))
}

/// The greatest error among inputs that share their upper 16 bits, and where it is.
fn worst(function: &Function, upper: u32, step: usize) -> (f64, f32) {
    let salt = (upper.wrapping_mul(2_654_435_761) >> 16) as usize % step;
    let inputs: Vec<f32> = (salt..1 << 16).step_by(step).map(|low| f32::from_bits(upper << 16 | low as u32)).collect();
    let y = (function.f)(&Tensor::from_slice(&inputs, [inputs.len()])).to_vec::<f32>();
    let errors = inputs.iter().zip(y).map(|(&x, y)| (ulps_f32(y, (function.exact)(x as f64)), x));
    errors.fold((0.0, 0.0), |worst, (error, x)| if error <= worst.0 { worst } else { (error, x) })
}

#[test]
fn functions_are_within_their_bounds() {
    // 2¹⁶ chunks of 2¹⁰ inputs, or of all 2¹⁶
    let step = if std::env::var_os("COTANGENT_EXHAUSTIVE").is_some() { 1 } else { 1 << 6 };
    for function in &FUNCTIONS {
        let start = Instant::now();
        let chunks = (0..1u32 << 16).into_par_iter().map(|upper| worst(function, upper, step));
        let (error, at) = chunks.reduce(|| (0.0, 0.0), |a, b| if b.0 <= a.0 { a } else { b });
        println!("{}: at most {error:.3} ulp, at {at:e} ({:.1} s)", function.name, start.elapsed().as_secs_f64());
        assert!(error <= function.bound, "{} is {error:.2} ulp off at {at:e}", function.name);
    }
}
